"""The service with scripted engines, which notes how late its event loop is.

    python -m tests.bench.scripted_service REPORT [--silero] [--profile] ARGUMENTS

runs the command `serve` with these arguments, of the version that is imported, and writes the file `REPORT` when it
ends. Every word is a number in the samples. The scripted engines answer at once, so that each stream has as many
partials as it can have. With `--silero`, the real detector scores the windows, too.
"""

import argparse
import asyncio
import cProfile
import json
import pstats
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import uvicorn
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import ModelEntry
from realtime.engines.base import VadState
from realtime.engines.silero import Silero
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis, Word
from tests.support.scripted_engines import (
    WORD_MS,
    ScriptedDetector,
    ScriptedEngines,
    ScriptedRecognizer,
    say_numbers,
)

LOOK_SECONDS: Final = 0.005
"""Seconds between two looks at how late the event loop is."""

LOOP: Final = "loop"
"""Name of the thread of the event loop."""

LOWEST, SECOND = (float(say_numbers([number])[0]) for number in (0, 1))

WORD: Final = 16 * WORD_MS
"""Samples of a word at 16 kHz."""


class Numbered(ScriptedRecognizer):
    """Writes every number of which at least half was heard, wherever the audio was cut and resampled."""

    def decode(self, encoded: Sequence[TranscriptionRequest]) -> list[Hypothesis]:
        return [Hypothesis(tuple(_words(request.samples)), "en") for request in encoded]


def _words(samples: Samples) -> Iterator[Word]:
    numbers = np.rint((samples - LOWEST) / (SECOND - LOWEST)).astype(np.int32)
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    for start, end in pairwise(edges):
        if end - start >= WORD // 2 and numbers[start] >= 0:
            yield Word(f" word{numbers[start]}", start, end, 1.0)


class CostlyDetector(ScriptedDetector):
    """Answers as the scripted detector, after Silero has scored the same windows."""

    def __init__(self, engines: ScriptedEngines, name: str) -> None:
        super().__init__(engines, name)
        self._silero = Silero()

    def initial_state(self) -> VadState:
        return self._silero.initial_state()

    def score(self, requests: Sequence[tuple[NDArray[np.float32], VadState]]) -> list[tuple[list[float], VadState]]:
        scripted = super().score(requests)
        scored = self._silero.score(requests)
        return [(ours, state) for (ours, _), (_, state) in zip(scripted, scored, strict=True)]


class Engines(ScriptedEngines):
    """Scripted engines, of which the detector may take the time of the real one."""

    def __init__(self, *_: object, silero: bool, **__: object) -> None:
        """Take what the real registry is given, and ignore it."""
        super().__init__(workers=2)
        self._silero = silero

    def detector(self) -> ScriptedDetector:
        return CostlyDetector(self, "detector") if self._silero else super().detector()

    def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
        return Numbered(self, entry.name, Capabilities())


async def look(looks: list[tuple[float, float]]) -> None:
    """Note how late the event loop is, each time with the moment."""
    while True:
        due = time.monotonic() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        looks.append((due, time.monotonic() - due))


def _task_of(thread: threading.Thread) -> str:
    return LOOP if thread is threading.main_thread() else thread.name.rsplit("-", 1)[0]


def main() -> int:
    """Run the service, and write the report: `looks` as pairs of seconds, and `threads`, names by identifiers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path)
    parser.add_argument("--silero", action="store_true", help="pay for the real detector")
    parser.add_argument("--profile", action="store_true", help="print what the event loop does (it gets slower)")
    options, arguments = parser.parse_known_args()
    looks: list[tuple[float, float]] = []
    start, stop, profiler = uvicorn.Server.startup, uvicorn.Server.shutdown, cProfile.Profile()
    looking: list[asyncio.Task[None]] = []

    async def startup(server: uvicorn.Server, sockets: Any = None) -> None:
        await start(server, sockets)
        looking.append(asyncio.create_task(look(looks)))
        if options.profile:
            profiler.enable()

    async def shutdown(server: uvicorn.Server, sockets: Any = None) -> None:
        if options.profile:
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
        names = {thread.native_id: _task_of(thread) for thread in threading.enumerate()}
        options.report.write_text(json.dumps({"looks": looks, "threads": names}))  # the signal ends the process
        await stop(server, sockets)

    engines = partial(Engines, silero=options.silero)
    with (
        patch("realtime.engines.registry.InstalledEngines", engines),
        patch.multiple(uvicorn.Server, startup=startup, shutdown=shutdown),
    ):
        from realtime.cli.main import main as run_command  # here, so that whatever it imports has these engines

        return run_command(["serve", *arguments])


if __name__ == "__main__":
    sys.exit(main())
