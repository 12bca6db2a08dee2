"""The application over scripted models, and a real uvicorn on this machine before it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import uvicorn
from starlette.applications import Starlette

from http_compat.errors import exception_handlers
from http_compat.middleware import MIDDLEWARE
from http_compat.routes import routes
from realtime.edge.metrics import Metrics
from realtime.media.decoding import Decoders
from realtime.settings import Settings
from tests.support.scripted_models import ScriptedModels

KEY: Final = "a-key"


def scripted_application(models: ScriptedModels, settings: Settings) -> Starlette:
    """What `realtime.app` makes, but for the websocket."""
    decoders = Decoders(at_once=settings.max_queued_uploads)
    return Starlette(
        routes=routes(models, settings, Metrics(dict), decoders),
        middleware=MIDDLEWARE,
        exception_handlers=cast("Any", exception_handlers),
    )


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """Serve until the block ends; yields the address, as in `http://127.0.0.1:8000`."""
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
