"""The service as a process of its own, and what it costs: Linux only, read from /proc."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import numpy as np

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
SAMPLING_SECONDS: Final = 0.5


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
def running_service(**settings: str) -> Iterator[RunningService]:
    """Start the service with its defaults but for `settings`, names as in `Settings`, and stop it afterwards.

    Raises `RuntimeError` where it does not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    command = [sys.executable, "-m", "realtime.cli.main", "serve", "--port", address.rpartition(":")[2]]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VIVAVOCE_")}
    environment |= {f"VIVAVOCE_{name.upper()}": value for name, value in {"log_level": "warning", **settings}.items()}
    started = time.monotonic()
    with subprocess.Popen(command, env=environment) as process:
        try:
            while not _is_ready(address):
                if process.poll() is not None or time.monotonic() - started > START_SECONDS:
                    raise RuntimeError("the service did not start")
                time.sleep(0.02)
            yield RunningService(address, process.pid, time.monotonic() - started)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@dataclass(slots=True)
class Cost:
    """What the service, this program and all others have used, read again and again; empty until the first reading."""

    times: list[float] = field(default_factory=list)
    """On the monotonic clock."""
    service_cpu: list[float] = field(default_factory=list)
    other_cpu: list[float] = field(default_factory=list)
    """Of the machine, without the service and this program."""
    memory_mb: list[float] = field(default_factory=list)

    def read(self, service: RunningService) -> None:
        cpu = service.cpu_seconds()
        self.times.append(time.monotonic())
        self.service_cpu.append(cpu)
        self.other_cpu.append(busy_seconds() - cpu - time.process_time())
        self.memory_mb.append(service.memory_mb())

    def cpu_seconds(self, start: float = -np.inf, end: float = np.inf) -> float:
        """Processor time of the service between two moments, or all of it."""
        early, late = np.interp([start, end], self.times, self.service_cpu)
        return float(late - early)

    def memory_at(self, moment: float) -> float:
        return float(np.interp(moment, self.times, self.memory_mb))

    @property
    def cores_of_others(self) -> float:
        return (self.other_cpu[-1] - self.other_cpu[0]) / (self.times[-1] - self.times[0])


@asynccontextmanager
async def watched(service: RunningService) -> AsyncIterator[Cost]:
    """Read the cost from the beginning of the block to its end."""
    cost = Cost()
    cost.read(service)

    async def watch() -> None:
        while True:
            await asyncio.sleep(SAMPLING_SECONDS)
            cost.read(service)

    watching = asyncio.create_task(watch())
    try:
        yield cost
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        cost.read(service)


def busy_seconds() -> float:
    """Processor time of the whole machine so far."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/readyz", timeout=START_SECONDS).is_success
    except httpx.TransportError:
        return False
