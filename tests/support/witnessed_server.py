"""A real server over scripted models that keeps what it has answered."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime.settings import Settings
from tests.support.real_server import running, scripted_application
from tests.support.scripted_models import ScriptedModels


@dataclass(frozen=True, slots=True)
class Answered:
    """What the server answered to one request."""

    path: str
    status: int
    headers: dict[str, str]


class Witness:
    """Middleware that keeps what was answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.answers: list[Answered] = []
        self.changed = threading.Condition()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {name.decode(): value.decode() for name, value in message["headers"]}
                with self.changed:
                    self.answers.append(Answered(scope["path"], message["status"], headers))
                    self.changed.notify_all()
            await send(message)

        await self._app(scope, receive, send_and_keep)


@dataclass(frozen=True, slots=True)
class Server:
    """A server, its models, and what it has answered in this test."""

    address: str
    models: ScriptedModels
    answers: list[Answered]
    changed: threading.Condition

    def wait_for(self, status: int, count: int) -> None:
        """Wait until this was answered so often."""
        with self.changed:
            assert self.changed.wait_for(lambda: [each.status for each in self.answers].count(status) >= count, 10)


@contextmanager
def serving(**settings: Any) -> Iterator[Server]:
    models = ScriptedModels()
    witness = Witness(scripted_application(models, Settings(**settings)))
    with running(cast("Any", witness)) as address:
        yield Server(address, models, witness.answers, witness.changed)
