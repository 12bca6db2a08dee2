"""The default loudspeaker through PortAudio, which can be silenced at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from clients.microphone import SoundUnavailable, load_sounddevice
from clients.options import SAMPLE_RATE

BLOCK_SAMPLES: Final = SAMPLE_RATE * 20 // 1000
"""Samples that are played at a time: 20 ms, which is how soon `stop` is heard."""


class Speaker:
    """What is waiting to be played; a `Loudspeaker` of conversations. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._played_bytes = 0

    @property
    def played_seconds(self) -> float:
        return self._played_bytes / (2 * SAMPLE_RATE)

    def play(self, pcm: bytes) -> None:
        with self._lock:
            self._waiting += pcm

    def stop(self) -> None:
        with self._lock:
            self._waiting.clear()

    def fill(self, block: bytearray | memoryview) -> None:
        """Fill a block with what is played next, and with silence after it."""
        with self._lock:
            played = bytes(self._waiting[: len(block)])
            del self._waiting[: len(block)]
            self._played_bytes += len(played)
        block[:] = played.ljust(len(block), b"\0")


@contextmanager
def open_loudspeaker() -> Iterator[Speaker]:
    """Play while the block runs. Raises `SoundUnavailable`."""
    sounddevice = load_sounddevice()
    speaker = Speaker()

    def play(block: memoryview, *_: object) -> None:
        """Fill PortAudio's memory; called in PortAudio's thread."""
        speaker.fill(memoryview(block).cast("B"))

    try:
        stream = sounddevice.RawOutputStream(
            samplerate=SAMPLE_RATE, blocksize=BLOCK_SAMPLES, channels=1, dtype="int16", callback=play
        )
        stream.start()
    except sounddevice.PortAudioError as error:
        raise SoundUnavailable(f"needs a loudspeaker: {error}") from error
    try:
        yield speaker
    finally:
        stream.close()
