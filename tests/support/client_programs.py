"""Published client packages, each in its own process, driven by tests.

`@by(*OPENAI, CURL)` runs a test with each of these clients.
"""

import base64
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

import pytest

PYTHON: Final = "openai-python"
PYTHON_1: Final = "openai-python 1.x"
NODE: Final = "openai-node"
XINFERENCE: Final = "xinference-client"
XINFERENCE_1: Final = "xinference-client 1.x"
XINFERENCE_ASYNC: Final = "xinference-client async"
CURL: Final = "curl"

OPENAI: Final = (PYTHON, PYTHON_1, NODE)
XINFERENCES: Final = (XINFERENCE, XINFERENCE_1, XINFERENCE_ASYNC)
ALL_CLIENTS: Final = (*OPENAI, *XINFERENCES, CURL)

_TIMEOUT: Final = 30.0

_RAISED: Final = {
    400: "BadRequestError",
    401: "AuthenticationError",
    404: "NotFoundError",
    413: "APIStatusError",
    429: "RateLimitError",
    500: "InternalServerError",
    503: "InternalServerError",
}
"""Exceptions of openai-python by status; Node has the same names, except for the general one."""


def by(*clients: str) -> pytest.MarkDecorator:
    """Run a test with each of these clients as its fixture `client`."""
    return pytest.mark.parametrize("client", clients, indirect=True)


class Refused(Exception):
    """An error that a client raised: the name of its class and the fields it exposes."""

    def __init__(self, raised: str, message: str, **known: Any) -> None:
        super().__init__(f"{raised}: {message}")
        self.raised = raised
        self.message = message
        self.known = known


class Process:
    """One client process, which answers a line of JSON with another."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self.busy = False

    def send(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self.busy = True

    def receive(self) -> dict[str, Any]:
        """Return the next line: `begun` at the first chunk of a stream, then the result or what was `raised`."""
        said: dict[str, Any] = json.loads(self._lines.get(timeout=_TIMEOUT))
        self.busy = "begun" in said
        return said

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        """Kill the process and its children."""
        if not self.ended:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._reading.join()
        with suppress(BrokenPipeError), self._process:
            pass

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put('{"raised": "", "message": "the client has ended"}')


@dataclass(frozen=True, slots=True)
class PublishedClient:
    """A client and its server. `retries` is the number of retries of OpenAI's clients."""

    name: str
    process: Process
    address: str
    key: str | None
    retries: int = 0

    def begin(self, task: str, **arguments: Any) -> None:
        """Start a task; see `TASKS` in each client's program."""
        order = {"task": task, "address": self.address, "key": self.key, "retries": self.retries}
        self.process.send({**order, "arguments": arguments})

    def wait_for_first(self) -> None:
        """Wait for the first chunk of a stream."""
        assert self.process.receive() == {"begun": True}

    def end(self) -> dict[str, Any]:
        """Return the result as `value` and its `type` in the client. Raises `Refused`."""
        while "begun" in (answer := self.process.receive()):
            pass
        if "raised" in answer:
            raise Refused(**answer)
        return answer

    def do(self, task: str, **arguments: Any) -> Any:
        """Run a task and return its value. Raises `Refused`."""
        self.begin(task, **arguments)
        return self.end().get("value")

    def transcribe(self, file: Path, **fields: Any) -> Any:
        return self.do("transcribe", file=str(file), **fields)

    def translate(self, file: Path, **fields: Any) -> Any:
        return self.do("translate", file=str(file), **fields)

    def speak(self, text: str = "Ten chars.", **fields: Any) -> "Speech":
        return speech(self.do("speak", input=text, **fields))


@dataclass(frozen=True, slots=True)
class Speech:
    """The audio that a client received, and the size of each chunk in bytes."""

    data: bytes
    chunks: list[int]


def speech(value: dict[str, Any]) -> Speech:
    return Speech(base64.b64decode(value["data"]), value["chunks"])


@contextmanager
def refused(client: PublishedClient, status: int, code: str, param: str | None, words: str) -> Iterator[None]:
    """Expect an error with all the fields that the client exposes; Xinference's clients have only a message."""
    with pytest.raises(Refused) as refusal:
        yield
    seen = refusal.value
    assert words in seen.message
    if client.name in XINFERENCES:
        assert seen.raised == "RuntimeError"
        return
    assert (seen.known["status"], seen.known["code"], seen.known["param"]) == (status, code, param)
    assert seen.known["id"].startswith("req_")
    if client.name != CURL:
        expected = _RAISED[status]
        assert seen.raised == ("APIError" if client.name == NODE and status == 413 else expected)
