"""WAV files in place of a loudspeaker."""

import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from clients.aio import SAMPLE_RATE

BYTES_PER_SECOND = 2 * SAMPLE_RATE


@contextmanager
def open_wav(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Yield what writes to a WAV file of PCM16, mono, 24 kHz, which it creates or replaces with the first audio.

    Both raise `OSError`.
    """
    path.parent.stat()  # a folder that is missing is noticed at once
    file: wave.Wave_write | None = None
    with ExitStack() as stack:

        def write(pcm: bytes) -> None:
            nonlocal file
            if file is None:
                file = stack.enter_context(wave.open(stack.enter_context(path.open("wb")), "wb"))
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(SAMPLE_RATE)
            file.writeframesraw(pcm)

        yield write


class AudioFile:
    """A loudspeaker of conversations that writes what would have been heard, as time passes, without the pauses."""

    def __init__(self, write: Callable[[bytes], None], clock: Callable[[], float] = time.monotonic) -> None:
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
    """Yield a loudspeaker that writes the answers of a conversation to a file, as `open_wav`."""
    with open_wav(path) as write:
        file = AudioFile(write)
        try:
            yield file
        finally:
            file.stop()
