"""A connection that is opened again to the same session when it is lost, with the extension `resume` of the protocol.

Both sides count messages. What the server has not received is sent again, and the server sends again what has not
arrived here, so that the session above notices nothing but a pause. Without the extension, or where the session has
ended, the connection ends as any other.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from clients.backoff import delay_before, is_temporary
from clients.connection import server_closed
from clients.errors import ConnectionRefused, RealtimeError
from clients.events import Disconnected, Event, Payload, Reconnected

RESUME_SECONDS: Final = 60.0
"""Seconds after a loss in which a session is resumed by default; servers wait as long."""

MAX_KEPT_BYTES: Final = 8 * 1024 * 1024
"""Bytes of messages that are kept until the server has them: nearly three minutes of audio at 24 kHz.

While there is no connection, more has to wait. While there is one, the oldest is forgotten; a server that has not
received as much cannot be resumed, but one that works says every second what it has.
"""

ACKNOWLEDGED_BYTES: Final = 64 * 1024
"""Bytes of messages that are received before the server is told so: a fraction of what it keeps (2 MiB by default)."""

_LOST: Final = frozenset({1001, 1011, 1013, 1014})
"""Close codes after which a session may go on: a proxy or the server was going away, or did not keep up."""

_FORGOTTEN: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
"""Statuses with which a server says that it does not have the session, or not all of its messages."""

_NUMBER: Final = re.compile(r'\{\s*"x_sequence"\s*:\s*(\d+)')
_TYPE: Final = '"x.session.'

Reopen = Callable[[dict[str, str], str], Awaitable[ClientConnection]]
"""Opens a websocket with this query and token. Raises `ConnectionRefused`."""


class ResumableConnection:
    """A websocket, or several ones after another.

    Attributes:
        socket: The present one, or the last.
        lost_at: When it was lost, in the time of the event loop; None while there is one.
        forgotten: Whether a server has said that the session does not go on, as another one does after a crash.
        refusal: Why it could not be opened again to the same session, if that was tried.
        notify: Is called with `Disconnected` before each attempt to open it again, and with `Reconnected`.
    """

    def __init__(
        self,
        socket: ClientConnection,
        reopen: Reopen,
        *,
        seconds: float,
        open_timeout: float,
    ) -> None:
        """Begin with `socket`; resume within `seconds` of a loss."""
        self.socket = socket
        self.lost_at: float | None = None
        self.forgotten = False
        self.refusal: RealtimeError | None = None
        self.notify: Callable[[Event], None] = lambda _: None
        self._reopen = reopen
        self._seconds = seconds
        self._open_timeout = open_timeout
        self._offer: Payload | None = None
        self._keeps = seconds > 0
        self._kept: deque[str | bytes] = deque()
        self._kept_bytes = 0
        self._forgotten = 0  # messages before the kept ones
        self._sent = 0  # messages that the present websocket need not send any more
        self._received = 0  # number of the last message of the server
        self._unacknowledged = 0  # bytes received since the server was told of some
        self._acknowledging: asyncio.Task[None] | None = None
        self._order = asyncio.Lock()
        self._settled = asyncio.Event()  # there is a websocket, or there will be none
        self._settled.set()
        self._attempt: asyncio.Task[tuple[ClientConnection, Payload] | None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._end: ConnectionClosed | None = None
        self._closed = False

    async def send(self, message: str | bytes) -> None:
        """Send a message, or keep it until there is a connection again. Raises `ConnectionClosed` if there is none."""
        while self._kept_bytes >= MAX_KEPT_BYTES and not self._settled.is_set():
            await self._settled.wait()
        if self._end is not None:
            raise self._end
        if not self._keeps:
            await self.socket.send(message)
            return
        self._kept.append(message)
        self._kept_bytes += len(message)
        await self._send_kept()

    async def recv(self) -> str | bytes:
        """Return the next message of the session. Raises `ConnectionClosed` when there will be none."""
        while True:
            try:
                message = await self.socket.recv()
            except ConnectionClosed as closed:
                await self._resume(closed)
            else:
                self._count(message)
                if self._take(message):
                    return message

    async def close(self, code: int = 1000) -> None:
        """Close the connection, and do not open it again."""
        self._closed = True
        for task in (self._attempt, self._catching_up, self._acknowledging):
            if task is not None:
                task.cancel()
        await self.socket.close(code)

    def _count(self, message: str | bytes) -> None:
        """Count the bytes of a message, and tell the server of them when they are many."""
        self._unacknowledged += len(message)
        ready = self._acknowledging is None or self._acknowledging.done()
        if self._unacknowledged >= ACKNOWLEDGED_BYTES and self._offer is not None and ready:
            self._unacknowledged = 0
            self._acknowledging = asyncio.create_task(self._acknowledge())

    async def _acknowledge(self) -> None:
        with suppress(ConnectionClosed):  # what receives finds that out, too
            await self.send(json.dumps({"type": "x.session.received", "messages": self._received}))

    def _take(self, message: str | bytes) -> bool:
        """Count a message; return whether it is one of the session."""
        if isinstance(message, bytes):
            self._received += 1
            return True
        if number := _NUMBER.match(message):
            self._received = int(number[1])
        elif self._received == 0:
            self._forget_all()  # the server does not count: it cannot resume
        if not self._keeps or _TYPE not in message[:100]:
            return True
        event = json.loads(message)
        match event["type"]:
            case "x.session.resumable":
                self._offer = event
            case "x.session.received":
                self._forget(event["messages"])
            case _:
                return True
        return False

    def _forget_all(self) -> None:
        self._keeps = False
        self._kept.clear()
        self._kept_bytes = 0

    def _forget(self, messages: int) -> None:
        """Forget the messages up to this number, which the server has."""
        while self._forgotten < messages and self._kept:
            self._kept_bytes -= len(self._kept.popleft())
            self._forgotten += 1

    async def _send_kept(self) -> None:
        """Send in order what this websocket has not sent. Raises `ConnectionClosed` if that is the end."""
        async with self._order:
            while self._settled.is_set() and self._sent < self._forgotten + len(self._kept):
                socket = self.socket
                try:
                    await socket.send(self._kept[self._sent - self._forgotten])
                except ConnectionClosed as closed:
                    if not self._may_resume(closed):
                        raise
                    return  # what receives finds that out, too, and resumes
                if socket is self.socket:
                    self._sent += 1
            while self._kept_bytes > MAX_KEPT_BYTES and self._forgotten < self._sent:
                self._forget(self._forgotten + 1)

    def _may_resume(self, closed: ConnectionClosed) -> bool:
        return not self._closed and self._offer is not None and (closed.rcvd is None or closed.rcvd.code in _LOST)

    async def _resume(self, closed: ConnectionClosed) -> None:
        """Open the connection again. Raises `closed` if that is not possible."""
        resumed = None
        if self._offer is not None and self._may_resume(closed):
            self._settled.clear()
            self.lost_at = asyncio.get_running_loop().time()
            deadline = self.lost_at + min(self._seconds, self._offer["timeout_seconds"])
            self._attempt = asyncio.create_task(self._open_again(self._offer, server_closed(closed), deadline))
            try:
                await asyncio.wait([self._attempt])
            finally:
                self._attempt.cancel()
            resumed = None if self._attempt.cancelled() else self._attempt.result()
            if resumed is not None and self._closed:  # just before it was closed
                await resumed[0].close()
                resumed = None
        if resumed is None:
            self._end = closed
            self._settled.set()
            raise closed
        self.socket, answer = resumed
        self._forget(answer["messages"])
        self._sent = self._forgotten
        self.lost_at = None
        self._settled.set()
        self.notify(Reconnected(resumed=True))
        self._catching_up = asyncio.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        with suppress(ConnectionClosed):  # what receives finds that out, too
            await self._send_kept()

    async def _open_again(
        self, offer: Payload, error: RealtimeError, deadline: float
    ) -> tuple[ClientConnection, Payload] | None:
        """Return a websocket of the session and the first message, or None if the session does not go on."""
        attempt = 0
        while True:
            delay = delay_before(attempt, error)
            if not is_temporary(error) or asyncio.get_running_loop().time() + delay > deadline:
                self.refusal = error if attempt else None
                return None
            self.notify(Disconnected(str(error), delay, resumes=True))
            await asyncio.sleep(delay)
            try:
                resumed = await self._try(offer)
            except ConnectionRefused as failure:
                error, self.forgotten = failure, failure.status in _FORGOTTEN
                if self.forgotten:
                    error = ConnectionRefused("the server no longer has the session", failure.status, code=failure.code)
            except ConnectionClosed as closed:
                error = server_closed(closed)
            else:
                if resumed[1]["messages"] >= self._forgotten:
                    return resumed
                await resumed[0].close()
                return None
            attempt += 1

    async def _try(self, offer: Payload) -> tuple[ClientConnection, Payload]:
        query = {"resume": offer["session_id"], "last_event": str(self._received)}
        socket = await self._reopen(query, offer["token"])
        try:
            async with asyncio.timeout(self._open_timeout):
                answer = json.loads(await socket.recv())
        except BaseException as error:
            socket.transport.abort()
            if isinstance(error, TimeoutError):
                raise ConnectionRefused("the server did not resume the session in time") from None
            raise
        return socket, answer
