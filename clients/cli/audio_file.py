"""Files in place of a loudspeaker, in the format that their names end with."""

import time
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Final, TypeAlias

from clients.aio import SAMPLE_RATE

BYTES_PER_SECOND = 2 * SAMPLE_RATE

Write: TypeAlias = Callable[[bytes], object]
"""Writes PCM16, mono. Raises `OSError`."""


@contextmanager
def open_recording(path: Path, rate: int = SAMPLE_RATE) -> Iterator[Write]:
    """Yield what writes PCM16, mono, at `rate` Hz to a file, which it creates or replaces with the first audio.

    Its suffix is one of `SUFFIXES`. Both raise `OSError`.
    """
    path.parent.stat()  # a folder that is missing is noticed at once
    writer: Write | None = None
    with ExitStack() as stack:

        def write(pcm: bytes) -> None:
            nonlocal writer
            if writer is None:
                file = stack.enter_context(path.open("wb"))
                writer = stack.enter_context(_WRITERS[path.suffix.lower()](file, rate))
            writer(pcm)

        yield write


@contextmanager
def _wav(file: IO[bytes], rate: int) -> Iterator[Write]:
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        yield writer.writeframesraw


@contextmanager
def _raw(file: IO[bytes], _rate: int) -> Iterator[Write]:
    yield file.write


@contextmanager
def _encoded(file: IO[bytes], rate: int, *, container: str, codec: str) -> Iterator[Write]:
    import av  # here, because few runs need it
    import numpy as np

    rates = av.Codec(codec, "w").audio_rates or [rate]
    with av.open(file, "w", format=container) as output:
        # Opus has no 22.05 kHz, the rate of many voices: PyAV resamples to the next higher one.
        encoded_rate = min((each for each in rates if each >= rate), default=max(rates))
        stream = output.add_stream(codec, rate=encoded_rate, layout="mono")
        assert isinstance(stream, av.AudioStream)

        def write(pcm: bytes) -> None:
            frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = rate
            output.mux(stream.encode(frame))

        yield write
        output.mux(stream.encode(None))


_WRITERS: Final[Mapping[str, Callable[[IO[bytes], int], AbstractContextManager[Write]]]] = {
    "": _wav,
    ".wav": _wav,
    ".pcm": _raw,
    ".mp3": partial(_encoded, container="mp3", codec="libmp3lame"),
    ".flac": partial(_encoded, container="flac", codec="flac"),
    ".opus": partial(_encoded, container="opus", codec="libopus"),
    ".ogg": partial(_encoded, container="ogg", codec="libopus"),
    ".aac": partial(_encoded, container="adts", codec="aac"),
    ".m4a": partial(_encoded, container="ipod", codec="aac"),
}

SUFFIXES: Final = tuple(_WRITERS)
"""Ends of names, each of a format that can be written; none means WAV."""


class AudioFile:
    """A loudspeaker of conversations that writes what would have been heard, as time passes, without the pauses."""

    def __init__(self, write: Write, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._waiting = bytearray()
        self._played_bytes = 0
        self._since = clock()

    @property
    def played_seconds(self) -> float:
        self._advance()
        return self._played_bytes / BYTES_PER_SECOND

    def play(self, pcm: bytes) -> None:
        self._advance()
        self._waiting += pcm

    def stop(self) -> None:
        self._advance()
        self._waiting.clear()

    def _advance(self) -> None:
        """Write what has been heard since the last look; while nothing is waiting, time is not counted."""
        now = self._clock()
        heard = self._waiting[: int((now - self._since) * SAMPLE_RATE) * 2]
        self._since = now
        if heard:
            self._write(bytes(heard))
            self._played_bytes += len(heard)
            del self._waiting[: len(heard)]


@contextmanager
def open_audio_file(path: Path) -> Iterator[AudioFile]:
    """Yield a loudspeaker that writes the answers of a conversation to a file, as `open_recording`."""
    with open_recording(path) as write:
        file = AudioFile(write)
        try:
            yield file
        finally:
            file.stop()
