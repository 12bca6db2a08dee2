"""`POST /v1/audio/speech`: text to a spoken recording, whole or as it is made."""

from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from http_compat.disconnect import while_connected
from http_compat.limits import ConcurrencyLimit
from http_compat.openai.speech_stream import SpeechStream
from http_compat.parsing.speech_request import read_speech
from http_compat.streaming import EVENTS, streamed
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import Task
from realtime.catalogue.voices import resolve_voice
from realtime.settings import Settings
from realtime.workers.threads import BlockingCalls

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService


class SpeechEndpoint:
    """The endpoint. At most `max_sessions` requests are let in at a time; the next is told to come back."""

    def __init__(self, models: "ModelService", settings: Settings, names: ModelNames, threads: BlockingCalls) -> None:
        self._models = models
        self._threads = threads
        self._settings = settings
        self._names = names
        self._limit = ConcurrencyLimit(settings.max_sessions, "Too many speech requests are in progress.")

    async def create(self, request: Request) -> Response:
        async with AsyncExitStack() as holds:
            holds.enter_context(self._limit.slot())
            return await self._answer(request, holds)

    async def _answer(self, request: Request, holds: AsyncExitStack) -> Response:
        """The response; one that is streamed takes what the request `holds` with it."""
        body = await read_speech(request, self._settings)
        text, speech_format = body.text_to_speak(self._settings.max_input_characters), body.speech_format
        entry = self._names.resolve(body.model, Task.SPEECH)
        lease = holds.enter_async_context(self._models.lease_synthesizer(entry))
        synthesizer = await while_connected(request, lease)
        body.check_supported(synthesizer.name, synthesizer.capabilities)
        voice, speed = resolve_voice(body.voice_name, synthesizer.voices), body.speed or 1.0
        as_events = body.stream_format == "sse"
        streaming = as_events or bool(body.stream)
        spoken = SpeechStream(self._threads, synthesizer, text, voice, speed, speech_format, streaming=streaming)
        if as_events:
            return await streamed(request, spoken.events(), holds, media_type=EVENTS)
        if streaming:
            return await streamed(request, spoken.pieces(), holds, media_type=speech_format.media_type)
        return Response(await while_connected(request, _whole(spoken)), media_type=speech_format.media_type)


async def _whole(spoken: SpeechStream) -> bytes:
    async with aclosing(spoken.pieces()) as pieces:
        return b"".join([piece async for piece in pieces])
