"""Cross-origin requests of web pages (WHATWG Fetch, CORS protocol).

A browser lets a page of another origin read a response only if the response allows it, and asks first (a preflight
request) before it sends JSON or an API key. Which origins are allowed is decided by `realtime.edge.access`, as for
websockets.
"""

import logging
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from http_compat.answer_headers import ANSWER_HEADERS
from http_compat.errors import handle_voice_error
from realtime.edge.access import check_origin
from realtime.errors import Forbidden

logger = logging.getLogger(__name__)

EXPOSED_HEADERS: Final = ("x-request-id", "x-should-retry", "retry-after", *ANSWER_HEADERS)
"""Headers of responses that pages may read besides those that every page may."""


class CrossOriginMiddleware:
    """Middleware that lets pages of allowed origins read all responses, errors included.

    The preflight request of any other origin is answered with 403 and the name of the setting that allows origins; its
    ordinary requests are left to the endpoints, most of which refuse them.
    """

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str]) -> None:
        self._app = app
        self._allowed_origins = allowed_origins
        # By the time it is called, the origin has been found to be allowed.
        self._allowing = CORSMiddleware(
            app,
            allow_origin_regex=".*",
            allow_methods=["*"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=EXPOSED_HEADERS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            check_origin(headers, self._allowed_origins)
        except Forbidden as refusal:
            logger.info("%s", refusal.message)
            if scope["method"] != "OPTIONS":
                await self._app(scope, receive, send)
                return
            await (await handle_voice_error(Request(scope), refusal))(scope, receive, send)
        else:
            await self._allowing(scope, receive, send)
