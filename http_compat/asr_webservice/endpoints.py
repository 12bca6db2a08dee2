"""`POST /asr` and `POST /detect-language`: a recording to text or subtitles, and to the language spoken in it."""

import json
from contextlib import AsyncExitStack, aclosing
from typing import IO, Any, Final
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from http_compat.answer_headers import answered_by, suppressed_header
from http_compat.asr_webservice.query import AsrQuery, Output, read_query
from http_compat.disconnect import while_connected
from http_compat.errors import UnsupportedMediaType
from http_compat.parsing.bodies import media_type
from http_compat.parsing.form_fields import Fields, form_fields, query_fields
from http_compat.uploads import Upload, Uploads
from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import Task
from realtime.languages import language_name
from realtime.offline.formats import seconds, to_dict, to_srt, to_tsv, to_vtt
from realtime.offline.options import OfflineOptions
from realtime.offline.transcript import TranscribedSegment, Transcript, cues
from realtime.speech.recognition import DecodingOptions
from realtime.workers.threads import BlockingCalls

FILE: Final = "audio_file"
"""The part of the form that is the recording."""

_MAX_FILE_NAME: Final = 200
"""Characters of the name of a file that the name of the transcript repeats."""

_ENOUGH_SPEECH: Final = 30 * SAMPLE_RATE
"""Samples of speech, 30 s, after which its language is not looked for any further: as many as Whisper hears at once."""


class AsrEndpoints:
    """The endpoints of whisper-asr-webservice, with the default recognizer."""

    def __init__(self, uploads: Uploads, names: ModelNames, threads: BlockingCalls) -> None:
        """`threads` encodes transcripts, which takes long for long ones."""
        self._uploads = uploads
        self._threads = threads
        self._entry = names.defaults[Task.TRANSCRIPTION]

    async def transcribe(self, request: Request) -> Response:
        async with AsyncExitStack() as resources:
            fields, file, name = await self._read(request, resources)
            query = read_query(fields)
            upload = await self._prepare(request, resources, file, query.options, raw=query.raw)
            transcript = self._uploads.counted(await while_connected(request, upload.job.whole()))
        headers = {
            "asr-engine": "vivavoce",
            "content-disposition": f'attachment; filename="{quote(name[:_MAX_FILE_NAME])}.{query.output}"',
            **answered_by(self._entry.name),
            **suppressed_header(transcript),
        }
        text = await self._threads.run(_rendered, transcript, query)
        return Response(text, media_type="text/plain", headers=headers)

    async def detect_language(self, request: Request) -> Response:
        """Answer with the language of the first speech; with an empty object if there is none."""
        async with AsyncExitStack() as resources:
            fields, file, _ = await self._read(request, resources)
            raw = fields.flag("encode") is False
            options = OfflineOptions(word_times=True, decoding=DecodingOptions())  # the text does not matter
            upload = await self._prepare(request, resources, file, options, raw=raw)
            segments = await while_connected(request, _first_speech(upload))
        return JSONResponse(_language(segments), headers=answered_by(self._entry.name))

    async def _prepare(
        self, request: Request, resources: AsyncExitStack, file: IO[bytes], options: OfflineOptions, *, raw: bool
    ) -> Upload:
        return await self._uploads.prepare(request, resources, file, self._entry, options, raw=raw)

    async def _read(self, request: Request, resources: AsyncExitStack) -> tuple[Fields, IO[bytes], str]:
        """Return the fields, the recording and its name. Occupies a place among the uploads."""
        resources.enter_context(self._uploads.slot())
        if media_type(request) != "multipart/form-data":
            raise UnsupportedMediaType(f"Send the recording as multipart/form-data, with the audio in `{FILE}`.")
        form = await self._uploads.read_form(request, resources, FILE)
        fields, file = form_fields(form, FILE)
        fields.add_missing(query_fields(request.query_params))
        part = form[FILE]
        assert isinstance(part, UploadFile)
        return fields, file, part.filename or FILE


async def _first_speech(upload: Upload) -> list[TranscribedSegment]:
    """Return the first segments with text, until they are long enough together."""
    found: list[TranscribedSegment] = []
    heard = 0
    async with aclosing(upload.job.segments()) as segments:
        async for segment in segments:
            found.append(segment)
            heard += _length(segment)
            if heard >= _ENOUGH_SPEECH:
                break
    return found


def _length(segment: TranscribedSegment) -> int:
    return segment.words[-1].end - segment.start


def _language(segments: list[TranscribedSegment]) -> dict[str, Any]:
    """Return the likeliest language of all segments together, each weighted by its length."""
    shares: dict[str, float] = {}
    for segment in segments:
        hypothesis, length = segment.hypothesis, max(1, _length(segment))
        for language, probability in (hypothesis.languages or {hypothesis.language: 1.0}).items():
            shares[language] = shares.get(language, 0.0) + probability * length
    if not shares:
        return {}
    code = max(shares, key=shares.__getitem__)
    confidence = shares[code] / sum(max(1, _length(segment)) for segment in segments)
    return {"detected_language": language_name(code), "language_code": code, "confidence": round(confidence, 4)}


def _rendered(transcript: Transcript, query: AsrQuery) -> str:
    match query.output:
        case Output.TXT:
            return "".join(f"{segment.hypothesis.text.strip()}\n" for segment in transcript.segments)
        case Output.VTT:
            return to_vtt(transcript)
        case Output.SRT:
            return to_srt(transcript)
        case Output.TSV:
            return to_tsv(transcript)
        case Output.JSON:
            return json.dumps(_json(transcript, word_timestamps=query.word_timestamps), ensure_ascii=False)


def _json(transcript: Transcript, *, word_timestamps: bool) -> dict[str, Any]:
    """Return what faster-whisper's segments hold."""
    segments = to_dict(transcript)["segments"]
    for segment, cue in zip(segments, cues(transcript), strict=True):
        segment["words"] = (
            [
                {
                    "start": seconds(word.start),
                    "end": seconds(word.end),
                    "word": word.text,
                    "probability": round(word.probability, 4),
                }
                for word in cue.words
            ]
            if word_timestamps
            else None
        )
    return {"language": transcript.language, "segments": segments, "text": transcript.text}
