"""`POST /v1/audio/speech`: text to speech, as a whole file or streamed."""

import logging
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from http_compat.answer_headers import TEXT_LANGUAGE_HEADER, VOICE_HEADER, answered_by, voice_header
from http_compat.azure import names_deployment
from http_compat.disconnect import while_connected
from http_compat.errors import request_id
from http_compat.limits import speech_limit
from http_compat.openai.speech_stream import SpeechStream
from http_compat.openai.voice_clip import read_clip
from http_compat.parsing.speech_request import read_speech
from http_compat.request_log import note_audio
from http_compat.streaming import EVENTS, streamed
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ModelEntry, Task
from realtime.catalogue.voices import find_voice, resolve_voice
from realtime.media.decoder_pool import DecoderPool
from realtime.settings import Settings
from realtime.speech.style import SpeechStyle
from realtime.workers.threads import BlockingCalls

if TYPE_CHECKING:
    from realtime.models.protocols import AsyncSynthesizer, ModelService

logger = logging.getLogger(__name__)


class SpeechEndpoint:
    """The endpoint for speech, with the limit of `speech_limit`."""

    def __init__(
        self, models: "ModelService", settings: Settings, names: ModelNames, threads: BlockingCalls,
        decoders: DecoderPool,
    ) -> None:  # fmt: skip
        self._models = models
        self._decoders = decoders
        self._threads = threads
        self._settings = settings
        self._names = names
        self._limit = speech_limit(settings)

    async def create(self, request: Request) -> Response:
        async with AsyncExitStack() as resources:
            resources.enter_context(self._limit.slot())
            return await self._respond(request, resources)

    async def _respond(self, request: Request, resources: AsyncExitStack) -> Response:
        """Return the response; a streamed response takes over the `resources` of the request."""
        body = await read_speech(request, self._settings)
        text, speech_format = body.text_to_speak(self._settings.max_input_characters), body.speech_format
        entry = self._names.resolve(body.model, Task.SPEECH, chosen_freely=names_deployment(request))
        entry = await while_connected(request, self._models.owner_of_voice(body.voice_name, entry))
        speaker = await while_connected(request, self._models.speaker(text, entry))
        body.check_supported(speaker)
        clip = await read_clip(self._decoders, body.prompt_speech, body.clip_transcript)
        synthesizer = await self._leased(request, resources, speaker)
        asked = synthesizer if speaker == entry else await self._leased(request, resources, entry)
        spoken = await self._models.language_for(text, speaker) if speaker != entry else ""
        voice = self._voice(body.voice_name, text, spoken, synthesizer, asked.voices)
        speed = body.speed or 1.0
        as_events = body.stream_format == "sse"
        streaming = as_events or body.streamed
        style = SpeechStyle(body.how_to_speak, clip, streamed=streaming)
        speech = SpeechStream(
            self._threads, synthesizer, text, voice, speed, speech_format, streaming=streaming, style=style
        )
        note_audio(request, lambda: speech.seconds)
        resources.push_async_callback(speech.close)
        await speech.begin()
        language = await self._models.unspoken_language(text, speaker)
        if as_events:
            response = await streamed(request, speech.events(), resources, media_type=EVENTS)
        elif streaming:
            response = await streamed(request, speech.chunks(), resources, media_type=speech_format.media_type)
        else:
            response = Response(await while_connected(request, _whole(speech)), media_type=speech_format.media_type)
        if language:
            logger.warning(
                "%s: the text is in %s, which %s does not speak", request_id(request), language, speaker.name
            )
            response.headers[TEXT_LANGUAGE_HEADER] = language
        response.headers[VOICE_HEADER] = voice_header(voice)
        response.headers.update(
            answered_by(
                speaker.name,
                model=self._names.is_substituted(body.model),
                voice=all(find_voice(body.voice_name, model.voices) is None for model in (asked, synthesizer)),
            )
        )
        return response

    async def _leased(self, request: Request, resources: AsyncExitStack, entry: ModelEntry) -> "AsyncSynthesizer":
        lease = resources.enter_async_context(self._models.lease_synthesizer(entry))
        return await while_connected(request, lease)

    def _voice(self, name: str, text: str, language: str, speaker: "AsyncSynthesizer", asked: tuple[str, ...]) -> str:
        """Return the speaker's voice for a name, which may also mean one of the model that was `asked` for.

        For an unknown name it is the default; if the settings say so, that raises `UnknownVoice`.
        """
        voice = speaker.choose_voice(name, text, language)
        if voice is None and self._settings.unknown_names == "refuse":
            resolve_voice(name, asked)
        return voice or speaker.choose_voice("", text, language) or speaker.voices[0]


async def _whole(speech: SpeechStream) -> bytes:
    async with aclosing(speech.chunks()) as chunks:
        return b"".join([chunk async for chunk in chunks])
