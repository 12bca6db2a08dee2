"""A text while it is spoken: one encoder's bytes, whole or as they are made, bare or as events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from http_compat.streaming import event
from realtime.audio.formats import Samples
from realtime.errors import ClientError
from realtime.media.encoders import SpeechEncoder, SpeechFormat
from realtime.speech.phrases import phrases
from realtime.workers.threads import BlockingCalls

if TYPE_CHECKING:
    from realtime.models.protocols import AsyncSynthesizer

_TOKENS_PER_SECOND: Final = 20
"""Audio has no tokens here; OpenAI's clients are told of as many as OpenAI counts in it."""


class SpeechStream:
    """One text, its voice and its encoder."""

    def __init__(
        self, threads: BlockingCalls, synthesizer: "AsyncSynthesizer", text: str, voice: str, speed: float,
        speech_format: SpeechFormat, *, streaming: bool,
    ) -> None:  # fmt: skip
        self._threads = threads
        self._synthesizer = synthesizer
        self._text = text
        self._voice = voice
        self._speed = speed
        self._encoder = SpeechEncoder(speech_format, synthesizer.sample_rate, streaming=streaming)
        self._samples = 0

    @property
    def usage(self) -> dict[str, int]:
        """OpenAI's fields: characters that were sent, and twentieths of a second that were spoken."""
        characters, audio = len(self._text), self._samples * _TOKENS_PER_SECOND // self._synthesizer.sample_rate
        return {"input_tokens": characters, "output_tokens": audio, "total_tokens": characters + audio}

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the file's bytes, never an empty piece. Raises `EngineError`, and `ClientError` for a silent text."""
        async with aclosing(self._speak()) as chunks:
            async for chunk in chunks:
                self._samples += len(chunk)
                if piece := await self._threads.run(self._encoder.encode, chunk):
                    yield piece
        if not self._samples:
            raise ClientError("The model has found nothing in the text that it can speak.", param="input")
        if piece := await self._threads.run(self._encoder.finish):
            yield piece

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Yield the pieces as OpenAI's events `speech.audio.delta`, and in the end `speech.audio.done`."""
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                yield event({"type": "speech.audio.delta", "audio": piece})
        yield event({"type": "speech.audio.done", "usage": self.usage})

    async def _speak(self) -> AsyncGenerator[Samples, None]:
        for phrase in phrases(self._text):
            async with aclosing(self._synthesizer.synthesize(phrase, self._voice, self._speed)) as chunks:
                async for chunk in chunks:
                    yield chunk
