"""uvicorn's protocols with limits that uvicorn lacks: on the time and size of a request's head, and on cheap frames.

A head must arrive within `HEAD_SECONDS`, so that half a request holds no connection. Pings and continuation frames
without end cost the server memory: uvicorn 0.54 holds 192 MB of answers to 200 MB of pings of a client that reads none,
and 30 MB for 19 MB of empty fragments.
"""

import asyncio
from asyncio import BaseTransport, TimerHandle
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from realtime.edge.condition import Condition, Event

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent, ASGISendEvent

HEAD_SECONDS: Final = 8.0
"""Seconds in which the first line and the headers of a request must arrive, from its first byte on or, for the first
request of a connection, from its beginning on.

A thousand half requests are closed within 10 s of the last one, as a goal of docs/reliability.md says, also on a busy
machine: with 10 s it was 10.5 s.
"""

MAX_HEAD_BYTES: Final = 64 * 1024
"""Bytes of the first line and the headers. Servers usually allow 8 to 64 KiB; h11 allows 64 KiB."""

MAX_CONTROL_FRAMES: Final = 100
"""Pings and pongs that a client may send in a second. Clients send one every few seconds."""

MAX_FRAGMENTS: Final = 4096
"""Frames of one message: at the largest size of a message, 512 bytes in each. Clients send one, or some of 16 KiB."""


class GuardedHttpProtocol(HttpToolsProtocol):
    """An HTTP connection on which requests must begin in time."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - those of uvicorn
        super().__init__(*args, **options)
        self._timer: TimerHandle | None = None
        """What closes the connection when the head that is awaited has not come."""
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - differs between uvicorn's versions
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._end_wait()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._timer = self.loop.call_later(HEAD_SECONDS, self._refuse, b"408 Request Timeout")

    def _end_wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: bytes) -> None:
        """Close the connection; say why, if a request has begun."""
        self._end_wait()
        if not self.transport.is_closing():
            if self._head_bytes:
                self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()


class _Messages:
    """The messages that have been received, with what uvicorn uses of `asyncio.Queue`, which takes 3 kB when empty."""

    __slots__ = ("_arrived", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[ASGIReceiveEvent] | None = None
        """None where there are none, because an empty deque takes 0.7 kB."""
        self._arrived = Condition()

    def put_nowait(self, message: "ASGIReceiveEvent") -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(message)
        self._arrived.notify_all()

    async def get(self) -> "ASGIReceiveEvent":
        while self._waiting is None:
            await self._arrived.wait()
        message = self._waiting.popleft()
        self._waiting = self._waiting or None
        return message

    def empty(self) -> bool:
        return self._waiting is None


class GuardedWebSocketProtocol(WebSocketsSansIOProtocol):
    """A websocket that is closed with 1008 when its client floods it with cheap frames.

    It holds 10 kB less than that of uvicorn.
    """

    __slots__ = (
        "app", "app_state", "asgi_version", "client", "config", "conn", "connections", "default_headers", "logger",
        "loop", "queue", "root_path", "scheme", "scope", "server", "tasks", "transport", "writable",
    )  # fmt: skip
    """Most of uvicorn's attributes: with more than 30 others, a `__dict__` shares no keys and takes 1.5 kB."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - those of uvicorn
        super().__init__(*args, **options)
        self.queue = cast("asyncio.Queue[ASGIReceiveEvent]", _Messages())
        self.writable = cast("asyncio.Event", Event())
        self.writable.set()
        self._second = 0.0
        """When the second began in which control frames are counted."""
        self._control_frames = 0

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._second = self.loop.time()

    def start_keepalive(self) -> None:
        """Begin to send pings, when the handshake is complete. What it consisted of is no longer needed."""
        super().start_keepalive()
        self.request.headers.clear()  # which the parser holds, too
        del self.request, self.response

    async def send(self, message: "ASGISendEvent") -> None:
        """Send a message. Raises `ClientDisconnected`, where uvicorn blames the application, for one that is too late.

        That is after a violation of the protocol, or where the client has left before it was accepted (with TLS).
        """
        await self.writable.wait()
        if message["type"] == "websocket.send" and self.transport.is_closing():
            raise ClientDisconnected
        await super().send(message)

    def handle_ping(self) -> None:
        if self._counts_control_frame():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._counts_control_frame():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        if self.close_sent:
            return
        if len(self.frames) >= MAX_FRAGMENTS:
            self._violated("too many fragments")
        else:
            super().handle_cont(event)

    def _counts_control_frame(self) -> bool:
        """Count a control frame, and return whether to take it."""
        if self.close_sent:
            return False
        now = self.loop.time()
        if now - self._second >= 1.0:
            self._second, self._control_frames = now, 0
        self._control_frames += 1
        if self._control_frames <= MAX_CONTROL_FRAMES:
            return True
        self._violated("too many control frames")
        return False

    def _violated(self, reason: str) -> None:
        """Close the connection. What a client does not read is not kept for it."""
        self.frames = []
        self.conn.fail(CloseCode.POLICY_VIOLATION, reason)
        writable = self.writable.is_set()
        self.handle_parser_exception()
        if not writable:
            self.transport.abort()
