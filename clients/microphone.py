"""A microphone through PortAudio: mono PCM16 frames of 40 ms at 24 kHz."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from clients.recorder import FRAME_SAMPLES, Recorder
from clients.sound_devices import SAMPLE_RATE, SoundUnavailable, UnknownDevice, load_sounddevice

__all__ = [
    "FRAME_SAMPLES", "MAX_WAITING", "SAMPLE_RATE", "Microphone", "SoundUnavailable", "UnknownDevice",
    "load_sounddevice", "open_microphone",
]  # fmt: skip

MAX_WAITING: Final = 300
"""Frames (12 s) that are buffered while the network stalls, or the server has not answered within the 10 s that it may
take; after that the oldest are dropped and counted."""


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
            self._frames.put_nowait(None)  # for whoever iterates again
            raise StopAsyncIteration
        return frame


@contextmanager
def open_microphone(
    device: str | None = None, notify: Callable[[str], object] = lambda _: None
) -> Iterator[Microphone]:
    """Record while the block runs; call it on the event loop that reads the frames.

    Where the device is unplugged, silence is recorded until it is there again, or for a while only if there is another
    default device.

    Args:
        device: Number or name of the device, or a part of its name. Default: the system's default device.
        notify: Called on the event loop with a line for the user when the device is gone, and when it is back.

    Raises:
        UnknownDevice: There is no such device, or there are several.
        SoundUnavailable: Nothing can be recorded.
    """
    microphone = Microphone()
    loop = asyncio.get_running_loop()
    recorder = Recorder(
        load_sounddevice(),
        device,
        lambda frame: loop.call_soon_threadsafe(microphone.offer, frame),
        lambda message: loop.call_soon_threadsafe(notify, message),
    )
    try:
        recorder.open()
        yield microphone
    finally:
        recorder.close()
