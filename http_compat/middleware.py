"""ASGI middleware around all endpoints: paths, request ids, the log, unexpected errors, shutdown, lingering close."""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_compat.azure import AzurePathMiddleware
from http_compat.browsers import CrossOriginMiddleware
from http_compat.errors import handle_unexpected, handle_voice_error, request_id
from http_compat.request_log import RequestLogMiddleware
from realtime.edge.drain import Drain, Restarting
from realtime.settings import Settings

logger = logging.getLogger(__name__)

_IDLE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
"""Methods of requests that ask for no work of an engine."""


class SlashMiddleware:
    """Middleware that ignores slashes at the end of a path and doubled ones.

    Both come from joining a base URL and a path. A redirect would not do: many clients do not repeat a body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if "path" in scope:
            path = "/" + "/".join(part for part in scope["path"].split("/") if part)
            scope = scope if path == scope["path"] else {**scope, "path": path}
        return self._app(scope, receive, send)


class RequestIdMiddleware:
    """Middleware that adds `x-request-id` to every response, including refused websockets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        async def send_with_id(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                MutableHeaders(scope=message)["x-request-id"] = request_id(HTTPConnection(scope))
            await send(message)

        return self._app(scope, receive, send_with_id)


class LingeringCloseMiddleware:
    """Middleware that reads the rest of the body before a response after which the connection is closed.

    That is after the requests with `Connection: close`, and all requests once `drain` has begun. A client that is still
    sending when an early response arrives, such as a 413, would see only the closed connection and lose the response
    (nginx calls the remedy lingering close). The rest of the body is discarded; at most `max_bytes` are read, for at
    most `seconds`.
    """

    def __init__(self, app: ASGIApp, drain: Drain, max_bytes: int = 64 * 1024 * 1024, seconds: float = 10.0) -> None:
        self._app = app
        self._drain = drain
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        more_body = True

        async def receive_body() -> Message:
            nonlocal more_body
            message = await receive()
            more_body = message.get("more_body", False)
            return message

        async def discard() -> None:
            left = self._max_bytes
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    while more_body and left > 0:
                        left -= len((await receive_body()).get("body", b""))

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start" and self._applies(Headers(scope=scope)):
                await discard()
            await send(message)

        await self._app(scope, receive_body, send_after_body)

    def _applies(self, headers: Headers) -> bool:
        """Return whether the connection will be closed, and the body is being sent and not too long."""
        closing = "close" in {each.strip().lower() for each in headers.get("connection", "").split(",")}
        closing = closing or self._drain.begun
        length = headers.get("content-length", "")
        return closing and "expect" not in headers and not (length.isdecimal() and int(length) > self._max_bytes)


class ShutdownMiddleware:
    """Middleware for the end of the server, which `drain` begins.

    From then on connections are closed after the response, so that clients connect elsewhere. Requests that the
    shutdown cancels at last are answered with 503 and `retry-after`: the rest of the body is not read, and a response
    that has started is cut off.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self._app = app
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        responded = False

        async def tracking_send(message: Message) -> None:
            nonlocal responded
            responded = True
            if self._drain.begun and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        try:
            await self._app(scope, receive, tracking_send)
        except asyncio.CancelledError:
            # The grace period of the shutdown is over; uvicorn would log the cancellation as an error.
            logger.warning("%s was cancelled by the shutdown", request_id(HTTPConnection(scope)))
            if not responded:
                await (await handle_voice_error(Request(scope), Restarting()))(scope, receive, tracking_send)


class DrainMiddleware:
    """Middleware that answers new requests for work, all but GET, with 503 and `retry-after` once `drain` has begun."""

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self._app = app
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._drain.begun and scope["method"] not in _IDLE_METHODS:
            await (await handle_voice_error(Request(scope), Restarting()))(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def websocket_middleware(app: ASGIApp) -> ASGIApp:
    """Return an application for websockets with what they need of the middleware around it.

    What passes them on holds memory for as long as they are open, so these are functions that are not coroutines.
    """
    return SlashMiddleware(AzurePathMiddleware(RequestIdMiddleware(app)))


def middleware(settings: Settings, drain: Drain) -> list[Middleware]:
    """Return the argument `middleware` of `Starlette`, outermost first."""
    return [
        Middleware(SlashMiddleware),
        Middleware(AzurePathMiddleware),
        Middleware(RequestIdMiddleware),
        Middleware(RequestLogMiddleware),
        Middleware(CrossOriginMiddleware, allowed_origins=settings.allowed_origins),
        # Starlette's own is outside of these, so that its responses would have neither an id nor CORS headers.
        Middleware(ServerErrorMiddleware, handler=handle_unexpected),
        Middleware(ShutdownMiddleware, drain=drain),
        Middleware(LingeringCloseMiddleware, drain=drain),
        Middleware(DrainMiddleware, drain=drain),
    ]
