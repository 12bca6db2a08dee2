"""Text to encoded speech, chunk by chunk, as bytes or as OpenAI's events."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
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

MAX_SECONDS_AHEAD: Final = 10.0
"""Seconds of speech that wait for the client from which no further phrase is synthesized.

So much, and no more, a phrase may also be late: of a file that is sent when it is complete, which nobody hears
meanwhile, every phrase is synthesized within these seconds, however long live sessions keep the engine busy.
"""


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
        self._made: asyncio.Queue[Samples | None] = asyncio.Queue()
        """Speech that has not been taken, then None: at most a phrase and `MAX_SECONDS_AHEAD`."""
        self._made_seconds = 0.0
        self._taken = asyncio.Event()
        self._making: asyncio.Task[None] | None = None

    @property
    def seconds(self) -> float:
        """Return the duration of the audio so far."""
        return self._samples / self._synthesizer.sample_rate

    @property
    def usage(self) -> dict[str, int]:
        """Return OpenAI's usage object: a token for each character of text and for each 50 ms of audio."""
        characters, audio = len(self._text), self._samples * _TOKENS_PER_SECOND // self._synthesizer.sample_rate
        return {"input_tokens": characters, "output_tokens": audio, "total_tokens": characters + audio}

    async def begin(self) -> None:
        """Hand the first phrase to the voice, which speaks it meanwhile; `close` the stream then, iterated or not."""
        self._making = asyncio.create_task(self._make())
        self._making.add_done_callback(lambda _: self._made.put_nowait(None))
        await asyncio.sleep(0)  # the task has got as far as the voice

    async def close(self) -> None:
        """Make no more speech."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the file in chunks that are never empty.

        Raises:
            EngineError: The model failed.
            UnreadableText: The model finds nothing to speak in the text.
        """
        async with aclosing(self._speak()) as spoken:
            async for samples in spoken:
                self._samples += len(samples)
                if data := await self._call(partial(self._encoder.encode, samples)):
                    yield data
                await asyncio.sleep(0)  # lets other requests proceed where nothing above has waited
        if not self._samples:
            raise UnreadableText(param="input")
        if data := await self._call(self._encoder.finish):
            yield data

    async def _call(self, encode: Callable[[], bytes]) -> bytes:
        """Call the encoder, in a thread if that blocks."""
        return await self._threads.run(encode) if self._encoder.blocks else encode()

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Yield the chunks as OpenAI's events `speech.audio.delta`, then `speech.audio.done`. Raises as `chunks`."""
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                yield event({"type": "speech.audio.delta", "audio": chunk})
        yield event({"type": "speech.audio.done", "usage": self.usage})

    async def _speak(self) -> AsyncGenerator[Samples, None]:
        """Yield the speech. A client that takes it slowly holds no engine, and the next phrase is made meanwhile."""
        try:
            if self._making is None:
                await self.begin()
            while (chunk := await self._made.get()) is not None:
                self._taken.set()
                yield chunk
            assert self._making is not None
            await self._making
        finally:
            await self.close()

    async def _make(self) -> None:
        """Synthesize the phrases in order, each as urgently as a listener needs it who hears them from the first on.

        What nobody can hear yet is no more urgent than that, and waits no longer than `MAX_SECONDS_AHEAD`.
        """
        began = None
        for phrase in phrases(self._text):
            while self._made_seconds - self.seconds > MAX_SECONDS_AHEAD:
                self._taken.clear()
                await self._taken.wait()
            heard = 0.0 if began is None else time.monotonic() - began
            ahead = min(max(0.0, self._made_seconds - heard), MAX_SECONDS_AHEAD)
            style = replace(self._style, seconds_ahead=ahead)
            async with aclosing(self._synthesizer.synthesize(phrase, self._voice, self._speed, style)) as chunks:
                async for chunk in chunks:
                    began = began or time.monotonic()
                    self._made_seconds += len(chunk) / self._synthesizer.sample_rate
                    self._made.put_nowait(chunk)
