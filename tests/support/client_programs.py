"""Clients as they are in the field, each in a process of its own that does what a test tells it to.

One test can so be of all clients: `@by(*OPENAI, CURL)` is for those in whose hands it makes sense.
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
EVERYBODY: Final = (*OPENAI, *XINFERENCES, CURL)

_PATIENCE: Final = 30.0

_RAISED: Final = {
    400: "BadRequestError",
    401: "AuthenticationError",
    404: "NotFoundError",
    413: "APIStatusError",
    429: "RateLimitError",
    500: "InternalServerError",
    503: "InternalServerError",
}
"""By openai-python; Node's names are the same but for the one that stands for all others."""


def by(*clients: str) -> pytest.MarkDecorator:
    """Run a test with each of these clients as its `client`."""
    return pytest.mark.parametrize("client", clients, indirect=True)


class Refused(Exception):
    """What a client raised: the name of its class, and as much of the error as it knows."""

    def __init__(self, raised: str, message: str, **known: Any) -> None:
        super().__init__(f"{raised}: {message}")
        self.raised = raised
        self.message = message
        self.known = known


class Process:
    """One client, which answers a line of JSON with another."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self.busy = False

    def tell(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self.busy = True

    def hear(self) -> dict[str, Any]:
        """The next line: `begun` for the first piece of an answer, then the answer or what was `raised`."""
        said: dict[str, Any] = json.loads(self._lines.get(timeout=_PATIENCE))
        self.busy = "begun" in said
        return said

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        """Kill it and all that it has started."""
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
class Client:
    """A client and the server it speaks to. `retries` are those that OpenAI's clients make by themselves."""

    name: str
    process: Process
    address: str
    key: str | None
    retries: int = 0

    def begin(self, task: str, **arguments: Any) -> None:
        """Have it do something; see `TASKS` in each client's program."""
        order = {"task": task, "address": self.address, "key": self.key, "retries": self.retries}
        self.process.tell({**order, "arguments": arguments})

    def wait_for_first(self) -> None:
        """Wait until the first piece of what is streamed has come."""
        assert self.process.hear() == {"begun": True}

    def end(self) -> dict[str, Any]:
        """The `value` that was had in the end, and the `type` that the client made of it. Raises `Refused`."""
        while "begun" in (answer := self.process.hear()):
            pass
        if "raised" in answer:
            raise Refused(**answer)
        return answer

    def do(self, task: str, **arguments: Any) -> Any:
        """Begin it and wait for its value. Raises `Refused`."""
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
    """What a client got to hear, and of how many bytes each of its pieces was."""

    data: bytes
    pieces: list[int]


def speech(value: dict[str, Any]) -> Speech:
    return Speech(base64.b64decode(value["data"]), value["pieces"])


@contextmanager
def refused(client: Client, status: int, code: str, param: str | None, words: str) -> Iterator[None]:
    """Expect the client to raise an error that tells all it can: Xinference's clients know of the `words` alone."""
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
