"""A real server on the loopback interface, served by scripted engines as the command `serve` would serve it."""

import asyncio
import base64
import contextlib
import json
import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect

from realtime.audio.formats import Encoding, Samples, encode
from realtime.edge.websocket import RealtimeEndpoint
from realtime.engines.scripted import ScriptedEngines, say_numbers, silence
from realtime.models.models import Models
from realtime.server import Server, listening_socket
from realtime.settings import Settings

Message: TypeAlias = dict[str, Any]
RATE = 24_000
PATIENCE = 5.0

SILENT = logging.getLogger("silent")
"""For the clients of the tests, which would log what they send."""
SILENT.disabled = True


class Serving:
    """A server at work, and what can be seen of it from inside."""

    def __init__(
        self,
        server: Server,
        loop: asyncio.AbstractEventLoop,
        port: int,
        models: Models,
        engines: ScriptedEngines,
    ) -> None:
        self._server = server
        self._loop = loop
        self.port = port
        self.engines = engines
        self.url = f"ws://127.0.0.1:{port}/v1/realtime"
        app = server.config.app
        assert isinstance(app, Starlette)
        bound: Any = next(route.endpoint for route in app.routes if isinstance(route, WebSocketRoute))
        self._endpoint: RealtimeEndpoint = bound.func.__self__
        self.models = models

    @property
    def failure(self) -> BaseException | None:
        """For which the server has ended by itself."""
        return self._server.failure

    @property
    def sessions(self) -> int:
        return self._endpoint.sessions

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def metric(self, name: str, key: str = "", **labels: str) -> float:
        """What `GET /metrics` says of one of our names; 0 where it says nothing."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/metrics", headers={"authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        samples = [sample for family in families for sample in family.samples]
        return sum(each.value for each in samples if (each.name, each.labels) == (f"vivavoce_{name}", labels))

    def call(self, work: Coroutine[Any, Any, object]) -> object:
        """Await something in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def jobs(self) -> list[str]:
        """The tasks of sessions that are not done."""
        tasks = [repr(task) for task in asyncio.all_tasks(self._loop)]
        return [task for task in tasks if "Driver" in task or "Connection" in task]

    def stop(self, timeout: int = 5) -> None:
        """Ask the server to stop, as a signal would; what has not ended after `timeout` seconds is cut off."""
        self._server.config.timeout_graceful_shutdown = timeout
        self._server.should_exit = True

    @contextlib.contextmanager
    def session(self, query: str = "", **options: Any) -> Iterator["Client"]:
        """An open session after its greeting; without a query, a conversation."""
        with connect(f"{self.url}?{query}", compression=None, logger=SILENT, **options) as socket:
            client = Client(socket)
            client.wait_for("session.created")
            yield client


@contextlib.contextmanager
def serving(engines: ScriptedEngines | None = None, *, ready: bool = True, **settings: Any) -> Iterator[Serving]:
    """Run a server; it has stopped, and its models are closed, when the block ends.

    When the block begins it is `ready`, or only listens.
    """
    engines = engines or ScriptedEngines()
    chosen = Settings(port=0, **settings)
    listener = listening_socket(chosen)
    models = Models(chosen, engines)
    server = Server(models, chosen)
    port = listener.getsockname()[1]
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=runner.run, args=(server.serve(sockets=[listener]),))
        thread.start()
        try:
            assert not ready or eventually(lambda: models.ready)
            yield Serving(server, loop, port, models, engines)
        finally:
            server.should_exit = True
            thread.join(15)
            listener.close()
            assert not thread.is_alive()


class Client:
    """Speaks the protocol word by word."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, message_type: str, **fields: object) -> None:
        self.socket.send(json.dumps({"type": message_type, **fields}))

    def send_audio(self, samples: Samples, *, binary: bool = False) -> None:
        """Send audio at `RATE` in frames of 100 ms."""
        data = encode(samples, Encoding.PCM16)
        for start in range(0, len(data), RATE // 5):
            frame = data[start : start + RATE // 5]
            if binary:
                self.socket.send(frame)
            else:
                self.send("input_audio_buffer.append", audio=base64.b64encode(frame).decode())

    def speak(self, text: str, **fields: object) -> None:
        self.send("response.create", response={"instructions": text, **fields})

    def receive(self) -> Message:
        message = json.loads(self.socket.recv(timeout=PATIENCE))
        assert isinstance(message, dict)
        return message

    def wait_for(self, message_type: str) -> Message:
        """The next message of this type; those before it are skipped."""
        return self.until(message_type)[-1]

    def until(self, message_type: str) -> list[Message]:
        """All messages up to the next one of this type."""
        messages = [self.receive()]
        while messages[-1]["type"] != message_type:
            messages.append(self.receive())
        return messages


def utterance(numbers: Sequence[int]) -> Samples:
    """These numbers at `RATE`, with the silence around them that makes an utterance."""
    return np.concatenate([silence(0.4, RATE), say_numbers(numbers, RATE), silence(0.8, RATE)])


def read_to_end(socket: ClientConnection) -> int:
    """The code with which the server closes, whatever it still says before."""
    try:
        while True:
            socket.recv(timeout=PATIENCE)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else CloseCode.ABNORMAL_CLOSURE


def eventually(condition: Callable[[], bool], timeout: float = PATIENCE) -> bool:
    """Whether something comes true in the server's threads in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True
