"""Replicas of the service: processes of their own, with scripted engines, that can be killed.

They are forked from one process that has imported everything, so that the next one is there within half a second.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.scripted_process import ENVIRONMENT

FORKING = """
import os, sys
from realtime.cli import main as cli, serve
from tests.support.scripted_engines import ScriptedEngines

serve.InstalledEngines = lambda *_: ScriptedEngines()
for _ in sys.stdin:
    if not (process_id := os.fork()):
        sys.exit(cli.main(["serve", "--port", "0"]))
    print(process_id, flush=True)
"""


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

    def _read_until(self, pattern: str) -> str:
        """Read the log of all replicas up to a line with this pattern; return its first group."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(pattern, line):
                return found[1]
        pytest.fail("the replicas ended")


@contextlib.contextmanager
def replicas() -> Iterator[Replicas]:
    """Kill all replicas when the block ends."""
    command = [sys.executable, "-c", FORKING]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            yield Replicas(process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
