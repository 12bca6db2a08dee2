"""An HTTP server on the loopback interface that answers chat completions with given bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from realtime.backends.backend import ChatBackend
from realtime.backends.client import ChatClient, ChatReport
from realtime.session.generation import ChatDelta, ChatMessage, ChatRequest, ChatRole
from realtime.settings import Settings

WAIT = 0.0
"""A pause in an answer that ends when the client is gone."""

Pieces: TypeAlias = Sequence["bytes | float"]
"""What a server sends: bytes, pauses in seconds, and `WAIT`."""

REQUEST = ChatRequest((ChatMessage(ChatRole.USER, "Hello"),))


def sse(*chunks: object, done: bool = True) -> bytes:
    """Return chunks as server-sent events."""
    events = [f"data: {json.dumps(each)}\n\n" for each in chunks] + ["data: [DONE]\n\n"] * done
    return "".join(events).encode()


def chunk(delta: object = None, finish_reason: str | None = None, **fields: object) -> dict[str, object]:
    """Return one chunk of a completion."""
    return {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish_reason}], **fields}


def answer(*texts: str) -> bytes:
    """Return a complete answer as OpenAI streams it."""
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": len(texts)}}
    return sse(
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": text}) for text in texts),
        chunk(finish_reason="stop"),
        usage,
    )


@dataclass(slots=True)
class Reply:
    """One response. Without a length the body ends with the connection."""

    body: bytes | Pieces = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})

    @property
    def pieces(self) -> Pieces:
        return [self.body] if isinstance(self.body, bytes) else self.body


@dataclass(slots=True)
class ChatServer:
    """A running server. The n-th request gets the n-th reply, later ones the last; None resets the connection."""

    replies: Sequence[Reply | None]
    port: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request has come."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has closed its connection during an answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:-2]
                self.headers.append(
                    {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
                )
                length = int(self.headers[-1]["content-length"])
                self.bodies.append(json.loads(await reader.readexactly(length)))
                self.asked.set()
                reply = self.replies[min(len(self.bodies), len(self.replies)) - 1]
                if reply is None:
                    writer.transport.abort()
                    return
                await self._send(reply, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _send(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers = {**reply.headers, "transfer-encoding": "chunked"}
        head = f"HTTP/1.1 {reply.status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(head.encode() + b"\r\n")
        for piece in reply.pieces:
            if isinstance(piece, bytes):
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b"")
                await writer.drain()
            elif piece == WAIT:
                assert await reader.read() == b""
                self.gone.set()
                return
            else:
                await asyncio.sleep(piece)
        writer.write(b"0\r\n\r\n")
        await writer.drain()


@asynccontextmanager
async def chat_server(*replies: Reply | bytes | None) -> AsyncIterator[ChatServer]:
    """Run a server until the block ends."""
    server = ChatServer([Reply(each) if isinstance(each, bytes) else each for each in replies])
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 24)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server
        listener.close()


@asynccontextmanager
async def chat_client(url: str, reports: list[ChatReport] | None = None, **settings: Any) -> AsyncIterator[ChatClient]:
    """Make a client of this server."""
    reports = [] if reports is None else reports
    client = ChatClient(Settings(chat_base_url=url, **settings), reports.append)
    try:
        yield client
    finally:
        await client.aclose()


async def deltas_of(backend: ChatBackend, request: ChatRequest = REQUEST) -> list[ChatDelta]:
    """Return the deltas of an answer."""
    async with backend.stream(request) as deltas:
        return [delta async for delta in deltas]
