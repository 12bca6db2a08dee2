"""The default microphone, through PortAudio: PCM16 frames of 40 ms at 24 kHz, mono."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

SAMPLE_RATE: Final = 24_000
FRAME_SAMPLES: Final = SAMPLE_RATE * 40 // 1000
MAX_WAITING: Final = 250
"""Frames (10 s) that wait while the network stalls; after that the oldest are lost, and counted."""


class SoundUnavailable(Exception):
    """This machine cannot record or play: a library or a device is missing."""


def load_sounddevice() -> Any:  # noqa: ANN401 - the module has no types
    """Import the optional library. Raises `SoundUnavailable`, saying what to install."""
    try:
        import sounddevice
    except ImportError:
        raise SoundUnavailable("needs sounddevice: pip install sounddevice") from None
    except OSError as error:
        raise SoundUnavailable(f"needs the PortAudio library of the operating system: {error}") from error
    return sounddevice


class Microphone:
    """Frames as they are recorded; the iteration ends after `stop`, once those recorded before it are given.

    `lost` counts the frames that nobody took in time.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()  # bounded by `MAX_WAITING`
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True
        self._frames.put_nowait(None)

    def offer(self, frame: bytes) -> None:
        if self._stopped:
            return
        if self._frames.qsize() >= MAX_WAITING:
            self._frames.get_nowait()
            self.lost += 1
        self._frames.put_nowait(frame)

    def __aiter__(self) -> "Microphone":
        return self

    async def __anext__(self) -> bytes:
        frame = await self._frames.get()
        if frame is None:
            raise StopAsyncIteration
        return frame


@contextmanager
def open_microphone() -> Iterator[Microphone]:
    """Record while the block runs. Raises `SoundUnavailable`. To be called on the event loop that takes the frames."""
    sounddevice = load_sounddevice()
    microphone = Microphone()
    loop = asyncio.get_running_loop()

    def record(data: bytes, *_: object) -> None:
        """Runs in PortAudio's thread, and `data` is its memory, hence the copy."""
        loop.call_soon_threadsafe(microphone.offer, bytes(data))

    try:
        stream = sounddevice.RawInputStream(
            samplerate=SAMPLE_RATE, blocksize=FRAME_SAMPLES, channels=1, dtype="int16", callback=record
        )
        stream.start()
    except sounddevice.PortAudioError as error:
        raise SoundUnavailable(f"needs a microphone: {error}") from error
    try:
        yield microphone
    finally:
        stream.close()
