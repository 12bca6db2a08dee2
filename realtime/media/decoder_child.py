"""A decoding process (`decoder_process.py`) as the service sees it: this end of the socket, and how it is ended.

The process is not trusted: what is wrong with a record is found here, and its owner bounds how much it may send and how
long it may take.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import IO, Final

from realtime.errors import Overloaded
from realtime.media.fork_server import ForkServer
from realtime.media.records import (
    ANY_TRACK,
    BLOCK_BYTES,
    CHUNK,
    HEADER,
    MAX_CHANNELS,
    MAX_NUMBER_BYTES,
    PID,
    REQUEST,
    Kind,
    Record,
)

logger = logging.getLogger(__name__)

NOT_STARTED: Final = "No process can be started to decode the audio."
"""Message to the client for whom no process can be forked."""

_FORK_TIMEOUT: Final = 8.0
"""Seconds after which a fork server that has not forked is taken to hang; starting takes 0.1 s, forking 2 ms. Less
than what a pool gives a process for a record."""


class DecoderChild:
    """One child process, and this end of the socket to it."""

    def __init__(self, server: ForkServer) -> None:
        """Have it forked. Raises `OSError`."""
        self._server = server
        self._number, self._socket = server.fork()
        self._pid: int | None = None
        """Once it has been received."""
        self._ended = False

    def start(self, file: IO[bytes], processor_seconds: int, track: int) -> None:
        """Have the process decode a track of `file`, within a budget of processor time.

        Raises `Overloaded` if it could not be forked.
        """
        descriptor = file.fileno()
        file.flush()
        with _refused():
            socket.send_fds(self._socket, [REQUEST.pack(processor_seconds, track)], [descriptor])

    def start_live(self, processor_seconds: int) -> None:
        """Have the process decode a live stream, within a budget of processor time.

        Raises `Overloaded` if it could not be forked.
        """
        with _refused():
            self._socket.send(REQUEST.pack(processor_seconds, ANY_TRACK))

    async def send_chunk(self, chunk: bytes) -> None:
        """Send a chunk of a live stream, of at most `MAX_CHUNK` bytes, once the process has answered the one before.

        Raises `ConnectionError` if the process has ended, and `Overloaded` if it could not be forked.
        """
        await self._begun()
        await asyncio.get_running_loop().sock_sendall(self._socket, CHUNK.pack(len(chunk)) + chunk)

    async def record(self) -> Record:
        """Return the next record.

        Raises:
            EOFError, ConnectionError: There is none, or it is malformed.
            Overloaded: The process could not be forked.
        """
        await self._begun()
        number, channels, size = HEADER.unpack(await self._read(HEADER.size))
        if number not in set(Kind) or channels > MAX_CHANNELS or size > BLOCK_BYTES * MAX_CHANNELS:
            raise EOFError
        if number in {Kind.LENGTH, Kind.SILENCE, Kind.DAMAGED} and size > MAX_NUMBER_BYTES:
            raise EOFError
        if number == Kind.AUDIO and (not channels or size % (2 * channels)):
            raise EOFError
        return Record(Kind(number), await self._read(size), channels)

    async def _begun(self) -> None:
        """Wait until the process has been forked. Raises `Overloaded` if it could not be."""
        if self._pid is None:
            try:
                with _refused():
                    async with asyncio.timeout(_FORK_TIMEOUT):
                        (self._pid,) = PID.unpack(await self._read(PID.size))
            except TimeoutError as error:
                logger.warning("the fork server of decoders hangs; it is replaced")
                self._server.kill()
                raise Overloaded(NOT_STARTED) from error

    async def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            received = await asyncio.get_running_loop().sock_recv(self._socket, size - len(data))
            if not received:
                raise EOFError
            data += received
        return bytes(data)

    def end(self) -> None:
        """Have the process killed, which takes a moment; may be called again."""
        if not self._ended:
            self._ended = True
            self._server.end(self._number, self._pid)
        self._socket.close()


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    """Raise `Overloaded` where the socket of a process turns out to be closed before it has sent its PID."""
    try:
        yield
    except (EOFError, ConnectionError) as error:
        raise Overloaded(NOT_STARTED) from error
