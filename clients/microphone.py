"""The default microphone through PortAudio: mono PCM16 frames of 40 ms at 24 kHz."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

SAMPLE_RATE: Final = 24_000
"""Sample rate in Hz."""

FRAME_SAMPLES: Final = SAMPLE_RATE * 40 // 1000
"""Samples of one frame: 40 ms."""

MAX_WAITING: Final = 250
"""Frames (10 s) that are buffered while the network stalls; after that the oldest are dropped and counted."""


class SoundUnavailable(Exception):
    """This machine cannot record or play audio: a library or a device is missing."""


def load_sounddevice() -> ModuleType:
    """Import the optional library. Raises `SoundUnavailable` with what to install."""
    try:
        import sounddevice
    except ImportError:
        raise SoundUnavailable("needs sounddevice: pip install sounddevice") from None
    except OSError as error:
        raise SoundUnavailable(f"needs the PortAudio library of the operating system: {error}") from error
    return sounddevice


class Microphone:
    """Recorded frames as an asynchronous iterator, which ends after `stop` when the buffered frames have been read.

    `lost` counts the frames that were dropped because the buffer was full.
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
    """Record while the block runs; call it on the event loop that reads the frames. Raises `SoundUnavailable`."""
    sounddevice = load_sounddevice()
    microphone = Microphone()
    loop = asyncio.get_running_loop()

    def record(data: bytes, *_: object) -> None:
        """Copy a frame out of PortAudio's memory; called in PortAudio's thread."""
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
