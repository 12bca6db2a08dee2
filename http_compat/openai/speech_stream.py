"""Text to encoded speech, chunk by chunk, as bytes or as OpenAI's events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from http_compat.streaming import event
from realtime.audio.formats import AudioFormat, Samples
from realtime.errors import UnreadableText
from realtime.media.encoders import SPEECH_AUDIO, SpeechEncoder, SpeechFormat
from realtime.speech.phrases import phrases
from realtime.speech.style import PLAIN, SpeechStyle
from realtime.workers.threads import BlockingCalls

if TYPE_CHECKING:
    from realtime.models.protocols import AsyncSynthesizer

_TOKENS_PER_SECOND: Final = 20
"""Tokens reported for one second of audio: OpenAI's own rate, as the models here have no audio tokens."""


class SpeechStream:
    """The speech for one text in one format; iterate over `chunks` or `events`, once."""

    def __init__(
        self, threads: BlockingCalls, synthesizer: "AsyncSynthesizer", text: str, voice: str, speed: float,
        speech_format: SpeechFormat, *, streaming: bool, audio: AudioFormat = SPEECH_AUDIO, bit_rate: int | None = None,
        style: SpeechStyle = PLAIN,
    ) -> None:  # fmt: skip
        self._threads = threads
        self._synthesizer = synthesizer
        self._text = text
        self._voice = voice
        self._speed = speed
        self._style = style
        self._encoder = SpeechEncoder(
            speech_format, synthesizer.sample_rate, streaming=streaming, audio=audio, bit_rate=bit_rate
        )
        self._samples = 0

    @property
    def seconds(self) -> float:
        """Return the duration of the audio so far."""
        return self._samples / self._synthesizer.sample_rate

    @property
    def usage(self) -> dict[str, int]:
        """Return OpenAI's usage object: a token for each character of text and for each 50 ms of audio."""
        characters, audio = len(self._text), self._samples * _TOKENS_PER_SECOND // self._synthesizer.sample_rate
        return {"input_tokens": characters, "output_tokens": audio, "total_tokens": characters + audio}

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the file in chunks that are never empty.

        Raises:
            EngineError: The model failed.
            UnreadableText: The model finds nothing to speak in the text.
        """
        async with aclosing(self._speak()) as spoken:
            async for samples in spoken:
                self._samples += len(samples)
                if data := await self._threads.run(self._encoder.encode, samples):
                    yield data
        if not self._samples:
            raise UnreadableText(param="input")
        if data := await self._threads.run(self._encoder.finish):
            yield data

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Yield the chunks as OpenAI's events `speech.audio.delta`, then `speech.audio.done`. Raises as `chunks`."""
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                yield event({"type": "speech.audio.delta", "audio": chunk})
        yield event({"type": "speech.audio.done", "usage": self.usage})

    async def _speak(self) -> AsyncGenerator[Samples, None]:
        for phrase in phrases(self._text):
            async with aclosing(self._synthesizer.synthesize(phrase, self._voice, self._speed, self._style)) as chunks:
                async for chunk in chunks:
                    yield chunk
