"""One line of the log, and a span, for every HTTP request: method, route, status, duration, and seconds of audio.

Paths, queries, headers and the names of models and files are not logged: they may hold what should stay private.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_compat.errors import request_id
from realtime import spans

logger = logging.getLogger(__name__)

PROBES: Final = frozenset({"/health", "/livez", "/readyz", "/metrics"})
"""Routes that monitoring calls every few seconds; their requests are logged at the level DEBUG."""

_ROUTE: Final = "route"
_AUDIO_SECONDS: Final = "audio_seconds"


def note_route(request: HTTPConnection, template: str) -> None:
    """Remember the route of a request by its template, which holds nothing that the client sent."""
    request.scope["state"][_ROUTE] = template


def note_audio(request: HTTPConnection, seconds: Callable[[], float]) -> None:
    """Set the function that returns, at the end of a request, the seconds of audio transcribed or spoken."""
    request.scope["state"][_AUDIO_SECONDS] = seconds


class RequestLogMiddleware:
    """Middleware that logs each request when its response has been sent.

    The level is INFO, and DEBUG for `PROBES` and for what no route has answered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        began, status = time.monotonic(), 0

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._recorded(scope, receive, noting_send)
        finally:
            route = state.get(_ROUTE)
            logger.log(
                logging.DEBUG if route is None or route in PROBES else logging.INFO,
                "%s: %s, %.0f ms%s (%s)",
                "request without a route" if route is None else f"{scope['method']} {route}",
                status or "no response",
                1000 * (time.monotonic() - began),
                f", {state[_AUDIO_SECONDS]():.1f} s of audio" if _AUDIO_SECONDS in state else "",
                request_id(HTTPConnection(scope)),
            )

    async def _recorded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request within a span, unless it is one of `PROBES`."""
        if scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        with spans.span("HTTP", headers=Headers(scope=scope)) as recording:

            async def recording_send(message: Message) -> None:
                if recording is not None and message["type"] == "http.response.start":
                    recording.set_attribute("http.response.status_code", message["status"])
                    if route := scope["state"].get(_ROUTE):
                        recording.update_name(f"{scope['method']} {route}")
                await send(message)

            await self._app(scope, receive, recording_send)
