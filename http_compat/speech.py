"""`POST /v1/audio/speech`: text to a spoken recording, whole or as it is made."""

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing, contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from http_compat.encoders import SpeechEncoder, SpeechFormat
from http_compat.errors import (
    InputTooLong,
    InvalidJson,
    InvalidType,
    MissingParameter,
    UnsupportedMediaType,
    UnsupportedValue,
)
from http_compat.requests import limited, while_connected
from realtime.audio import Samples
from realtime.catalogue import resolve_voice
from realtime.chunking import phrases
from realtime.errors import ClientError, Overloaded, UnknownVoice
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.models import Models, SynthesizerHandle

_ESCAPED_CHARACTER: Final = 12
r"""Bytes of the longest way to write one character in JSON: two escapes as in `\ud83d\ude00`."""

_OTHER_FIELDS: Final = 64 * 1024


class VoiceReference(msgspec.Struct, frozen=True):
    """A voice as an object, which is how OpenAI's clients name custom voices."""

    id: str


class SpeechBody(msgspec.Struct, frozen=True):
    """The JSON object of the request; fields this server has no use for are left alone."""

    model: str
    input: str | None = None
    text: str | None = None
    voice: str | VoiceReference | None = None
    response_format: str | None = None
    speed: Annotated[float, msgspec.Meta(ge=0.25, le=4.0)] | None = None
    stream: bool | None = None
    stream_format: Literal["audio", "sse"] | None = None


class Speech:
    """The endpoint. At most `max_sessions` requests are let in at a time; the next is told to come back."""

    def __init__(self, models: "Models", settings: Settings) -> None:
        self._models = models
        self._settings = settings
        self._let_in = 0

    async def create(self, request: Request) -> Response:
        # Another type, or none, is what any web page may send without asking first.
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise UnsupportedMediaType("Send a JSON object, with `Content-Type: application/json`.")
        with ExitStack() as place:
            place.enter_context(self._place())
            return await self._answer(request, place)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._let_in >= self._settings.max_sessions:
            raise Overloaded("Too many texts are being spoken.")
        self._let_in += 1
        try:
            yield
        finally:
            self._let_in -= 1

    async def _answer(self, request: Request, place: ExitStack) -> Response:
        """The response; one that is streamed takes the `place` with it."""
        max_bytes = self._settings.max_input_characters * _ESCAPED_CHARACTER + _OTHER_FIELDS
        body = read_body(await limited(request, max_bytes, self._settings.idle_seconds).body())
        text = self._text_to_speak(body)
        speech_format = _speech_format(body.response_format or SpeechFormat.MP3)
        if body.stream_format == "sse":
            raise UnsupportedValue("This server streams audio, not events.", param="stream_format")
        synthesizer = await while_connected(request, self._models.synthesizer(body.model))
        voice = resolve_voice(_voice_name(body.voice), synthesizer.voices)
        samples = _speak(synthesizer, text, voice, body.speed or 1.0)
        encoder = SpeechEncoder(speech_format, synthesizer.sample_rate, streaming=bool(body.stream))
        audio = self._encoded(samples, encoder)
        if body.stream:
            first = await while_connected(request, _first(audio))
            return _SpokenResponse(_resumed(first, audio), place.pop_all(), media_type=speech_format.media_type)
        whole = await while_connected(request, _collected(audio))
        return Response(whole, media_type=speech_format.media_type)

    def _text_to_speak(self, body: SpeechBody) -> str:
        """`text` is what early Xinference documentation called `input`."""
        text = body.text if body.input is None else body.input
        if text is None:
            raise MissingParameter("The text to speak is missing.", param="input")
        if len(text) > self._settings.max_input_characters:
            limit = self._settings.max_input_characters
            raise InputTooLong(f"String should have at most {limit} characters.", param="input")
        if not any(character.isalnum() for character in text):
            raise ClientError("There is nothing to speak in the text.", param="input")
        return text

    async def _encoded(
        self, samples: AsyncGenerator[Samples, None], encoder: SpeechEncoder
    ) -> AsyncGenerator[bytes, None]:
        """Yield the response's bytes, never an empty piece."""
        async with aclosing(samples):
            async for chunk in samples:
                if piece := await self._models.run_blocking(encoder.encode, chunk):
                    yield piece
        if piece := await self._models.run_blocking(encoder.finish):
            yield piece


def read_body(data: bytes) -> SpeechBody:
    """Read the request's JSON. Raises `ClientError`."""
    try:
        return msgspec.json.decode(data, type=SpeechBody)
    except msgspec.ValidationError as error:
        raise _invalid_field(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidJson("The body must be a JSON object in UTF-8.") from error


def _invalid_field(message: str) -> ClientError:
    """The error for what msgspec complains of; it puts the field's path at the end of the message."""
    if path := re.search(r" - at `\$\.(\w+)", message):
        param = path[1]
        if param == "voice":
            return UnknownVoice("The voice must be a name or an object with an id.", param=param)
        kind = InvalidType if "got" in message else ClientError
        return kind(f"{message[: path.start()]}.", param=param)
    if missing := re.search(r"missing required field `(\w+)`", message):
        return MissingParameter(f"`{missing[1]}` is missing.", param=missing[1])
    return InvalidJson("The body must be a JSON object.")


def _speech_format(value: str) -> SpeechFormat:
    if value not in set(SpeechFormat):
        raise UnsupportedValue(f"response_format must be one of {', '.join(SpeechFormat)}.", param="response_format")
    return SpeechFormat(value)


def _voice_name(voice: str | VoiceReference | None) -> str:
    return voice.id if isinstance(voice, VoiceReference) else voice or ""


async def _speak(
    synthesizer: "SynthesizerHandle", text: str, voice: str, speed: float
) -> AsyncGenerator[Samples, None]:
    for phrase in phrases(text):
        async with aclosing(synthesizer.synthesize(phrase, voice, speed)) as chunks:
            async for chunk in chunks:
                yield chunk


async def _first(audio: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(audio, b"")


async def _collected(audio: AsyncGenerator[bytes, None]) -> bytes:
    async with aclosing(audio):
        return b"".join([piece async for piece in audio])


async def _resumed(first: bytes, audio: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(audio):
        yield first
        async for piece in audio:
            yield piece


class _SpokenResponse(StreamingResponse):
    """A body that is made while it is sent, and no longer than somebody listens.

    A failure midway propagates, so that the server breaks the connection off: a clean end would pass for the whole.
    When it is over, the `place` among the requests let in is free again.
    """

    def __init__(self, audio: AsyncGenerator[bytes, None], place: ExitStack, *, media_type: str) -> None:
        super().__init__(audio, media_type=media_type)
        self._audio = audio
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place:
            async with aclosing(self._audio):
                with suppress(ClientDisconnect):
                    await while_connected(Request(scope, receive), self.stream_response(send))
