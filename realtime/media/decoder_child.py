"""A decoding process (`decoder_process.py`) as the service sees it: this end of the socket, and how it is ended.

The process is not trusted: what is wrong with a record is found here, and its owner bounds how much it may send and how
long it may take.
"""

import asyncio
import socket
from typing import IO

from realtime.media.fork_server import ForkServer
from realtime.media.records import ANY_TRACK, BLOCK_BYTES, CHUNK, HEADER, MAX_CHANNELS, REQUEST, Kind, Record


class DecoderChild:
    """One child process, and this end of the socket to it."""

    def __init__(self, server: ForkServer) -> None:
        """Have it forked. Raises `OSError`."""
        self._server = server
        self._process, self._socket = server.fork()
        self._status: int | None = None

    def start(self, file: IO[bytes], processor_seconds: int, track: int) -> None:
        """Have the process decode a track of `file`, within a budget of processor time."""
        descriptor = file.fileno()
        file.flush()
        socket.send_fds(self._socket, [REQUEST.pack(processor_seconds, track)], [descriptor])

    def start_live(self, processor_seconds: int) -> None:
        """Have the process decode a live stream, within a budget of processor time."""
        self._socket.send(REQUEST.pack(processor_seconds, ANY_TRACK))

    async def send_chunk(self, chunk: bytes) -> None:
        """Send a chunk of a live stream, of at most `MAX_CHUNK` bytes, once the process has answered the one before.

        Raises `ConnectionError` if the process has ended.
        """
        await asyncio.get_running_loop().sock_sendall(self._socket, CHUNK.pack(len(chunk)) + chunk)

    async def record(self) -> Record:
        """Return the next record. Raises `EOFError` or `ConnectionError` if there is none, or it is malformed."""
        number, channels, size = HEADER.unpack(await self._read(HEADER.size))
        if number not in set(Kind) or channels > MAX_CHANNELS or size > BLOCK_BYTES * MAX_CHANNELS:
            raise EOFError
        if number == Kind.AUDIO and (not channels or size % (2 * channels)):
            raise EOFError
        return Record(Kind(number), await self._read(size), channels)

    async def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            received = await asyncio.get_running_loop().sock_recv(self._socket, size - len(data))
            if not received:
                raise EOFError
            data += received
        return bytes(data)

    def end(self) -> int:
        """Kill the process, which takes milliseconds, and return its exit status; may be called again."""
        self._socket.close()
        if self._status is None:
            self._status = self._server.end(self._process)
        return self._status
