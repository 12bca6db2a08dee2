"""A decoding process (`decoder_process.py`) as the service sees it: this end of the socket, and how it is ended.

The process is not trusted: what is wrong with a record is found here, and its owner bounds how much it may send and how
long it may take.
"""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

from realtime.media.records import ANY_TRACK, BLOCK_BYTES, CHUNK, HEADER, MAX_CHANNELS, REQUEST, Kind, Record

_COMMAND: Final = (sys.executable, "-P", str(Path(__file__).with_name("decoder_process.py")))
_PACKAGES: Final = str(Path(__file__).parents[2])
"""Directory of the package `realtime`, of which the process imports a few modules."""

_ENVIRONMENT: Final = ("PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables Python and PyAV may need to be found; the keys of the service are not passed on."""


class DecoderChild:
    """One child process, and this end of the socket to it."""

    def __init__(self) -> None:
        self._socket, child_socket = socket.socketpair()
        self._socket.setblocking(False)
        try:
            with child_socket:
                self._process = subprocess.Popen(  # noqa: S603 - nothing in the command comes from a client
                    _COMMAND,
                    stdin=child_socket.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    process_group=0,  # an interrupt from the terminal is for the service to handle
                )
        except OSError:
            self._socket.close()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

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
        self._process.kill()
        return self._process.wait()


def _environment() -> dict[str, str]:
    """Return the environment of a process, in which this package comes before an installed one."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    paths = (_PACKAGES, environment.get("PYTHONPATH"))
    return {**environment, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
