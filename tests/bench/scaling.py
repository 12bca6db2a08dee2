"""How many streams other machines would follow, simulated: `python -m tests.bench.scaling [FILE.svg CORES|gpu ...]`.

Sessions and scheduler are the real ones, the clock is simulated, and an engine takes the time that was measured on the
machine of the benchmarks. There is one worker of one thread for each core. The search ends at the largest number of
streams whose p95 commit lag is at most 3 s.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.plots import lag_chart
from tests.bench.scoring import percentile
from tests.bench.streams import stagger
from tests.bench.under_load import MAX_COMMIT_LAG
from tests.support.simulated_load import EngineCosts, Simulation

SECONDS: Final = 30.0
"""Seconds that every user speaks at least, in turns with pauses. Words after that are not counted: the first users have
ended."""

ALL_SECONDS: Final = 5000.0
"""The same for all users together: fewer words make the p95 of few users a matter of chance."""

WARM_UP: Final = 7.0
"""Seconds until all streams have begun and costs are learnt; words before are not counted."""

THREAD: Final = EngineCosts(
    encode=0.0056,
    encode_second=0.006,
    batch=0.0078,
    step=0.0031,
    step_each=0.0022,
    verify=0.0015,
    align_second=0.0005,
)
"""`whisper-base` on a CPU thread of the machine of the benchmarks, by `tests.bench.engine_costs` with two workers, when
the lags of `MEASURED` were measured; times 1.2 for encodings and 1.55 for decodes. With these, partials of 8 to 32
simulated streams take 25 and 32 ms, with all they wait for, as by the metrics of the service
(`vivavoce_engine_seconds_total` by `vivavoce_partials_run_total`, while all streams play: 24 and 31 ms). In the service
the threads of workers wait for a CPU for a third of the time that they run (`/proc/PID/task/*/schedstat`, 12 and 32
streams), and batches have texts of different lengths."""

PYTHON: Final = {"encode_python": 0.0016, "decode_python": 0.0041, "frame_python": 0.0002}
"""Seconds that only one thread of a process can work at a time: of an encoding, of a decode, and of a frame. By
`tests.bench.engine_costs` and `tests.bench.many_streams`. NumPy, which is counted here, lets other threads work for a
part of its time; the 1.4 ms of the event loop for each partial are taken for that part."""

OTHER_CORES: Final = 0.0105
"""Share of a core that event loop and detector take for each stream, from the cores that the workers have: the CPU time
of their threads with 32 streams."""

MEASURED: Final = {1: 1.70, 4: 1.48, 8: 1.64, 12: 1.84, 16: 2.04, 24: 1.91, 32: 2.36, 36: 2.67, 40: 3.08}
"""The p95 commit lag that `make bench` has measured with recorded speech on two cores, by streams: for 8 to 40 the mean
of three runs, and for one stream that of 2,848 words of an earlier version (`--before COMMIT --row words-1`)."""

HIGHEST: Final = MAX_COMMIT_LAG + 1
"""Lag in seconds up to which points are drawn."""

GPU: Final = EngineCosts(encode=0.003, encode_second=0.0, batch=0.005, step=0.003, step_each=0.0001, align=0.003)
"""A GPU as it might be, with two workers: 3 ms for an encoding, and for a step of a batch of any size."""


@dataclass(slots=True)
class Machine:
    """A machine, and the p95 commit lags of the numbers of streams that were simulated."""

    name: str
    workers: int
    costs: EngineCosts
    other_cores: float = 0.0
    """Share of a core that each stream takes beside the engines."""
    lags: dict[int, float] = field(default_factory=dict)

    def follows(self, streams: int) -> bool:
        """Simulate so many streams; return whether they are in time."""
        simulation = Simulation(
            workers=self.workers,
            cores=max(0.1, self.workers - self.other_cores * streams),
            costs=self.costs,
            mishears=True,
            stagger=stagger(streams),
        )
        seconds = max(SECONDS, ALL_SECONDS / streams)
        simulation.run(streams, seconds)
        self.lags[streams] = percentile(simulation.lags_between(WARM_UP, seconds), 0.95) or 0.0
        return self.lags[streams] <= MAX_COMMIT_LAG


def search(holds: Callable[[int], bool], first: int) -> int:
    """Return the largest number that holds, to an eighth of it: upwards from `first`, then between."""
    best, too_many = 0, first
    while holds(too_many):
        best, too_many = too_many, 2 * too_many
    while too_many - best > max(1, best // 8):
        between = (best + too_many) // 2
        best, too_many = (between, too_many) if holds(between) else (best, between)
    return best


def main() -> None:
    """Print the table, and draw the lags into the file that is named first."""
    file = sys.argv[1] if sys.argv[1:] else "scaling.svg"
    cores = sys.argv[2:] or ["2", "4", "8", "16", "gpu"]
    measured = Machine("measured", 2, replace(THREAD, **PYTHON), OTHER_CORES)
    for streams, lag in MEASURED.items():
        measured.follows(streams)
        print(f"{streams} streams on two cores: p95 commit lag {measured.lags[streams]:.2f} s, measured {lag:.2f} s")
    table = Table("machine", "streams, engines alone", "streams, one process")
    machines = []
    for each in cores:
        workers, costs, name = (2, GPU, "assumed GPU") if each == "gpu" else (int(each), THREAD, f"{each} cores")
        print(f"{name} ...", file=sys.stderr, flush=True)
        alone = Machine(name, workers, costs)
        process = Machine(name, workers, replace(costs, **PYTHON), 0.0 if each == "gpu" else OTHER_CORES)
        table.add_row(name, *(str(search(machine.follows, 10 * workers)) for machine in (alone, process)))
        machines.append(process)
    Console().print(table)
    points = {each.name: [lag for lag in sorted(each.lags.items()) if lag[1] <= HIGHEST] for each in machines}
    most = max(streams for each in points.values() for streams, _ in each)
    chart = lag_chart("Commit lag against streams, by cores, simulated", "streams", most, HIGHEST)
    for name, shown in points.items():
        chart.add(name, shown)
    Path(file).write_bytes(chart.render(is_unicode=False))


if __name__ == "__main__":
    main()
