"""The ASGI application: websocket and HTTP endpoints on shared models, and the web page."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from http_compat.errors import exception_handlers
from http_compat.middleware import middleware, websocket_middleware
from http_compat.routes import routes
from realtime import spans
from realtime.backends.configured import configured_backend
from realtime.edge import page
from realtime.edge.announcement import announced
from realtime.edge.client_secrets import ClientSecrets
from realtime.edge.drain import Drain
from realtime.edge.handshakes import Handshakes
from realtime.edge.metrics import Metrics
from realtime.edge.rate_limits import RateLimits
from realtime.edge.sessions import Sessions
from realtime.edge.status import Status
from realtime.edge.websocket import RealtimeEndpoint
from realtime.edge.wyoming import WyomingListener
from realtime.media.decoder_pool import DecoderPool
from realtime.models.models import Models
from realtime.settings import Settings

logger = logging.getLogger("vivavoce")

SENDING_SECONDS: Final = 1.0
"""Seconds at the end of the service in which the last spans are sent; their receiver may be gone."""


class _Application(Starlette):
    """The ASGI application, in which websockets pass only the middleware that they need.

    They would hold memory in each of the others, for as long as they are open.
    """

    def __init__(self, websockets: ASGIApp, **options: Any) -> None:  # noqa: ANN401 - those of Starlette
        super().__init__(**options)
        self._websockets = websocket_middleware(websockets)

    def build_middleware_stack(self) -> ASGIApp:
        """Return what a connection passes."""
        stack = super().build_middleware_stack()

        def passed(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
            return (self._websockets if scope["type"] == "websocket" else stack)(scope, receive, send)

        return passed


def create_app(
    models: Models,
    settings: Settings,
    drain: Drain,
    on_failure: Callable[[BaseException], None],
    wyoming: socket.socket | None = None,
) -> Starlette:
    """Build the ASGI application, and serve Wyoming clients from the listening socket `wyoming` beside it.

    Its lifespan opens `models`, and closes them, the decoders of uploads and the chat backend. It serves requests while
    the default models are loading. If one of them cannot be loaded, `on_failure` is called with the exception. Once
    `drain` has begun it takes no more work. `state.metrics` has the metrics, `state.realtime` the endpoint of the
    websockets.
    """
    metrics = Metrics(lambda: models.schedulers, lambda: models.restarts)
    decoders = DecoderPool(max_files=settings.max_concurrent_uploads, max_streams=settings.max_sessions)
    chat = configured_backend(settings, metrics.count_chat)
    status = Status(models, settings)
    sessions = Sessions(models, settings, metrics, status, drain, chat)
    handshakes = Handshakes(settings, lambda: models.voice_names, chat=chat is not None)
    secrets = ClientSecrets(handshakes)
    rates = RateLimits(settings)
    realtime = RealtimeEndpoint(settings, metrics, decoders, sessions, handshakes, secrets, rates)

    def opened(opening: "asyncio.Task[None]") -> None:
        if opening.cancelled():
            return
        if failure := opening.exception():
            on_failure(failure)
        else:
            logger.info("ready: %s", ", ".join(entry.name for entry in models.loaded()))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        exporting = contextlib.ExitStack()
        exporting.enter_context(spans.exported(os.environ))
        try:
            models.open().add_done_callback(opened)
            async with contextlib.AsyncExitStack() as listeners:
                watching = asyncio.create_task(status.watch())
                listeners.callback(watching.cancel)
                if wyoming is not None:
                    listener = WyomingListener(models, settings, metrics, sessions)
                    await listeners.enter_async_context(listener.listening(wyoming))
                    if settings.wyoming_zeroconf:
                        name = f"Vivavoce on {socket.gethostname()}"
                        await listeners.enter_async_context(announced(wyoming, name))
                yield
        finally:
            decoders.close()
            if chat is not None:
                await chat.aclose()
            await models.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(exporting.close), SENDING_SECONDS)

    app = _Application(
        realtime,
        routes=[
            *routes(models, settings, metrics, status, decoders, secrets, drain, rates),
            *page.routes(),
            *realtime.refusals(),
        ],
        middleware=middleware(settings, drain),
        exception_handlers=exception_handlers,
        lifespan=lifespan,
    )
    app.state.metrics = metrics
    app.state.realtime = realtime
    return app
