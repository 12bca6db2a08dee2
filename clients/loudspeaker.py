"""The default loudspeaker through PortAudio, which can be silenced at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from clients.options import SAMPLE_RATE
from clients.sound_devices import SoundUnavailable, kept_open, load_sounddevice

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


class _Output:
    """The stream of the default device, which can be opened again."""

    def __init__(self, sounddevice: ModuleType, speaker: Speaker) -> None:
        self._sounddevice = sounddevice
        self._speaker = speaker
        self._stream: Any = None

    def open(self) -> None:
        def play(block: memoryview, *_: object) -> None:
            """Fill PortAudio's memory; called in PortAudio's thread."""
            self._speaker.fill(memoryview(block).cast("B"))

        try:
            self._stream = self._sounddevice.RawOutputStream(
                samplerate=SAMPLE_RATE, blocksize=BLOCK_SAMPLES, channels=1, dtype="int16", callback=play
            )
            self._stream.start()
        except self._sounddevice.PortAudioError as error:
            self.close()
            raise SoundUnavailable(f"needs a loudspeaker: {error}") from error

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


@contextmanager
def open_loudspeaker() -> Iterator[Speaker]:
    """Play while the block runs. Raises `SoundUnavailable`."""
    speaker = Speaker()
    with kept_open(_Output(load_sounddevice(), speaker)):
        yield speaker
