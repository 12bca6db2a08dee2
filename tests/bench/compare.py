"""This checkout beside an earlier commit, by turns: `make bench BENCH_ARGS="--before COMMIT"`.

The earlier service runs from a work tree of git, with the packages of this checkout; recordings, clients and measures
are those of this checkout for both. A row is measured twice for each version, in turn; its table has both values and
the ratio of their means. The largest numbers of streams, which are searched to within two, and the long rows of words
are measured once, that of one speaker for both versions at the same time. `--row` names a row. The results are written
to `bench-compare.json`, too.
"""

import asyncio
import datetime
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, Final, TypeAlias

import httpx
from rich.console import Console
from rich.table import Table

from realtime.scheduling.admission import DEFAULT_LOAD_LIMIT
from tests.bench import many_streams, scripted_service
from tests.bench.competitors import LONG_PERIOD, SHORT_PERIOD, competitors
from tests.bench.hard_cases.uploads import one_by_one
from tests.bench.plan import FULL
from tests.bench.speech_clips import RATE, Speech, SpeechClip
from tests.bench.under_load import LoadFigures, load_run
from tests.bench.whole_files import WholeFiles
from tests.support.recordings import wav_file
from tests.support.running_service import RunningService, running_service

RESULTS: Final = Path("bench-compare.json")
BASE: Final = "whisper-base"
TINY: Final = "whisper-tiny.en"
TURNS: Final = 2
MANY_WORDS: Final = replace(FULL, load_seconds=105.0, one_stream_seconds=1250.0)
"""Streams long enough that twelve, or one, have 3,000 words."""

WHOLE: Final = WholeFiles(BASE)
"""What faster-whisper makes of the clips."""

READING: Final = threading.Lock()
"""Held while it reads them."""

SEARCHED: Final = range(2, 130, 2)
"""Numbers of streams that are searched."""

FILES: Final = 24
TOGETHER: Final = 8
"""Recordings that are uploaded, and how many at a time."""

