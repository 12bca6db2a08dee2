"""`POST /v1/speak`: a text to speech, streamed as it is made."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from http_compat.answer_headers import voice_header
from http_compat.deepgram.listen import REQUEST_ID_HEADER
from http_compat.disconnect import while_connected
from http_compat.errors import InputTooLong, MissingParameter, UnsupportedValue, request_id
from http_compat.limits import bounded, speech_limit
from http_compat.openai.speech_stream import SpeechStream
from http_compat.parsing.bodies import media_type, read_json
from http_compat.request_log import note_audio
from http_compat.streaming import streamed
from realtime.audio.formats import AudioFormat, Encoding
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import Task
from realtime.errors import NothingToSpeak
from realtime.media.encoders import SPEECH_AUDIO, SPEECH_RATE, SpeechFormat
from realtime.settings import Settings
from realtime.speech.phrases import has_words
from realtime.wire.deepgram.query import (
    RAW_ENCODINGS,
    InvalidQuery,
    Query,
    number,
    speed_of,
    text_of,
    voice_names,
    voice_of,
)
from realtime.wire.deepgram.transcripts import model_uuid
from realtime.workers.threads import BlockingCalls

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService

_COMPRESSED: Final = {
    "mp3": SpeechFormat.MP3,
    "opus": SpeechFormat.OPUS,
    "flac": SpeechFormat.FLAC,
    "aac": SpeechFormat.AAC,
}
"""Compressed encodings by Deepgram's names."""

_FLAC_RATES: Final = (8_000, 16_000, 22_050, 32_000, 48_000)
"""Sample rates of FLAC that can be asked for; those of MP3, Opus and AAC cannot."""

_BIT_RATES: Final = (8_000, 192_000)
"""Least and most bits per second."""

_BYTES_PER_CHARACTER: Final = 12
"""Bytes of the longest way to write one character in JSON."""

_OTHER_BYTES: Final = 64 * 1024
"""Bytes allowed for all but the text."""


class SpeakBody(msgspec.Struct, frozen=True):
    """The fields of the request; unknown fields are ignored."""

    text: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class SpeakFormat:
    """The format of the response. `audio` has the rate and, without compression, the encoding."""

    file: SpeechFormat
    media_type: str
    audio: AudioFormat = SPEECH_AUDIO
    bit_rate: int | None = None


class SpeakEndpoint:
    """The endpoint for texts, limited to `max_sessions` requests at a time."""

    def __init__(self, models: "ModelService", settings: Settings, names: ModelNames, threads: BlockingCalls) -> None:
        self._models = models
        self._settings = settings
        self._names = names
        self._threads = threads
        self._limit = speech_limit(settings)

    async def create(self, request: Request) -> Response:
        async with AsyncExitStack() as resources:
            resources.enter_context(self._limit.slot())
            return await self._respond(request, resources)

    async def _respond(self, request: Request, resources: AsyncExitStack) -> Response:
        """Return the response, which takes over the `resources` of the request."""
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        wanted, speed = read_format(query), speed_of(query)
        text = await self._text(request)
        entry = self._names.defaults[Task.SPEECH]
        for name in voice_names(query):
            entry = await while_connected(request, self._models.owner_of_voice(name, entry))
        asked, entry = entry, await while_connected(request, self._models.speaker(text, entry))
        lease = resources.enter_async_context(self._models.lease_synthesizer(entry))
        synthesizer = await while_connected(request, lease)
        language = await self._models.language_for(text, entry) if entry != asked else ""
        choose = partial(synthesizer.choose_voice, text=text, language=language)
        voice = voice_of(query, choose) or choose("") or synthesizer.voices[0]
        speech = SpeechStream(
            self._threads, synthesizer, text, voice, speed, wanted.file, streaming=True, audio=wanted.audio,
            bit_rate=wanted.bit_rate,
        )  # fmt: skip
        note_audio(request, lambda: speech.seconds)
        response = await streamed(request, speech.chunks(), resources, media_type=wanted.media_type)
        response.headers.update(
            {
                REQUEST_ID_HEADER: request_id(request),
                "dg-model-name": voice_header(voice),
                "dg-model-uuid": model_uuid(voice),
                "dg-char-count": str(len(text)),
            }
        )
        return response

    async def _text(self, request: Request) -> str:
        """Return the text to speak: of a JSON object, or the body itself if it is plain text. Raises `ClientError`."""
        limit = self._settings.max_input_characters
        max_bytes = limit * _BYTES_PER_CHARACTER + _OTHER_BYTES
        sent = bounded(request, max_bytes, self._settings.idle_timeout_seconds)
        if media_type(request) == "text/plain":
            body = SpeakBody((await sent.body()).decode(errors="replace"))
        else:
            body = await read_json(sent, SpeakBody)
        if body.text is None and body.url is not None:
            raise UnsupportedValue("A text at a `url` is not fetched. Send the text itself in `text`.", param="url")
        if body.text is None or not body.text.strip():
            raise MissingParameter("`text` is missing or empty.", param="text")
        if not has_words(body.text):
            raise NothingToSpeak(param="text")
        if len(body.text) > limit:
            raise InputTooLong(f"The text has more than {limit} characters.", param="text")
        return body.text


def read_format(query: Query) -> SpeakFormat:
    """Return the format that a query asks for. Raises `InvalidQuery`."""
    encoding, container = text_of(query, "encoding") or "mp3", text_of(query, "container").lower()
    rate, bits = number(query, "sample_rate"), number(query, "bit_rate")
    if (compressed := _COMPRESSED.get(encoding)) is not None:
        if compressed is SpeechFormat.FLAC and rate in _FLAC_RATES:
            return SpeakFormat(compressed, compressed.media_type, AudioFormat(Encoding.PCM16, rate))
        bit_rate = None if bits is None else min(max(bits, _BIT_RATES[0]), _BIT_RATES[1])
        return SpeakFormat(compressed, compressed.media_type, bit_rate=bit_rate)
    if encoding not in RAW_ENCODINGS:
        known = ", ".join([*RAW_ENCODINGS, *_COMPRESSED])
        raise InvalidQuery(f"`encoding` must be one of {known}.", param="encoding")
    if container not in ("", "wav", "none"):
        raise InvalidQuery(f"`container` must be wav or none for `encoding` {encoding}.", param="container")
    kind = RAW_ENCODINGS[encoding]
    default = SPEECH_RATE if kind is Encoding.PCM16 else 8_000
    audio = AudioFormat(kind, default if rate is None else rate)
    if container == "none":
        media = {"linear16": "l16", "mulaw": "mulaw", "alaw": "alaw"}[encoding]
        return SpeakFormat(SpeechFormat.PCM, f"audio/{media};rate={audio.sample_rate};channels=1", audio)
    return SpeakFormat(SpeechFormat.WAV, SpeechFormat.WAV.media_type, audio)
