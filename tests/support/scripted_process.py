"""The command `serve` in a process of its own, with scripted engines."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

import pytest

SCRIPTED = """
import sys, threading
from realtime.cli import main as cli, serving
from tests.support.scripted_engines import ScriptedEngines
from realtime.errors import EngineError

class Held(ScriptedEngines):
    def prepare(self, entry):
        threading.Event().wait()

class Broken(ScriptedEngines):
    def recognizer(self, entry):
        raise EngineError(f"{entry.name} is broken.")

serving.InstalledEngines = lambda *_: globals()[sys.argv[1]]()
sys.exit(cli.main(sys.argv[2:]))
"""
LOG_SECONDS = 60.0
"""Seconds in which a line must be logged that a test waits for."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VIVAVOCE_")}


class Service:
    """The command `serve` in a process of its own, with scripted engines; its log has been read `until` here."""

    def __init__(self, process: "subprocess.Popen[str]", until: str) -> None:
        self._process = process
        self.log = ""
        self.port = int(self.read_until(r"http://\S+:(\d+)"))
        self.read_until(f"({until})")

    def read_until(self, pattern: str) -> str:
        """Read the log up to a line with this pattern; return its first group. End a service that writes none."""
        assert self._process.stderr is not None
        patience = threading.Timer(LOG_SECONDS, self._process.kill)
        patience.start()
        try:
            for line in self._process.stderr:
                self.log += line
                if found := re.search(pattern, line):
                    return found[1]
        finally:
            patience.cancel()
        pytest.fail(f"the service ended without {pattern}:\n{self.log}")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self, number: signal.Signals) -> int:
        """Send a signal; the exit code."""
        self.send(number)
        return self.exit_code()

    def ended(self) -> int:
        """Wait for the process alone, which others outlive that write into the same log; the exit code."""
        return self._process.wait(timeout=30)

    def exit_code(self) -> int:
        """Wait for the process and return its exit code."""
        _, rest = self._process.communicate(timeout=30)
        self.log += rest
        return self._process.returncode


@contextlib.contextmanager
def service(
    *arguments: str,
    engines: str = "ScriptedEngines",
    until: str = "ready: ",
    pass_fds: Sequence[int] = (),
    prefix: Sequence[str] = (),
    **settings: str,
) -> Iterator[Service]:
    """Run the command, behind the `prefix` of a program that starts it, until the block ends."""
    environment = ENVIRONMENT | {f"VIVAVOCE_{name.upper()}": value for name, value in settings.items()}
    command = [*prefix, sys.executable, "-c", SCRIPTED, engines, "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, pass_fds=pass_fds) as process:
        try:
            yield Service(process, until)
        finally:
            process.kill()
