"""ASGI middleware around all HTTP endpoints."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_compat.errors import handle_voice_error, request_id
from realtime.errors import Overloaded

logger = logging.getLogger(__name__)


RESTART_RETRY_AFTER: Final = 30
"""Seconds after which a server that was stopped may be there again."""


class RequestIdMiddleware:
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


class LingeringCloseMiddleware:
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


class ShutdownMiddleware:
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
                stopping = Overloaded("The server is being stopped.", retry_after=RESTART_RETRY_AFTER)
                await (await handle_voice_error(Request(scope), stopping))(scope, receive, send)


MIDDLEWARE: Final = (
    Middleware(RequestIdMiddleware),
    Middleware(ShutdownMiddleware),
    Middleware(LingeringCloseMiddleware),
)
"""From the outside in."""
