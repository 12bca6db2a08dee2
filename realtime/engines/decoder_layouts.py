"""How a recognizer shares the CPUs: by how many workers, and with how many threads each."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from realtime.cpus import usable_cpus
from realtime.settings import Settings

MAX_WORKERS: Final = 8
"""Workers that are chosen at most: what one process does in Python keeps no more busy (`tests.bench.scaling`)."""

MAX_THREADS: Final = 4
"""Threads of a worker that are chosen at most."""

MIN_WORKERS: Final = 2
"""Workers that are chosen at least where there are as many CPUs: no final waits for a partial in progress."""

SMALL_MODEL_BYTES: Final = 200_000_000
"""Bytes of weights up to which one thread answers soon enough: those of `whisper-base` are 145 MB, and of
`whisper-small` 484 MB."""

SOON_ENOUGH: Final = 0.3
"""Seconds up to which a partial is never too late, on a layout all of whose workers are busy."""

MUCH_LATER: Final = 1.5
"""How many times later than on the quickest layout partials may be, if they are not soon enough."""

NEARLY_AS_MANY: Final = 0.85
"""Share of the most partials per second for which a layout with quicker ones is taken instead, which also covers what
other processes take while one of the layouts is measured; and of the CPUs that a layout uses at least."""


class DecoderLayout(NamedTuple):
    """Workers of a recognizer, and threads of each."""

    workers: int
    threads: int

    @property
    def cpus(self) -> int:
        """CPUs that are busy when all workers are."""
        return self.workers * self.threads

    def __str__(self) -> str:
        return f"{self.workers}x{self.threads}"


def usual_layout(settings: Settings, weight_bytes: int) -> DecoderLayout:
    """Return the layout of a model with so many bytes of weights where none is measured.

    Workers of one thread follow the most streams, but a large model would answer too late with a single one.
    """
    cpus = usable_cpus()
    threads = settings.threads_per_worker or (1 if weight_bytes <= SMALL_MODEL_BYTES else MAX_THREADS)
    workers = settings.decoder_workers or min(_most_workers(settings, cpus), max(MIN_WORKERS, cpus // threads))
    return _layout(settings, cpus, workers)


def possible_layouts(settings: Settings) -> tuple[DecoderLayout, ...]:
    """Return the layouts that use about all CPUs, by threads; no layout where the settings say workers or threads."""
    if settings.decoder_workers or settings.threads_per_worker:
        return ()
    cpus = usable_cpus()
    most = _most_workers(settings, cpus)
    layouts = [DecoderLayout(min(most, cpus // threads), threads) for threads in range(1, min(MAX_THREADS, cpus) + 1)]
    layouts = [layout for layout in layouts if layout.workers >= min(MIN_WORKERS, cpus)]
    most_cpus = max(layout.cpus for layout in layouts)
    return tuple(layout for layout in layouts if layout.cpus >= NEARLY_AS_MANY * most_cpus)


def best_layout(measured: Mapping[DecoderLayout, float]) -> DecoderLayout:
    """Return the best of layouts, given the seconds after which all workers have decoded a partial each."""
    latest = max(SOON_ENOUGH, MUCH_LATER * min(measured.values()))
    per_second = {layout: layout.workers / seconds for layout, seconds in measured.items() if seconds <= latest}
    most = max(per_second.values())
    return min((each for each in per_second if per_second[each] >= NEARLY_AS_MANY * most), key=measured.__getitem__)


def _most_workers(settings: Settings, cpus: int) -> int:
    """Return how many workers may be chosen: on a GPU two are enough, and processes have a copy of the model each."""
    return min(cpus, MIN_WORKERS if settings.device == "cuda" or settings.decoders_in_processes else MAX_WORKERS)


def _layout(settings: Settings, cpus: int, workers: int) -> DecoderLayout:
    return DecoderLayout(workers, settings.threads_per_worker or max(1, min(MAX_THREADS, cpus // workers)))
