"""The HTTP layer over scripted models, served by a real uvicorn on the loopback interface."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_compat.errors import exception_handlers
from http_compat.middleware import middleware
from http_compat.routes import routes
from realtime.catalogue.names import lookup
from realtime.catalogue.voices import VoiceNames
from realtime.edge.client_secrets import ClientSecrets
from realtime.edge.drain import Drain
from realtime.edge.handshakes import Handshakes
from realtime.edge.metrics import Metrics
from realtime.edge.rate_limits import RateLimits
from realtime.edge.status import Status
from realtime.media.decoder_pool import DecoderPool
from realtime.settings import Settings
from tests.support.scripted_models import ScriptedModels

KEY: Final = "a-key"


def scripted_application(models: ScriptedModels, settings: Settings) -> Starlette:
    """Build what `realtime.app` builds, without the websocket."""
    drain = Drain()
    decoders = DecoderPool(max_files=settings.max_concurrent_uploads)
    secrets = ClientSecrets(
        Handshakes(settings, lambda: VoiceNames(lookup("hibari-tts"), ("amber", "birch")), chat=False)
    )
    return Starlette(
        routes=routes(
            models, settings, Metrics(dict), Status(models, settings), decoders, secrets, drain, RateLimits(settings)
        ),
        middleware=middleware(settings, drain),
        exception_handlers=exception_handlers,
    )


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """Serve until the block ends; yield the address, such as `http://127.0.0.1:8000`."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """Status and headers of one response."""

    path: str
    status: int
    headers: dict[str, str]


class ResponseRecorder:
    """Middleware that records every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.responses: list[RecordedResponse] = []
        self.changed = threading.Condition()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_record(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {name.decode(): value.decode() for name, value in message["headers"]}
                with self.changed:
                    self.responses.append(RecordedResponse(scope["path"], message["status"], headers))
                    self.changed.notify_all()
            await send(message)

        await self._app(scope, receive, send_and_record)


@dataclass(frozen=True, slots=True)
class HttpService:
    """A running server, its models, and its responses so far."""

    address: str
    models: ScriptedModels
    responses: list[RecordedResponse]
    changed: threading.Condition

    def wait_for(self, status: int, count: int) -> None:
        """Wait until `count` responses have had this status."""
        with self.changed:
            assert self.changed.wait_for(lambda: [each.status for each in self.responses].count(status) >= count, 10)


@contextmanager
def http_service(**settings: Any) -> Iterator[HttpService]:
    """Run a server whose responses are recorded."""
    models = ScriptedModels()
    recorder = ResponseRecorder(scripted_application(models, Settings(**settings)))
    with listening(recorder) as address:
        yield HttpService(address, models, recorder.responses, recorder.changed)
