"""A real browser without a window, whose microphone is a WAV file; controlled through Chrome's DevTools protocol."""

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.realtime_service import eventually

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""Path of the browser, None where there is none."""

_TIMEOUT = 30.0
_LOADED = "document.readyState === 'complete'"


class Page:
    """A page of the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count()

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, evaluated as if the user had just clicked."""
        parameters = {"expression": expression, "userGesture": True, "returnByValue": True, "awaitPromise": True}
        result = self._call("Runtime.evaluate", **parameters)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def _call(self, method: str, **parameters: object) -> Any:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv(timeout=_TIMEOUT))).get("id") != number:
            pass
        return answer["result"]


@contextlib.contextmanager
def browsed(url: str, microphone: Path) -> Iterator[Page]:
    """Open a page in a browser of its own that plays `microphone` once as its microphone."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
            "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={microphone}%noloop", f"--user-data-dir={profile}", url,
        ]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as browser:
            try:
                assert browser.stderr is not None
                lines = (re.search(r"ws://([^/]+)/devtools", line) for line in browser.stderr)
                host = next(filter(None, lines))[1]
                with connect(_page_address(host), max_size=None, compression=None) as socket:
                    page = Page(socket)
                    assert eventually(lambda: page.evaluate(f"location.href === {url!r} && {_LOADED}"), _TIMEOUT)
                    yield page
            finally:
                browser.terminate()


def _page_address(host: str) -> str:
    """Return the address of the page's own websocket."""
    with urllib.request.urlopen(f"http://{host}/json/list", timeout=_TIMEOUT) as answer:
        pages = [each for each in json.load(answer) if each["type"] == "page"]
    address: str = pages[0]["webSocketDebuggerUrl"]
    return address
