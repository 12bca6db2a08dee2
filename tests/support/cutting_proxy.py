"""A TCP proxy on the loopback interface that cuts connections."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

_RESET: Final = struct.pack("ii", 1, 0)
"""`SO_LINGER` with which closing a socket resets its connection."""


class CuttingProxy:
    """Passes connections on to `port`; the n-th is reset after `cuts[n]` bytes from its client, later ones never."""

    def __init__(self, port: int, cuts: Sequence[int]) -> None:
        self._target = port
        self._cuts = list(cuts)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/realtime"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Reset all connections, and refuse further ones."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Reset all connections."""
        for writer in self._writers:
            connection: socket.socket = writer.get_extra_info("socket")
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bytes_left = self._cuts[self.connections] if self.connections < len(self._cuts) else None
        self.connections += 1
        to_client, to_server = writer, None
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers |= {to_client, to_server}
            answers = asyncio.create_task(_copy(from_server, to_client, None))
            await _copy(reader, to_server, bytes_left)
            if bytes_left is not None:
                self.cut()
            answers.cancel()
            await asyncio.wait([answers])
        finally:
            for each in (to_client, to_server):
                if each is not None:
                    self._writers.discard(each)
                    each.close()
                    with suppress(OSError):
                        await each.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_left: int | None) -> None:
    """Copy until the stream ends, or `bytes_left` have been copied."""
    with suppress(OSError):
        while bytes_left is None or bytes_left > 0:
            if not (data := await reader.read(4096 if bytes_left is None else min(4096, bytes_left))):
                break
            bytes_left = None if bytes_left is None else bytes_left - len(data)
            writer.write(data)
            await writer.drain()
        if bytes_left is None:
            writer.close()


@asynccontextmanager
async def cutting_proxy(port: int, *cuts: int) -> AsyncIterator[CuttingProxy]:
    """Run a proxy until the block ends."""
    proxy = CuttingProxy(port, cuts)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
