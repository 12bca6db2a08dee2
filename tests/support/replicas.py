"""Replicas of the service: processes of their own, with scripted engines, that can be killed.

They are forked from one process that has imported everything, so that the next one is there within half a second.
"""

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.scripted_process import ENVIRONMENT, LOG_SECONDS

FORKING = """
import os, sys
from realtime.cli import main as cli, serving
from tests.support.scripted_engines import ScriptedEngines

serving.InstalledEngines = lambda *_, **__: ScriptedEngines()
for _ in sys.stdin:
    if not (process_id := os.fork()):
        sys.exit(cli.main(["serve", "--port", "0"]))
    print(process_id, flush=True)
"""


STARTS = re.compile("listening on|ready: ")
"""What the lines of the log contain that a service writes when it starts."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A service that is ready."""

    process_id: int
    port: int

    def kill(self) -> None:
        """End it as a crash does."""
        os.kill(self.process_id, signal.SIGKILL)


class Replicas:
    """Starts replicas, one at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._started: queue.Queue[str] = queue.Queue()
        """The lines of the log with which services start. The others are dropped: a full pipe would stop a service."""
        self._following = threading.Thread(target=self._follow_log, daemon=True)
        self._following.start()

    def start(self) -> Replica:
        """Start a replica, and wait until it is ready."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("start\n")
        self._process.stdin.flush()
        process_id = int(self._process.stdout.readline())
        port = int(self._read_until(r"listening on http://\S+:(\d+)"))
        self._read_until("(ready: )")
        return Replica(process_id, port)

    def kill(self) -> None:
        """Kill all replicas, and read the log to its end, as it may not be closed before."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._following.join(LOG_SECONDS)

    def _read_until(self, pattern: str) -> str:
        """Read the log of all replicas up to a line with this pattern; return its first group."""
        while line := self._started.get(timeout=LOG_SECONDS):
            if found := re.search(pattern, line):
                return found[1]
        pytest.fail("the replicas ended")

    def _follow_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if STARTS.search(line):
                self._started.put(line)
        self._started.put("")


@contextlib.contextmanager
def replicas(**settings: str) -> Iterator[Replicas]:
    """Provide replicas with these settings, and kill them all when the block ends."""
    environment = ENVIRONMENT | {f"VIVAVOCE_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-c", FORKING]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        source = Replicas(process)
        try:
            yield source
        finally:
            source.kill()
