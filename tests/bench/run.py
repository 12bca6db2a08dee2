"""`make bench`: measure the service on this machine; print one table and write `bench-results.json`."""

import asyncio
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from measurements import (
    final_seconds,
    first_audio_seconds,
    first_text_seconds,
    first_words,
    listen,
    percentile,
    word_error_rate,
)
from rich.console import Console
from rich.table import Table
from running_service import RunningService, busy_seconds, running_service
from speech_clips import RATE, TEXTS, SpeechClip, pcm, recorded_clips, spoken_clips, track

RESULTS: Final = Path("bench-results.json")
STARTS: Final = 3
STREAM_SECONDS: Final = 150.0

Row = tuple[str, float, str]
"""What was measured, the figure and its unit."""


def main() -> int:
    if not Path("/proc/self/stat").is_file():
        print("the benchmark reads /proc and needs Linux", file=sys.stderr)
        return 1
    subprocess.run([sys.executable, "-m", "realtime.cli", "models", "whisper-base", "hibari-tts"], check=True)
    recorded = recorded_clips()
    clips = recorded or spoken_clips()
    speech = "recorded speech" if recorded else "speech of the embedded voice"
    rows = list(measure(clips))
    table = Table("measured", "value", "unit", title=f"{machine()}\n{len(clips)} clips of {speech}")
    for name, value, unit in rows:
        table.add_row(name, f"{value:.2f}", unit)
    Console(width=110).print(table)
    RESULTS.write_text(json.dumps(report(speech, len(clips), rows), indent=1) + "\n")
    return 0


def measure(clips: list[SpeechClip]) -> Iterator[Row]:
    """Every figure, in the order in which it is taken."""
    ready = []
    for _ in range(STARTS - 1):
        with running_service() as service:
            ready.append(service.seconds_to_ready)
    with running_service() as service:
        yield (
            f"start to ready, weights in place (median of {STARTS})",
            statistics.median([*ready, service.seconds_to_ready]),
            "s",
        )
        yield "resident memory when ready", service.memory_mb(), "MB"
        yield from measure_captions(service, clips)
        audio, sound = asyncio.run(first_audio_seconds(service.realtime_url, TEXTS))
        yield f"time to first audio of a sentence (median of {len(audio)})", 1000 * statistics.median(audio), "ms"
        yield "the same to its first sound, played at once", 1000 * statistics.median(sound), "ms"
        began = time.monotonic()
        errors = asyncio.run(word_error_rate(service.realtime_url, clips))
        seconds = sum(len(clip.samples) for clip in clips) / RATE
        yield f"word error rate ({len(clips)} clips, {seconds:.0f} s of speech)", 100 * errors, "%"
        yield "the same clips, sent as fast as they are taken", seconds / (time.monotonic() - began), "x real time"
        yield "resident memory afterwards", service.memory_mb(), "MB"


def measure_captions(service: RunningService, clips: list[SpeechClip]) -> Iterator[Row]:
    """One stream at the pace of speech."""
    stream = track(clips, STREAM_SECONDS)
    words = first_words(service, stream)
    began, before = time.monotonic(), (service.cpu_seconds(), busy_seconds() - time.process_time())
    heard = asyncio.run(listen(service.realtime_url, pcm(stream.samples), fast=False))
    seconds, after = time.monotonic() - began, (service.cpu_seconds(), busy_seconds() - time.process_time())
    cores, machine_cores = ((late - early) / seconds for early, late in zip(before, after, strict=True))
    first, final = first_text_seconds(heard, words), final_seconds(heard)
    yield f"first text after the end of the first word (median of {len(first)})", 1000 * statistics.median(first), "ms"
    yield f"final text after the endpoint (median of {len(final)})", 1000 * statistics.median(final), "ms"
    yield f"final text after the endpoint (p95 of {len(final)})", 1000 * percentile(final, 0.95), "ms"
    yield f"one stream at the pace of speech ({len(stream.samples) / RATE:.0f} s)", cores, "CPU cores"
    yield "meanwhile used by others (more than 0.1: measure again)", machine_cores - cores, "CPU cores"


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{os.cpu_count()} CPUs, {model}"


def report(speech: str, clips: int, rows: list[Row]) -> dict[str, Any]:
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "python": platform.python_version(),
        "speech": speech,
        "clips": clips,
        "results": [{"name": name, "value": round(value, 4), "unit": unit} for name, value, unit in rows],
    }


if __name__ == "__main__":
    sys.exit(main())
