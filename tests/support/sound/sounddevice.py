"""A stand-in for the package sounddevice on machines without sound.

The microphone hears the PCM file that `$TALK` names, and then the user presses Ctrl-C, unless `$TALK_ON` is set. The
loudspeaker is silent.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path


class PortAudioError(Exception):
    """Raised by the real package for devices that cannot be used; never here."""


class RawInputStream:
    """A microphone that delivers its whole recording at once."""

    def __init__(
        self,
        *,
        samplerate: int,
        blocksize: int,
        channels: int,
        dtype: str,
        callback: Callable[..., None],
        finished_callback: Callable[[], None],
    ) -> None:
        assert (samplerate, channels, dtype) == (24_000, 1, "int16")
        self._block_bytes = blocksize * 2
        self._callback = callback

    def start(self) -> None:
        recording = Path(os.environ["TALK"]).read_bytes()
        for start in range(0, len(recording), self._block_bytes):
            self._callback(recording[start : start + self._block_bytes], self._block_bytes // 2, None, None)
        if "TALK_ON" in os.environ:
            return
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)  # once the program listens for it

    def close(self) -> None:
        pass


class RawOutputStream:
    """A loudspeaker that takes everything at once, or never asks for the next block."""

    def __init__(
        self,
        *,
        samplerate: int,
        channels: int,
        dtype: str,
        blocksize: int = 0,
        callback: Callable[..., None] | None = None,
    ) -> None:
        assert (samplerate, channels, dtype) == (24_000, 1, "int16")

    def start(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        assert len(data) % 2 == 0

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass
