"""`POST /v1/audio/transcriptions` and `/v1/audio/translations`: an uploaded recording to text.

The upload is decoded block by block, the detector finds the speech in it, and each excerpt is one call of the
recognizer at the lowest priority: live sessions never wait for more than what is just being decoded.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import replace
from operator import attrgetter
from typing import IO, TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from http_compat.disconnect import while_connected
from http_compat.errors import FileTooLarge, UnsupportedMediaType, request_id
from http_compat.limits import ConcurrencyLimit, bounded
from http_compat.names import ModelNames
from http_compat.openai.formats import render
from http_compat.openai.transcript_events import delta, done
from http_compat.parsing.bodies import MAX_FIELD_BYTES, media_type, read_form
from http_compat.parsing.form_fields import Fields, form_fields, json_fields
from http_compat.parsing.transcription_form import TranscriptionForm, read_fields
from http_compat.streaming import EVENTS, streamed
from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.catalogue.names import find
from realtime.catalogue.table import ENGLISH, ModelEntry, Task
from realtime.edge.metrics import Metrics
from realtime.errors import AudioTooShort, ClientError, TooLarge, UnsupportedModel
from realtime.media.decoding import Decoders
from realtime.offline.speech_segments import SpeechSegment, SpeechSegmenter
from realtime.offline.transcriber import OfflineTranscriber
from realtime.offline.transcript import TranscribedSegment, Transcript
from realtime.scheduling.priority import ClientId
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.models.models import Models

_SHORTEST: Final = SAMPLE_RATE // 10
"""OpenAI's own minimum."""

_MAX_JSON_FILE: Final = 25 * 1024 * 1024
"""Bytes of a recording within JSON, which is held in memory; OpenAI's own limit for uploads."""


class TranscriptionEndpoints:
    """The endpoints. At most `max_queued_uploads` requests are let in at a time; the next is told to come back."""

    def __init__(
        self, models: "Models", settings: Settings, names: ModelNames, decoders: Decoders, metrics: Metrics
    ) -> None:
        self._models = models
        self._settings = settings
        self._names = names
        self._decoders = decoders
        self._metrics = metrics
        self._places = ConcurrencyLimit(settings.max_queued_uploads, "Too many uploads are waiting.")

    async def transcribe(self, request: Request) -> Response:
        return await self._create(request, translate=False)

    async def translate(self, request: Request) -> Response:
        return await self._create(request, translate=True)

    async def _create(self, request: Request, *, translate: bool) -> Response:
        async with AsyncExitStack() as holds:
            holds.enter_context(self._places.take())
            return await self._answer(request, holds, translate=translate)

    async def _answer(self, request: Request, holds: AsyncExitStack, *, translate: bool) -> Response:
        """The response; one that is streamed takes what the request `holds` with it."""
        fields, file = await self._read_upload(request, holds)
        options = read_fields(fields)
        name = self._names.model(options.model, Task.TRANSCRIPTION)
        entry = find(name, Task.TRANSCRIPTION, self._settings.transcription_model)
        options = _restrict_languages(options, entry, translate=translate)
        recognizer = await while_connected(request, self._models.recognizer(name))
        holds.enter_context(recognizer.held())
        if not recognizer.multilingual:  # which nobody knew of a repository
            options = _restrict_languages(
                options, replace(entry, languages=ENGLISH, can_translate=False), translate=translate
            )
        client_id = ClientId(request.state.account, request_id(request))
        recording = SpeechSegmenter(self._models.detector, options.detection, detected=options.detected)
        blocks = self._decoders.decoding(file, self._settings.max_upload_seconds)
        writing = OfflineTranscriber(recognizer, options.offline_options(translate=translate), client_id)
        work = TranscriptionJob(blocks, recording, writing, options, self._metrics, translate=translate)
        if options.stream:
            return await streamed(request, work.events(), holds, media_type=EVENTS)
        transcript = await while_connected(request, work.whole())
        return render(
            transcript,
            options.response_format,
            options.granularities,
            with_logprobs=options.logprobs,
            quoted=options.quoted,
        )

    async def _read_upload(self, request: Request, holds: AsyncExitStack) -> tuple[Fields, IO[bytes]]:
        """The fields and the recording, which is closed when the request `holds` nothing more."""
        max_bytes, timeout = self._settings.max_upload_bytes, self._settings.idle_timeout_seconds
        try:
            match media_type(request):
                case "multipart/form-data":
                    form = await read_form(bounded(request, max_bytes, timeout))
                    holds.push_async_callback(form.close)
                    return form_fields(form)
                case "application/json":
                    max_bytes = min(max_bytes, _MAX_JSON_FILE) * 4 // 3 + MAX_FIELD_BYTES
                    body = await bounded(request, max_bytes, timeout).body()
                    fields, file = await self._models.run_blocking(json_fields, body)
                    holds.callback(file.close)
                    return fields, file
                case _:
                    raise UnsupportedMediaType("Send the recording as multipart/form-data, with the audio in `file`.")
        except TooLarge as error:
            raise FileTooLarge(error.message, param="file") from error


