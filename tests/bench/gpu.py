"""`make bench-gpu`: how many streams a GPU holds, with what lag and at what cost; prints a table for each model.

The number of streams is doubled until lag or word errors are over the limits of `tests.bench.under_load`, and then
searched between the last two. The figures are written to `bench-gpu.json`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import ctranslate2
from rich.console import Console
from rich.table import Table

from tests.bench.plan import FULL, Plan
from tests.bench.run import machine
from tests.bench.speech_clips import SpeechClip, load_speech
from tests.bench.tables import capacity_line, load_table
from tests.bench.under_load import LoadFigures, capacity, run_streams, service_under_load, tracks_of
from tests.support.running_service import running_service

RESULTS: Final = Path("bench-gpu.json")
MODELS: Final = ("whisper-base", "whisper-large-v3")

RESOLUTION: Final = 8
"""The search ends when the largest number of streams that was held is known to within an eighth of it."""

QUERY: Final = ("name", "utilization.gpu", "memory.used", "power.draw")
"""What `nvidia-smi` is asked for; its answers are a name, percent, MiB and watts."""

SAMPLING_MILLISECONDS: Final = 500


@dataclass(frozen=True, slots=True)
class GpuFigures:
    """What a GPU was used for during a run; NaN for what it does not tell."""

    name: str
    utilization: float
    """Mean share of the time in which it computed, 0 to 1."""
    memory_mb: float
    """Most memory of the GPU in use by all programs, in millions of bytes."""
    watts: float
    """Mean power."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS, help=f"models to measure (default {' '.join(MODELS)})")
    parser.add_argument("--compute-type", default="float16", help="precision in CTranslate2's terms (default float16)")
    parser.add_argument("--gpu", type=int, default=0, help="number of the GPU (default 0)")
    parser.add_argument("--max-streams", type=int, default=256, help="where the search ends (default 256)")
    arguments = parser.parse_args()
    usable = ctranslate2.get_cuda_device_count()
    if arguments.gpu >= usable:
        print(f"there is no GPU {arguments.gpu}: {usable} are usable; `vivavoce doctor` says more", file=sys.stderr)
        return 1
    pull = [
        sys.executable,
        "-m",
        "realtime.cli.main",
        "models",
        "pull",
        *arguments.models,
        "whisper-base",
        "hibari-tts",
    ]
    subprocess.run(pull, check=True)
    with running_service(log_level="warning") as service:
        speech = load_speech(service)
    plan = replace(FULL, max_streams=arguments.max_streams)
    settings = {
        "device": "cuda",
        "device_index": str(arguments.gpu),
        "compute_type": arguments.compute_type,
        "max_sessions": str(arguments.max_streams),
    }
    console = Console(width=160)
    console.print(f"{machine()}; {speech.kind}")
    report: dict[str, list[dict[str, object]]] = {}
    for model in arguments.models:
        runs = list(measure(model, speech.clips, plan, settings, arguments.gpu))
        figures = [run for run, _ in runs]
        console.print(load_table(figures, f"N streams at the pace of speech, {model}, seconds"))
        console.print(gpu_table(runs, model))
        console.print(capacity_line(model, figures, plan.max_streams))
        report[model] = [{**asdict(run), "gpu": asdict(gpu)} for run, gpu in runs]
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def measure(
    model: str, clips: Sequence[SpeechClip], plan: Plan, settings: Mapping[str, str], gpu: int
) -> Iterator[tuple[LoadFigures, GpuFigures]]:
    """Yield runs until the number of streams that the GPU holds is known."""
    held: dict[int, bool] = {}
    while (streams := next_count(held, plan.max_streams)) is not None:
        with service_under_load(model, settings) as service:
            played = tracks_of(model, clips, streams, plan)
            with watched(gpu) as samples:
                run = run_streams(service, model, played)
        held[streams] = run.held
        yield run, summary(samples)


def next_count(held: Mapping[int, bool], max_streams: int) -> int | None:
    """Return the number of streams to try next: doubled until a run fails, then halfway; None if enough is known."""
    best = capacity(held)
    too_many = min((streams for streams, was_held in held.items() if not was_held and streams > best), default=None)
    if too_many is None:
        return min(max(1, 2 * best), max_streams) if best < max_streams else None
    return (best + too_many) // 2 if too_many - best > max(1, best // RESOLUTION) else None


@contextmanager
def watched(gpu: int) -> Iterator[list[str]]:
    """Have `nvidia-smi` look at a GPU until the block ends; the list has its lines then."""
    lines: list[str] = []
    query = f"--query-gpu={','.join(QUERY)}"
    command = [
        "nvidia-smi",
        query,
        "--format=csv,noheader,nounits",
        f"--id={gpu}",
        f"--loop-ms={SAMPLING_MILLISECONDS}",
    ]
    with tempfile.TemporaryFile("w+") as output, subprocess.Popen(command, stdout=output) as process:
        try:
            yield lines
        finally:
            process.terminate()
            process.wait()
            output.seek(0)
            lines.extend(output.read().splitlines())


def summary(lines: Sequence[str]) -> GpuFigures:
    """Summarize the lines of `nvidia-smi`, each with the answers to `QUERY`."""
    rows = [row for line in lines if len(row := [cell.strip() for cell in line.split(",")]) == len(QUERY)]
    names, utilization, memory, power = zip(*rows, strict=True) if rows else ((), (), (), ())
    return GpuFigures(
        name=names[0] if names else "unknown",
        utilization=_mean(utilization) / 100,
        memory_mb=max(_numbers(memory), default=float("nan")) * 1.048576,
        watts=_mean(power),
    )


def gpu_table(runs: Sequence[tuple[LoadFigures, GpuFigures]], model: str) -> Table:
    table = Table(title=f"{runs[0][1].name}, {model}", title_justify="left")
    for heading in ("N", "busy %", "memory MB", "W", "W per held stream"):
        table.add_column(heading, justify="right")
    for run, gpu in runs:
        each = f"{gpu.watts / run.streams:.1f}" if run.held else "-"
        cells = f"{100 * gpu.utilization:.0f}", f"{gpu.memory_mb:.0f}", f"{gpu.watts:.0f}", each
        table.add_row(str(run.streams), *cells)
    return table


def _numbers(cells: Sequence[str]) -> list[float]:
    """Return the cells that are numbers; a GPU answers `[N/A]` where it does not know."""
    return [float(cell) for cell in cells if cell.replace(".", "", 1).isdecimal()]


def _mean(cells: Sequence[str]) -> float:
    return statistics.fmean(numbers) if (numbers := _numbers(cells)) else float("nan")


if __name__ == "__main__":
    sys.exit(main())
