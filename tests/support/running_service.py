"""The service as a process of its own, with real models."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from realtime.environment import settings_from

START_SECONDS: Final = 60.0
"""Seconds in which the service must be ready."""

STOP_SECONDS: Final = 20.0
"""Seconds in which the service must end; it is killed after that."""

SERVE: Final = ("-m", "realtime.cli.main", "serve")
"""The module of the command, and its name."""


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that was ready `seconds_to_ready` after its process was started."""

    address: str
    process_id: int
    seconds_to_ready: float

    @property
    def realtime_url(self) -> str:
        return f"ws://{self.address}/v1/realtime"

    def memory_mb(self) -> float:
        """Return the resident memory of all processes, in millions of bytes."""
        return self._sum(lambda process: process.memory_info().rss) / 1e6

    def cpu_seconds(self) -> float:
        """Return the processor time of all processes so far, those that have ended among them."""
        return self._sum(lambda process: sum(process.cpu_times()[:4]))

    def _sum(self, figure: Callable[[psutil.Process], float]) -> float:
        """Add up a figure of the process of the service and of its children."""
        service = psutil.Process(self.process_id)
        total = figure(service)
        for child in service.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it has ended
                total += figure(child)
        return total


@contextmanager
def running_service(
    log: Path | None = None,
    port: int = 0,
    checkout: Path | None = None,
    program: Sequence[str] = SERVE,
    **settings: str,
) -> Iterator[RunningService]:
    """Run the service with these settings until the block ends; its output goes to `log`, if given.

    `port` 0 is a free one. `checkout` is the directory of another version to run, `program` what Python runs. Unless
    the settings say otherwise, the service has a second to drain and refuses no session because of its load: other
    tests may have the machine.

    Raises `RuntimeError` if the service does not start, or has ended before the block does.
    """
    with socket.create_server(("127.0.0.1", port)) as unused:
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    command = [sys.executable, *program, "--port", address.rpartition(":")[2]]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VIVAVOCE_")}
    settings = {"drain_timeout_seconds": "1", "load_limit": "1000", **settings}
    environment |= {f"VIVAVOCE_{name.upper()}": value for name, value in settings.items()}
    settings_from(environment)  # fails here rather than in the process
    if checkout is not None:
        environment["PYTHONPATH"] = str(checkout)
    started = time.monotonic()
    output = None if log is None else log.open("wb")
    with subprocess.Popen(command, cwd=checkout, env=environment, stdout=output, stderr=output) as process:
        try:
            while not _is_ready(address):
                if process.poll() is not None or time.monotonic() - started > START_SECONDS:
                    raise RuntimeError("the service did not start")
                time.sleep(0.02)  # a process does not signal that its port is open
            yield RunningService(address, process.pid, time.monotonic() - started)
            if process.poll() is not None:
                raise RuntimeError("the service has ended")
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            if output is not None:
                output.close()


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/readyz", timeout=START_SECONDS).is_success
    except httpx.TransportError:
        return False
