"""What every request gets: an id, a hearing, a place, a body with bounds, and an answer, or an end to the work."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_compat.errors import BodyTimeout, QueueFull, request_id, voice_error
from realtime.errors import Overloaded, TooLarge

logger = logging.getLogger(__name__)

T = TypeVar("T")

BACK_AFTER: Final = 30
"""Seconds after which a server that was stopped may be there again."""


class RequestIds:
    """Middleware that puts the request's id on every answer, refusals of websockets too.

    The answers to bugs are made outside of it and carry their id already.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_id(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                MutableHeaders(scope=message)["x-request-id"] = request_id(HTTPConnection(scope))
            await send(message)

        await self._app(scope, receive, send_with_id)


class HearingOut:
    """Middleware for clients that have the connection closed after the answer: one that comes early waits for the body.

    They lose an answer that finds them still sending, for then the closed connection is all they see; others may send
    on. What is heard out is forgotten, and only so much of it: `max_bytes`, for `seconds`.
    """

    def __init__(self, app: ASGIApp, max_bytes: int = 64 * 1024 * 1024, seconds: float = 10.0) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._suits(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        coming = True

        async def receive_body() -> Message:
            nonlocal coming
            message = await receive()
            coming = message.get("more_body", False)
            return message

        async def hear_out() -> None:
            left = self._max_bytes
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    while coming and left > 0:
                        left -= len((await receive_body()).get("body", b""))

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                await hear_out()
            await send(message)

        await self._app(scope, receive_body, send_after_body)

    def _suits(self, headers: Headers) -> bool:
        """Whether the connection will be closed, and the body is on its way and not longer than it is worth."""
        closing = "close" in {each.strip().lower() for each in headers.get("connection", "").split(",")}
        length = headers.get("content-length", "")
        return closing and "expect" not in headers and not (length.isdecimal() and int(length) > self._max_bytes)


class Ending:
    """Middleware for requests that the end of the server cuts off: one that has no answer yet is told to come back.

    There is no time to hear its client out. An answer that has begun breaks off.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def send_and_note(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except asyncio.CancelledError:
            # The server is stopping and has waited long enough; uvicorn would log this as a bug.
            logger.warning("%s had to be cut off.", request_id(HTTPConnection(scope)))
            if not answered:
                stopping = Overloaded("The server is being stopped.", retry_after=BACK_AFTER)
                await (await voice_error(Request(scope), stopping))(scope, receive, send)


MIDDLEWARE: Final = (Middleware(RequestIds), Middleware(Ending), Middleware(HearingOut))
"""From the outside in."""


class Places:
    """For requests of one kind: at most `count` are let in at a time."""

    def __init__(self, count: int, full: str) -> None:
        """The next one is told that it is `full`."""
        self._free = count
        self._full = full

    @contextmanager
    def take(self) -> Iterator[None]:
        """Have a place until the block ends. Raises `QueueFull`."""
        if self._free <= 0:
            raise QueueFull(self._full)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a body may be: `bytes_per_second` on average, not counting its first `grace` seconds."""

    bytes_per_second: float
    grace: float

    def due(self, received: int) -> float:
        """Seconds after the beginning when there must be more than `received` bytes."""
        return self.grace + received / self.bytes_per_second


SLOWEST: Final = Pace(bytes_per_second=16_000, grace=30.0)
"""Half of what speech takes uncompressed."""


def limited(request: Request, max_bytes: int, idle_seconds: float, pace: Pace = SLOWEST) -> Request:
    """The same request, with a body of at most `max_bytes` whose every piece comes within `idle_seconds` and in `pace`.

    Raises `TooLarge` for a body that says it is; reading the body raises `TooLarge` or `BodyTimeout` where it is
    otherwise. The bytes are counted because a `Content-Length` may be absent. The connection stays open: with
    `Connection: close` Node's client reports a network error instead of the 413.
    """
    too_large = TooLarge(f"Maximum content size limit ({max_bytes}) exceeded.")
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise too_large
    received, began = 0, time.monotonic()

    async def receive() -> Message:
        nonlocal received
        left = began + pace.due(received) - time.monotonic()
        try:
            async with asyncio.timeout(min(idle_seconds, left)):
                message = await request.receive()
        except TimeoutError:
            raise BodyTimeout(
                f"Nothing more of the body has come for {idle_seconds:g} seconds."
                if idle_seconds <= left
                else f"The body comes more slowly than {pace.bytes_per_second:g} bytes a second."
            ) from None
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise too_large
        return message

    return Request(request.scope, receive)


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do `work` unless the client goes away first: then cancel it and raise `ClientDisconnect`.

    The request's body must have been read.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_departure(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
