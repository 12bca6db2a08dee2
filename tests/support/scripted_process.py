"""The command `serve` in a process of its own, with scripted engines."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.realtime_service import eventually

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

serving.InstalledEngines = lambda *_, **__: globals()[sys.argv[1]]()
sys.exit(cli.main(sys.argv[2:]))
"""
LOG_SECONDS = 60.0
"""Seconds in which a line must be logged that a test waits for."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VIVAVOCE_")}


class Service:
    """The command `serve` in a process of its own, with scripted engines; its log has been read `until` here.

    It logs to a file, because it would wait for the reader of a pipe.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path, until: str) -> None:
        self._process = process
        self._file = log
        self.log = ""
        self.port = int(self.read_until(r"http://\S+:(\d+)"))
        self.read_until(f"({until})")

    def read_until(self, pattern: str) -> str:
        """Read the log up to a line with this pattern; return its first group."""
        line, found = re.compile(f".*?{pattern}.*\n"), None

        def look() -> bool:
            nonlocal found
            ended = self._process.poll() is not None
            found = line.search(self._file.read_text(), len(self.log))
            return ended or found is not None

        eventually(look, LOG_SECONDS)
        if found is None:
            pytest.fail(f"the service has not logged {pattern}:\n{self._file.read_text()}")
        self.log = found.string[: found.end()]
        return found[1]

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self, number: signal.Signals) -> int:
        """Send a signal; the exit code."""
        self.send(number)
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait for the process and return its exit code; the log has been read to its end."""
        code = self._process.wait(timeout=30)
        self.log = self._file.read_text()
        return code


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
    with (
        tempfile.NamedTemporaryFile() as log,
        subprocess.Popen(command, env=environment, stderr=log, pass_fds=pass_fds) as process,
    ):
        try:
            yield Service(process, Path(log.name), until)
        finally:
            process.kill()
