"""What the tests do with a page, whatever the browser."""

import itertools
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection

TIMEOUT = 30.0
"""Seconds for one command."""

LOADED = "document.readyState === 'complete'"


class Page(ABC):
    """A page of a browser."""

    problems: list[str]
    """Errors in the console, exceptions and violations of the page's policy, in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.problems = []

    @abstractmethod
    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, evaluated as if the user had just clicked."""

    @abstractmethod
    def choose_file(self, selector: str, file: Path) -> None:
        """Choose a file in an input of the page."""

    @abstractmethod
    def start_microphone(self) -> None:
        """Let the microphone, which the page has opened, hear the recording, if it does not already."""

    @abstractmethod
    def _note(self, event: dict[str, Any]) -> None:
        """Take an event of the browser; one that tells of a problem is added to `problems`."""

    def click(self, selector: str) -> None:
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def text(self, selector: str) -> str:
        """Return the visible text of an element, in one line."""
        return " ".join(str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")).split())

    def enter(self, selector: str, value: str) -> None:
        """Fill in a field."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(value)}")

    def choose(self, selector: str, value: str) -> None:
        """Choose an option, once there is one with this value."""
        self.evaluate(f"""(async () => {{
          const list = document.querySelector({json.dumps(selector)});
          do {{
            await new Promise((resolve) => setTimeout(resolve, 20));
            list.value = {json.dumps(value)};
          }} while (list.value !== {json.dumps(value)});
        }})()""")

    def _call(self, method: str, **parameters: object) -> Any:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv(timeout=TIMEOUT))).get("id") != number:
            self._note(answer)
        assert "error" not in answer, answer
        return answer["result"]
