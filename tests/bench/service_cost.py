"""What the running service costs: processor time and memory. Linux only, read from /proc."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from tests.support.running_service import RunningService

SAMPLING_SECONDS: Final = 0.5
"""Seconds between two readings."""


@dataclass(slots=True)
class Cost:
    """Readings of what the service, this program and all others have used."""

    times: list[float] = field(default_factory=list)
    """Monotonic seconds of each reading."""
    service_cpu: list[float] = field(default_factory=list)
    other_cpu: list[float] = field(default_factory=list)
    """Processor time of the machine without the service and this program."""
    memory_mb: list[float] = field(default_factory=list)

    def read(self, service: RunningService) -> None:
        cpu = service.cpu_seconds()
        self.times.append(time.monotonic())
        self.service_cpu.append(cpu)
        self.other_cpu.append(busy_seconds() - cpu - time.process_time())
        self.memory_mb.append(service.memory_mb())

    def cpu_seconds(self, start: float = -np.inf, end: float = np.inf) -> float:
        """Return the processor time of the service between two times, by default all of it."""
        early, late = np.interp([start, end], self.times, self.service_cpu)
        return float(late - early)

    def memory_at(self, moment: float) -> float:
        return float(np.interp(moment, self.times, self.memory_mb))

    @property
    def cores_of_others(self) -> float:
        return (self.other_cpu[-1] - self.other_cpu[0]) / (self.times[-1] - self.times[0])


@asynccontextmanager
async def watched(service: RunningService) -> AsyncIterator[Cost]:
    """Read the cost repeatedly until the block ends."""
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
    """Return the processor time of the whole machine so far."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")
