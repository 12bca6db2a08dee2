"""Firefox, controlled through WebDriver BiDi (W3C), with the devices of a PulseAudio server of its own.

Without a device to play on, Firefox never starts an AudioContext.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.browsers.page import TIMEOUT, Page
from tests.support.realtime_service import eventually

FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
"""Path of the browser, None where there is none."""

PULSEAUDIO = shutil.which("pulseaudio")

_PREFERENCES = {
    "media.navigator.permission.disabled": "true",
    "media.autoplay.default": "0",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "app.normandy.enabled": "false",
}


class FirefoxPage(Page):
    def __init__(self, socket: ClientConnection, player: list[str], environment: dict[str, str]) -> None:
        super().__init__(socket)
        self._player = player
        self._environment = environment
        self._playing: subprocess.Popen[bytes] | None = None
        self._call("session.new", capabilities={})
        self._call("session.subscribe", events=["log.entryAdded"])
        self._context = self._call("browsingContext.getTree")["contexts"][0]["context"]

    def visit(self, url: str) -> None:
        self._call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def start_microphone(self) -> None:
        self._playing = subprocess.Popen(self._player, env=self._environment, stderr=subprocess.DEVNULL)

    def stop_microphone(self) -> None:
        if self._playing is not None:
            self._playing.terminate()
            self._playing.wait()

    def evaluate(self, expression: str) -> Any:
        answer = self._call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])

    def choose_file(self, selector: str, file: Path) -> None:
        locator = {"type": "css", "value": selector}
        (node,) = self._call("browsingContext.locateNodes", context=self._context, locator=locator)["nodes"]
        element = {"sharedId": node["sharedId"]}
        self._call("input.setFiles", context=self._context, element=element, files=[str(file)])

    def _note(self, event: dict[str, Any]) -> None:
        entry = event.get("params", {})
        if entry.get("level") in {"error", "warn"}:
            self.problems.append(str(entry.get("text")))


@contextlib.contextmanager
def sound_server() -> Iterator[dict[str, str]]:
    """Run a PulseAudio server with a microphone and a loudspeaker; yields the environment of its clients.

    What is played on the device `speech` is heard by the microphone.
    """
    assert PULSEAUDIO is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        address = Path(directory) / "socket"
        modules = [
            "module-null-sink sink_name=loudspeaker rate=48000",
            "module-null-sink sink_name=speech rate=48000",
            "module-remap-source source_name=microphone master=speech.monitor",
            f"module-native-protocol-unix auth-anonymous=1 socket={address}",
        ]
        command = [PULSEAUDIO, "-n", "--daemonize=no", "--exit-idle-time=-1", "--log-level=error"]
        command += [argument for module in modules for argument in ("-L", module)]
        environment = {**os.environ, "XDG_RUNTIME_DIR": directory, "HOME": directory}
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
            try:
                assert eventually(address.exists, 10)
                yield {"PULSE_SERVER": f"unix:{address}", "PULSE_SINK": "loudspeaker", "PULSE_SOURCE": "microphone"}
            finally:
                server.terminate()


@contextlib.contextmanager
def browsed(url: str, microphone: Path) -> Iterator[FirefoxPage]:
    """Open a page in a browser of its own, whose microphone hears `microphone` once it is started."""
    assert FIREFOX is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory, sound_server() as devices:
        profile, log = Path(directory) / "profile", Path(directory) / "log"
        profile.mkdir()
        lines = (f'user_pref("{name}", {value});\n' for name, value in _PREFERENCES.items())
        (profile / "user.js").write_text("".join(lines))
        command = [FIREFOX, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
        environment = {**os.environ, **devices}
        with (
            log.open("wb") as output,
            subprocess.Popen(command, env=environment, stdout=output, stderr=output) as browser,
        ):
            try:
                assert eventually(lambda: _address(log) is not None, TIMEOUT)
                with connect(f"{_address(log)}/session", max_size=None, compression=None) as socket:
                    page = FirefoxPage(socket, ["paplay", "--device=speech", str(microphone)], environment)
                    try:
                        page.visit(url)
                        yield page
                    finally:
                        page.stop_microphone()
            finally:
                browser.terminate()


def _address(log: Path) -> str | None:
    found = re.search(r"ws://\S+", log.read_text(errors="replace"))
    return found[0] if found else None
