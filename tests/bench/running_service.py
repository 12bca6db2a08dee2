"""The service as a process of its own, and what it costs: Linux only, read from /proc."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is ready, `seconds_to_ready` after its process was started."""

    address: str
    process_id: int
    seconds_to_ready: float

    @property
    def realtime_url(self) -> str:
        return f"ws://{self.address}/v1/realtime"

    def memory_mb(self) -> float:
        """Resident memory now, in millions of bytes."""
        pages = int(Path(f"/proc/{self.process_id}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_service() -> Iterator[RunningService]:
    """Start the service with its defaults and stop it afterwards. Raises `RuntimeError` where it does not start."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    command = [sys.executable, "-m", "realtime.cli", "serve", "--port", address.rpartition(":")[2]]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VIVAVOCE_")}
    started = time.monotonic()
    with subprocess.Popen(command, env=environment | {"VIVAVOCE_LOG_LEVEL": "warning"}) as process:
        try:
            while not _is_ready(address):
                if process.poll() is not None or time.monotonic() - started > START_SECONDS:
                    raise RuntimeError("the service did not start")
                time.sleep(0.02)
            yield RunningService(address, process.pid, time.monotonic() - started)
        finally:
            process.terminate()


def busy_seconds() -> float:
    """Processor time of the whole machine so far."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/readyz", timeout=START_SECONDS).is_success
    except httpx.TransportError:
        return False