Figures: TypeAlias = Mapping[str, float | None]
"""The figures of a row by their names, which end with the unit; None where nothing was heard."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the service: a checkout, None for this one."""

    name: str
    checkout: Path | None


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured at once, `turns` times for each version."""

    measure: Callable[[Version, Sequence[SpeechClip]], Figures]
    turns: int = TURNS
    at_once: bool = False
    """Whether both versions are measured at the same time: only words count, and the machine has room for both."""


def twelve_streams(version: Version, clips: Sequence[SpeechClip]) -> Figures:
    run = load_run(BASE, clips, 12, FULL, checkout=version.checkout)
    return _lag(run) | {
        "CPU, s per s": run.cpu_seconds_per_audio_second,
        "memory, MB": run.peak_memory_mb,
        "cores of others": run.cores_of_others,
    }


def one_stream(version: Version, clips: Sequence[SpeechClip]) -> Figures:
    run = load_run(BASE, clips, 1, FULL, checkout=version.checkout)
    return {
        "CPU, cores": run.cpu_seconds_per_audio_second,
        "first partial, s": run.first_partial_p50,
        "settled lag p95, s": run.settled_lag_p95,
    }


def largest(model: str) -> Callable[[Version, Sequence[SpeechClip]], Figures]:
    def search(version: Version, clips: Sequence[SpeechClip]) -> Figures:
        figures: dict[str, float | None] = {"streams": 0.0}
        low, high = 0, len(SEARCHED)
        while low < high:  # SEARCHED[:low] are held, SEARCHED[high:] are not
            middle = (low + high) // 2
            run = load_run(model, clips, SEARCHED[middle], FULL, checkout=version.checkout)
            figures[f"p95 of {run.streams}, s"] = run.commit_lag_p95
            if run.held:
                figures["streams"], low = run.streams, middle + 1
            else:
                high = middle
        return figures

    return search


def beside_two(version: Version, clips: Sequence[SpeechClip]) -> Figures:
    """Eight streams beside a process that uses half of a core, and one that uses a whole core half of the time."""
    with competitors(0.5, SHORT_PERIOD), competitors(0.5, LONG_PERIOD):
        return _lag(load_run(BASE, clips, 8, FULL, checkout=version.checkout))


def half_machine(version: Version, clips: Sequence[SpeechClip]) -> Figures:
    """Twelve streams beside two processes that use as much as they get: on two cores, half of the machine."""
    with competitors(1.0, SHORT_PERIOD, SHORT_PERIOD):
        run = load_run(BASE, clips, 12, FULL, checkout=version.checkout)
    return _lag(run) | {
        "final p50, s": run.final_after_endpoint_p50,
        "final p95, s": run.final_after_endpoint_p95,
    }


def admission(version: Version, clips: Sequence[SpeechClip]) -> Figures:
    """Sixteen streams that ask for a place with the default limit."""
    limited = {"load_limit": str(DEFAULT_LOAD_LIMIT)}
    run = load_run(BASE, clips, 16, FULL, settings=limited, checkout=version.checkout)
    return _lag(run) | {"admitted": run.streams - run.refused, "worst p95, s": run.worst_commit_lag_p95}


def words(streams: int) -> Callable[[Version, Sequence[SpeechClip]], Figures]:
    """Streams with 3,000 words together, beside whole files of the same clips by faster-whisper."""

    def measure(version: Version, clips: Sequence[SpeechClip]) -> Figures:
        with READING:
            if not WHOLE.audio_seconds:
                WHOLE.read(clips)
        run = load_run(BASE, clips, streams, MANY_WORDS, WHOLE, checkout=version.checkout)
        assert run.whole_file_error_rate is not None
        return {
            "word errors, %": 100 * run.word_error_rate,
            "word errors of whole files, %": 100 * run.whole_file_error_rate,
            "words": run.words,
            "commit lag p50, s": run.commit_lag_p50,
            "commit lag p95, s": run.commit_lag_p95,
            "settled lag p95, s": run.settled_lag_p95,
            "CPU, s per s": run.cpu_seconds_per_audio_second,
        }

    return measure


def uploads(version: Version, clips: Sequence[SpeechClip]) -> Figures:
    """Recordings over HTTP, against faster-whisper one by one."""
    with tempfile.TemporaryDirectory() as directory:
        recordings = {f"{number}.wav": wav_file(clip.samples, RATE) for number, clip in enumerate(clips[:FILES])}
        for name, audio in recordings.items():
            (Path(directory) / name).write_bytes(audio)
        sequential = one_by_one([Path(directory) / name for name in recordings]).seconds
        with running_service(None, 0, version.checkout, log_level="warning", transcription_model=BASE) as service:
            asyncio.run(_upload(service, dict([*recordings.items()][:TOGETHER])))
            began = time.perf_counter()
            asyncio.run(_upload(service, recordings))
            took = time.perf_counter() - began
    return {"uploads, s": took, "faster-whisper, s": sequential, "times faster-whisper": sequential / took}


def scripted_streams(version: Version, _: Sequence[SpeechClip]) -> Figures:
    """Streams with scripted engines, which each version gets from this checkout."""
    if version.checkout is not None:
        shutil.copy(scripted_service.__file__, version.checkout / "tests" / "bench")
    run = many_streams.measure(FULL.scripted_streams, FULL.load_seconds, checkout=version.checkout)
    return {
        "event loop late p99, s": run.lag_p99,
        "event loop, CPU s per s": run.loop_cpu,
        "partials per s": run.heard.partials,
        "commit lag p95, s": run.heard.commit_lag_p95,
        "lost words": run.heard.lost,
        "doubled words": run.heard.doubled,
        "cores of others": run.cores_of_others,
    }


ROWS: Final[Mapping[str, Row]] = {
    "12-streams": Row(twelve_streams),
    "1-stream": Row(one_stream),
    "largest-base": Row(largest(BASE), 1),
    "largest-tiny": Row(largest(TINY), 1),
    "beside-two": Row(beside_two),
    "half-machine": Row(half_machine),
    "admission": Row(admission),
    "uploads": Row(uploads),
    "words-12": Row(words(12), 1),
    "words-1": Row(words(1), 1, at_once=True),
    "scripted-streams": Row(scripted_streams),
}


def resolved(commit: str) -> str:
    """Return the hash of a commit. Raises `ValueError` if there is none of this name, or no repository or git."""
    command = ["git", "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        raise ValueError(f"git knows no commit '{commit}' here") from None


def compare(commit: str, speech: Speech, rows: Sequence[str], machine: str) -> None:
    """Measure the rows, all if none is named; each is shown and written when it is known."""
    report: dict[str, Any] = {
        "before": commit,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "speech": speech.kind,
        "rows": {},
    }
    console = Console(width=120)
    with _work_tree(commit) as checkout:
        versions = Version("before", checkout), Version("now", None)
        for name in rows or ROWS:
            values: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: {"before": [], "now": []})
            row = ROWS[name]

            def measured(version: Version, name: str = name, row: Row = row) -> Figures:
                print(f"{name}, {version.name} ...", file=sys.stderr, flush=True)
                return row.measure(version, speech.clips)

            for _ in range(row.turns):
                with ThreadPoolExecutor(len(versions)) as threads:
                    each_in = threads.map if row.at_once else map
                    for version, figures in zip(versions, each_in(measured, versions), strict=True):
                        for figure, value in figures.items():
                            values[figure][version.name].append(value)
            table = Table("figure", f"before ({commit[:7]})", "now", "ratio", title=name, title_justify="left")
            for figure, each in values.items():
                before, now = each["before"], each["now"]
                table.add_row(figure, _shown(before), _shown(now), _ratio(before, now))
            console.print(table)
            report["rows"][name] = values
            RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def _shown(values: Sequence[float | None]) -> str:
    return ", ".join("-" if value is None else f"{value:.3g}" for value in values) or "-"


def _ratio(before: Sequence[float | None], now: Sequence[float | None]) -> str:
    """Return the ratio of the means."""
    one, other = ([value for value in each if value] for each in (before, now))
    return f"{fmean(other) / fmean(one):.2f}" if one and other else "-"


@contextmanager
def _work_tree(commit: str) -> Iterator[Path]:
    """Check a commit out until the block ends."""
    with tempfile.TemporaryDirectory() as directory:
        checkout = Path(directory) / "checkout"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", checkout, commit], check=True)
        try:
            yield checkout
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", checkout], check=True)


def _lag(run: LoadFigures) -> dict[str, float | None]:
    return {
        "commit lag p50, s": run.commit_lag_p50,
        "commit lag p95, s": run.commit_lag_p95,
        "word errors, %": 100 * run.word_error_rate,
    }


async def _upload(service: RunningService, recordings: Mapping[str, bytes]) -> None:
    """Transcribe recordings over HTTP, `TOGETHER` at a time."""
    places = asyncio.Semaphore(TOGETHER)
    async with httpx.AsyncClient(base_url=f"http://{service.address}", timeout=120.0) as client:

        async def upload(name: str, audio: bytes) -> None:
            async with places:
                answer = await client.post(
                    "/v1/audio/transcriptions",
                    files={"file": (name, audio)},
                    data={"model": BASE, "language": "en"},
                )
                answer.raise_for_status()

        await asyncio.gather(*(upload(name, audio) for name, audio in recordings.items()))
