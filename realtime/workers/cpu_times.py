"""How long the threads of a process have run, and how long they have waited for a CPU that others had."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Seconds of all threads of a process together."""

    running: float = 0.0
    waiting: float = 0.0

    def __sub__(self, before: "CpuTimes") -> "CpuTimes":
        return CpuTimes(self.running - before.running, self.waiting - before.waiting)


def cpu_times(process_id: int) -> CpuTimes:
    """Return the times of the threads that a process has now; 0 where the kernel does not count them.

    Source: Linux, Documentation/scheduler/sched-stats.rst, `/proc/<pid>/schedstat`: nanoseconds on a CPU, nanoseconds
    on a run queue, and the number of time slices.
    """
    running = waiting = 0
    for path in Path(f"/proc/{process_id}/task").glob("*/schedstat"):
        with suppress(OSError, ValueError):  # a thread that has ended meanwhile
            on_cpu, on_queue, _ = map(int, path.read_text().split())
            running += on_cpu
            waiting += on_queue
    return CpuTimes(running / 1e9, waiting / 1e9)