class TranscriptionJob:
    """One recording on its way to a transcript."""

    def __init__(
        self,
        blocks: AbstractAsyncContextManager[AsyncGenerator[Samples, None]],
        recording: SpeechSegmenter,
        writing: OfflineTranscriber,
        options: TranscriptionForm,
        metrics: Metrics,
        *,
        translate: bool,
    ) -> None:
        self._translate = translate
        self._blocks = blocks
        self._recording = recording
        self._writing = writing
        self._options = options
        self._metrics = metrics
        self._passages: list[TranscribedSegment] = []

    async def whole(self) -> Transcript:
        async with aclosing(self._segments()) as segments:
            self._passages = [segment async for segment in segments]
        return self._transcript()

    async def events(self) -> AsyncGenerator[bytes, None]:
        with_logprobs = self._options.logprobs
        async with aclosing(self._segments()) as segments:
            async for segment in segments:
                yield delta(segment, first=not self._passages, with_logprobs=with_logprobs)
                self._passages.append(segment)
        yield done(self._transcript(), with_logprobs=with_logprobs)

    def _segments(self) -> AsyncGenerator[TranscribedSegment, None]:
        return self._writing.segments(self._speech_segments())

    async def _speech_segments(self) -> AsyncGenerator[SpeechSegment, None]:
        async with self._blocks as blocks:
            async for block in blocks:
                async for speech_segment in self._recording.add(block):
                    yield speech_segment
        async for speech_segment in self._recording.finish():
            yield speech_segment
        if self._recording.samples < _SHORTEST:
            raise AudioTooShort("Audio file is too short. Minimum audio length is 0.1 seconds.", param="file")

    def _transcript(self) -> Transcript:
        """The end of the work, and of what there is to count."""
        suppressed = tuple(sorted(self._writing.suppressed, key=attrgetter("start")))
        self._metrics.count_suppressed(each.reason for each in suppressed)
        return Transcript(
            tuple(self._passages),
            self._writing.language or "",
            self._recording.samples,
            translated=self._translate,
            suppressed=suppressed,
        )


def _restrict_languages(options: TranscriptionForm, entry: ModelEntry, *, translate: bool) -> TranscriptionForm:
    """The same for a recognizer that knows certain languages; one that knows a single one need not be told."""
    if translate and not entry.can_translate:
        raise UnsupportedModel(f"Model {entry.name} is not suitable for translations.", param="model")
    if not entry.languages:
        return options
    known = tuple(language for language in options.languages if language in entry.languages)
    if options.languages and not known:
        param = "language" if len(options.languages) == 1 else "languages"
        raise ClientError(f"{entry.name} is for other languages.", param=param)
    return replace(options, languages=entry.languages if len(entry.languages) == 1 else known)
