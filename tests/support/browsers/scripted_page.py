"""The page, served with a websocket that plays a script instead of a session."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from realtime.edge.listening_sockets import listening_socket
from realtime.edge.page import routes
from realtime.settings import Settings
from tests.support.realtime_service import eventually


async def _no_keys(_: Request) -> JSONResponse:
    return JSONResponse({"auth": False})


async def _nothing(_: Request) -> JSONResponse:
    return JSONResponse({"data": []})


@contextlib.contextmanager
def scripted_page(script: Callable[[WebSocket], Awaitable[None]]) -> Iterator[str]:
    """Serve the page until the block ends; yields its address.

    Each session answers the first message of its client, with which it is configured. Then it plays `script` until the
    client leaves, whose further messages are received and dropped.
    """

    async def play(socket: WebSocket) -> None:
        await socket.accept("realtime")
        if (await socket.receive())["type"] == "websocket.disconnect":
            return
        await socket.send_json({"type": "session.updated", "session": {}})
        playing = asyncio.ensure_future(script(socket))
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
        playing.cancel()
        await asyncio.wait([playing])

    answers: list[Any] = [Route("/v1/cluster/auth", _no_keys)]
    answers += [Route(path, _nothing) for path in ("/v1/models", "/v1/audio/voices")]
    app = Starlette(routes=[*routes(), *answers, WebSocketRoute("/v1/realtime", play)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, lifespan="off"))
    listener = listening_socket(Settings(port=0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert eventually(lambda: server.started, 10)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(15)
        listener.close()
        assert not thread.is_alive()
