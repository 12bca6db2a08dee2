"""The whole service with scripted engines on the loopback interface, run as by the command `serve`."""

import asyncio
import base64
import contextlib
import json
import logging
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect

from realtime.audio.formats import Encoding, Samples, encode
from realtime.edge.drain import Drain
from realtime.edge.listening_sockets import listening_socket, wyoming_socket
from realtime.edge.service_manager import ServiceManager
from realtime.edge.websocket import RealtimeEndpoint
from realtime.models.models import Models
from realtime.server import Server
from realtime.settings import Settings
from tests.support.recordings import silence
from tests.support.scripted_engines import ScriptedEngines, say_numbers

Message: TypeAlias = dict[str, Any]
RATE = 24_000
TIMEOUT = 20.0
"""Seconds for what happens at once on an idle machine, so that it also happens in time on a busy one."""

OWNERS = ("Driver", "Connection", "Link", "Sender", "Attachment")
"""Classes of which methods run as tasks of a session."""

SILENT = logging.getLogger("silent")
"""Logger for websocket clients in tests, which would log what they send."""
SILENT.setLevel(logging.CRITICAL + 1)


class RealtimeService:
    """A running service and its internals."""

    def __init__(
        self,
        server: Server,
        loop: asyncio.AbstractEventLoop,
        port: int,
        models: Models,
        engines: ScriptedEngines,
        wyoming_port: int,
    ) -> None:
        self.wyoming_port = wyoming_port
        self._server = server
        self._loop = loop
        self.port = port
        self.engines = engines
        self.url = f"ws://127.0.0.1:{port}/v1/realtime"
        app = server.config.app
        assert isinstance(app, Starlette)
        self._endpoint: RealtimeEndpoint = app.state.realtime
        self.models = models

    @property
    def failure(self) -> BaseException | None:
        """The error that ended the server."""
        return self._server.failure

    @property
    def sessions(self) -> int:
        return self._endpoint.sessions.drain.sessions

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def metric(self, name: str, key: str = "", **labels: str) -> float:
        """Return a value of `GET /metrics`, without the prefix `vivavoce_`; 0 if it is absent."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/metrics", headers={"authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        samples = [sample for family in families for sample in family.samples]
        return sum(each.value for each in samples if (each.name, each.labels) == (f"vivavoce_{name}", labels))

    def call(self, work: Coroutine[Any, Any, object]) -> object:
        """Run a coroutine in the server's event loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine in the server's event loop, beside the server, which must end before that does."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def jobs(self) -> list[str]:
        """Return the unfinished tasks of sessions."""
        tasks = [repr(task) for task in asyncio.all_tasks(self._loop)]
        return [task for task in tasks if any(owner in task for owner in OWNERS)]

    @property
    def tasks(self) -> int:
        """The number of all unfinished tasks."""
        return len(asyncio.all_tasks(self._loop))

    def stop(self, timeout: int = 5) -> None:
        """Stop the server as a signal does; sessions that are open after `timeout` seconds are cut off."""
        self._server.config.timeout_graceful_shutdown = timeout
        self._server.should_exit = True

    def signal(self) -> None:
        """Send the server a signal, as by a supervisor."""
        self._server.handle_exit(signal.SIGTERM, None)

    def hand_over(self) -> None:
        """Start another process of this command, as SIGHUP does."""
        self._server.hand_over()

    @property
    def drain(self) -> Drain:
        return self._server.drain

    @contextlib.contextmanager
    def session(self, query: str = "", **options: Any) -> Iterator["ProtocolClient"]:
        """Open a session and read its greeting; without a query, it is a conversation."""
        with connect(f"{self.url}?{query}", compression=None, logger=SILENT, **options) as socket:
            client = ProtocolClient(socket)
            client.wait_for("session.created")
            yield client


@contextlib.contextmanager
def realtime_service(
    engines: ScriptedEngines | None = None,
    *,
    ready: bool = True,
    manager: ServiceManager | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    owns_process: bool = False,
    **settings: Any,
) -> Iterator[RealtimeService]:
    """Run the service, and stop it and close its models when the block ends.

    Unless `ready` is False, the models are loaded when the block begins. Unless the settings say otherwise, sessions
    that are open when it ends are cut off.
    """
    engines = engines or ScriptedEngines()
    chosen = Settings(port=0, **{"drain_timeout_seconds": 0, **settings})
    listener = listening_socket(chosen)
    wyoming = wyoming_socket(chosen)
    models = Models(chosen, engines)
    server = Server(models, chosen, wyoming, manager=manager, owns_process=owns_process)
    port = listener.getsockname()[1]
    wyoming_port = wyoming.getsockname()[1] if wyoming else 0
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=runner.run, args=(server.serve(sockets=[listener]),))
        thread.start()
        try:
            assert not ready or eventually(lambda: models.ready)
            yield RealtimeService(server, loop, port, models, engines, wyoming_port)
        finally:
            server.should_exit = True
            thread.join(2 * TIMEOUT)
            listener.close()
            if wyoming is not None:
                wyoming.close()
            assert not thread.is_alive()


class ProtocolClient:
    """A client that sends and receives single protocol messages."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.timeout = TIMEOUT

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

    def send_audio_until_closed(self, samples: Samples) -> None:
        """Send audio that ends the session, perhaps before all of it has been sent."""
        with contextlib.suppress(ConnectionClosed):
            self.send_audio(samples)

    def speak(self, text: str, **fields: object) -> None:
        part = {"type": "output_text", "text": text}
        message = {"type": "message", "role": "assistant", "content": [part]}
        self.send("response.create", response={"input": [message], **fields})

    def receive(self) -> Message:
        message = json.loads(self.socket.recv(timeout=self.timeout))
        assert isinstance(message, dict)
        return message

    def wait_for(self, message_type: str) -> Message:
        """Return the next message of this type; skip those before it."""
        return self.until(message_type)[-1]

    def until(self, message_type: str) -> list[Message]:
        """Return all messages up to the next one of this type."""
        messages = [self.receive()]
        while messages[-1]["type"] != message_type:
            messages.append(self.receive())
        return messages


def utterance(numbers: Sequence[int]) -> Samples:
    """Say numbers at `RATE`, with enough silence around them for an utterance."""
    return np.concatenate([silence(0.4, RATE), say_numbers(numbers, RATE), silence(0.8, RATE)])


def read_to_end(socket: ClientConnection) -> int:
    """Read until the server closes and return the close code."""
    try:
        while True:
            socket.recv(timeout=TIMEOUT)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else CloseCode.ABNORMAL_CLOSURE


def has_rested(traces: Path) -> bool:
    """Return whether a session has given memory back, the only one whose trace is in the directory."""
    (trace,) = traces.iterdir()
    return '"Rest"' in trace.read_text(encoding="utf-8")


def eventually(condition: Callable[[], bool], timeout: float = TIMEOUT) -> bool:
    """Return whether a condition becomes true before the timeout."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True
