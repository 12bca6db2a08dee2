"""Uploads decoded to 16 kHz mono by child processes (`decoder.py`), block by block as the blocks are wanted.

A process decodes one upload and ends with it, so no upload can do anything to another, or learn of it. A few are
started before they are needed, because starting one takes longer than decoding a short recording. A child is believed
nothing: its records are bounded, the seconds it sends are counted here, and it is killed when it is late, when its
reader leaves, and after its last record. How it failed is all one to the client: the file cannot be decoded.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Final

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.errors import AudioTooLong, InvalidFileFormat, NoAudioStream, Overloaded, UnsupportedAudio
from realtime.media.decoder import BLOCK_BYTES, HEADER, Kind

logger = logging.getLogger(__name__)

_COMMAND: Final = (sys.executable, "-P", str(Path(__file__).with_name("decoder.py")))
_ENVIRONMENT: Final = ("PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What Python and PyAV may need to be found; the service's keys stay behind."""

_SPARES: Final = 2
_STUCK_SECONDS: Final = 10.0
_LEAST_PROCESSOR_SECONDS: Final = 20
_AUDIO_PER_PROCESSOR_SECOND: Final = 100
"""A slow processor decodes the costliest codec five times as fast."""

_REFUSALS: Final = {
    Kind.REFUSAL: UnsupportedAudio,
    Kind.FOREIGN: InvalidFileFormat,
    Kind.SOUNDLESS: NoAudioStream,
}

_FULL_SCALE: Final = np.float32(32_768)


class Decoders:
    """The decoding processes of one service: at most `at_once`, and the spare ones between `open` and `close`.

    A process that lets its reader wait for `stuck_seconds` is killed.
    """

    def __init__(self, *, at_once: int, stuck_seconds: float = _STUCK_SECONDS) -> None:
        self._at_once = at_once
        self._stuck_seconds = stuck_seconds
        self._running = 0
        self._wanted = 0
        self._spares: deque[_Child] = deque()

    def open(self) -> None:
        """Start the spare processes. Without them every file waits for its own."""
        self._wanted = _SPARES
        self._refill()

    def close(self) -> None:
        """End the spare processes; those that decode end with their readers."""
        self._wanted = 0
        while self._spares:
            self._spares.popleft().end()

    @asynccontextmanager
    async def decoding(self, file: IO[bytes], max_seconds: float) -> AsyncIterator[AsyncGenerator[Samples, None]]:
        """The first audio stream in blocks of 10 s, the last one shorter; little is decoded before it is wanted.

        The file must be one of the operating system, or become one when asked for its descriptor. One that breaks off
        yields what there is of it. Taking blocks raises `UnsupportedAudio` for what is not audio and `AudioTooLong`
        for more than `max_seconds`, before the first block where that can be told. `Overloaded` is raised beyond
        `at_once`.
        """
        if self._running >= self._at_once:
            raise Overloaded("Too many files are being decoded.")
        self._running += 1
        try:
            child = self._prepared()
            try:
                child.take(file, _LEAST_PROCESSOR_SECONDS + int(max_seconds / _AUDIO_PER_PROCESSOR_SECOND))
                yield self._blocks(child, max_seconds)
            finally:
                child.end()
        finally:
            self._running -= 1

    def _prepared(self) -> "_Child":
        while self._spares:
            child = self._spares.popleft()
            if child.alive:
                return child
            child.end()
        try:
            return _Child()
        except OSError as error:
            raise Overloaded("No process can be started now to decode the file.") from error

    def _refill(self) -> None:
        try:
            while len(self._spares) < self._wanted:
                self._spares.append(_Child())
        except OSError as error:
            logger.warning("no spare decoder can be started: %s", type(error).__name__)

    async def _blocks(self, child: "_Child", max_seconds: float) -> AsyncGenerator[Samples, None]:
        taken = 0
        while True:
            try:
                async with asyncio.timeout(self._stuck_seconds):
                    kind, payload = await child.record()
            except (TimeoutError, EOFError, ConnectionError) as failure:
                logger.warning("a decoder failed: %s, exit status %d", type(failure).__name__, child.end())
                raise UnsupportedAudio("The file cannot be decoded.", param="file") from None
            if kind is not Kind.LENGTH:
                self._refill()  # now, for a process that starts would have slowed down the one that begins
            match kind:
                case Kind.LENGTH:
                    seconds = float(int.from_bytes(payload))
                case Kind.AUDIO:
                    taken += len(payload) // 2
                    seconds = taken / SAMPLE_RATE
                case Kind.END:
                    return
                case _:
                    raise _REFUSALS[kind](payload.decode(errors="replace"), param="file")
            if seconds > max_seconds:
                raise AudioTooLong(f"The audio is longer than {max_seconds:g} seconds.", param="file")
            if kind is Kind.AUDIO:
                yield np.frombuffer(payload, np.int16, count=len(payload) // 2).astype(np.float32) / _FULL_SCALE


class _Child:
    """One process, and this end of its socket."""

    def __init__(self) -> None:
        self._link, link = socket.socketpair()
        self._link.setblocking(False)
        try:
            with link:
                self._process = subprocess.Popen(  # noqa: S603 - nothing in it is a client's
                    _COMMAND,
                    stdin=link.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                    process_group=0,  # an interrupt from the terminal is for the service to handle
                )
        except OSError:
            self._link.close()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def take(self, file: IO[bytes], processor_seconds: int) -> None:
        """Let it decode the file, for so long."""
        descriptor = file.fileno()
        file.flush()
        socket.send_fds(self._link, [b"%d" % processor_seconds], [descriptor])

    async def record(self) -> tuple[Kind, bytes]:
        """The next record. Raises `EOFError` or `ConnectionError` when there is none, or none that makes sense."""
        number, size = HEADER.unpack(await self._read(HEADER.size))
        if number not in set(Kind) or size > BLOCK_BYTES:
            raise EOFError
        return Kind(number), await self._read(size)

    async def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = await asyncio.get_running_loop().sock_recv(self._link, size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def end(self) -> int:
        """Kill it, which takes milliseconds, and return its exit status; again, the same status."""
        self._link.close()
        self._process.kill()
        return self._process.wait()
