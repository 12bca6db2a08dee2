"""Chromium, whose microphone is a WAV file; controlled through Chrome's DevTools protocol."""

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tests.support.browsers.page import LOADED, TIMEOUT, Page
from tests.support.realtime_service import eventually

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""Path of the browser, None where there is none."""


class ChromiumPage(Page):
    def visit(self, url: str) -> None:
        """Open another page in place of this one, without what this one has stored, and forget its problems."""
        self._call("Storage.clearDataForOrigin", origin=self.evaluate("origin"), storageTypes="all")
        self.evaluate("void (window.left = true)")
        self._call("Page.navigate", url=url)
        assert eventually(lambda: self.evaluate(f"!window.left && location.href === {url!r} && {LOADED}"), TIMEOUT)
        self.problems.clear()

    def evaluate(self, expression: str) -> Any:
        parameters = {"expression": expression, "userGesture": True, "returnByValue": True, "awaitPromise": True}
        result = self._call("Runtime.evaluate", **parameters)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def choose_file(self, selector: str, file: Path) -> None:
        document = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self._call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def start_microphone(self) -> None:
        pass  # it plays the recording as soon as the page opens it

    def open_tab(self, url: str) -> None:
        """Open another page beside this one."""
        self._call("Target.createTarget", url=url)

    def resize(self, width: int, height: int, scheme: str) -> None:
        """Give the page this size, and the user's preference for `light` or `dark`."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def memory(self) -> tuple[float, int]:
        """Return the megabytes of the JavaScript heap and the number of nodes, after the garbage has been collected."""
        self._call("HeapProfiler.collectGarbage")
        heap = self._call("Runtime.getHeapUsage")["usedSize"]
        return heap / 1e6, self._call("Memory.getDOMCounters")["nodes"]

    def busy_seconds(self) -> float:
        """Return the seconds that the page has spent on scripts, styles and layout."""
        self._call("Performance.enable")
        metrics = {each["name"]: each["value"] for each in self._call("Performance.getMetrics")["metrics"]}
        return float(metrics["ScriptDuration"] + metrics["RecalcStyleDuration"] + metrics["LayoutDuration"])

    def hide_scrollbars(self) -> None:
        self._call("Emulation.setScrollbarsHidden", hidden=True)

    def screenshot(self) -> str:
        """Return what the page shows, as PNG in base64."""
        return str(self._call("Page.captureScreenshot", format="png")["data"])

    def watch(self) -> None:
        """Begin to collect problems, those so far included."""
        self._call("Runtime.enable")
        self._call("Log.enable")

    def _note(self, event: dict[str, Any]) -> None:
        match event:
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error"} as entry}}:
                self.problems.append(f"{entry['text']} {entry.get('url', '')}")
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                self.problems.append(str(details))
            case {"method": "Runtime.consoleAPICalled", "params": {"type": "error" | "warning", "args": arguments}}:
                self.problems.append(str(arguments))


@contextlib.contextmanager
def browsed(url: str, microphone: Path | None, *options: str) -> Iterator[ChromiumPage]:
    """Open a page in a browser of its own, started with `options`, that plays `microphone` once as its microphone.

    Without a microphone, tabs that the page captures have their real sound.
    """
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
            f"--user-data-dir={profile}", *options, url,
        ]  # fmt: skip
        if microphone is not None:
            command[1:1] = [
                "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
            ]  # fmt: skip
        log = Path(profile) / "log"  # no pipe, whose reader the browser would wait for
        with log.open("wb") as output, subprocess.Popen(command, stderr=output) as browser:
            try:
                address = re.compile(r"ws://([^/]+)/devtools")
                assert eventually(lambda: address.search(log.read_text()) is not None, TIMEOUT), log.read_text()
                (host,) = address.findall(log.read_text())[:1]
                with connect(_page_address(host), max_size=None, compression=None) as socket:
                    page = ChromiumPage(socket)
                    page.watch()
                    assert eventually(lambda: page.evaluate(f"location.href === {url!r} && {LOADED}"), TIMEOUT)
                    yield page
            finally:
                browser.terminate()


def _page_address(host: str) -> str:
    """Return the address of the page's own websocket."""
    with urllib.request.urlopen(f"http://{host}/json/list", timeout=TIMEOUT) as answer:
        pages = [each for each in json.load(answer) if each["type"] == "page"]
    address: str = pages[0]["webSocketDebuggerUrl"]
    return address
