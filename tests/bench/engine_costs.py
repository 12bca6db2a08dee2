"""What encoding and decoding take here, for the simulation of other machines: `python -m tests.bench.engine_costs`.

Excerpts of recorded speech are encoded alone and decoded in batches by whisper-base on one thread, by one worker and
by two at once. The costs are a fit to all of these calls (`tests.support.simulated_load.EngineCosts`). Python is the
CPU time of the calling thread; CTranslate2 computes in threads of its own.
"""

import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import soxr

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.whisper.engine import Whisper
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from realtime.weights.locate import locate
from tests.bench.speech_clips import RATE, recorded

SECONDS: Final = (1.5, 3.0, 4.5, 6.5)
BATCHES: Final = (1, 2, 4, 6, 8)


@dataclass(slots=True)
class Calls:
    """The calls of one worker: what was asked, the seconds it took, and those in Python."""

    encodings: list[tuple[float, float, float]] = field(default_factory=list)
    decodings: list[tuple[list[Hypothesis], list[TranscriptionRequest], float, float]] = field(default_factory=list)


def excerpts(seed: int) -> list[Samples]:
    """Return excerpts of each length."""
    dice = random.Random(seed)
    clips = [soxr.resample(clip.samples, RATE, SAMPLE_RATE) for clip in recorded().clips]
    long = [clip for clip in clips if len(clip) > max(SECONDS) * SAMPLE_RATE]
    return [dice.choice(long)[: round(seconds * SAMPLE_RATE)] for seconds in SECONDS for _ in range(max(BATCHES))]


def run(engine: Whisper, seed: int, calls: Calls) -> None:
    """Make the calls of one worker."""
    samples = excerpts(seed)
    for timed in (False, True):
        for first in range(0, len(samples), max(BATCHES)):
            states: list[Any] = []
            for each in samples[first : first + max(BATCHES)]:
                request = TranscriptionRequest(each, language="en", final=False, word_times=timed, under_load=True)
                began, cpu = time.perf_counter(), time.thread_time()
                states.append(engine.encode(request))
                calls.encodings.append((request.seconds, time.perf_counter() - began, time.thread_time() - cpu))
            for size in BATCHES:
                began, cpu = time.perf_counter(), time.thread_time()
                heard: Any = engine.decode(states[:size])
                took = time.perf_counter() - began, time.thread_time() - cpu
                calls.decodings.append((heard, [state.request for state in states[:size]], *took))


def fitted(calls: Calls) -> dict[str, float]:
    """Return the costs, by the names of `EngineCosts`."""
    seconds, took, python = (np.asarray(column) for column in zip(*calls.encodings, strict=True))
    encode, encode_second = _fit([np.ones_like(seconds), seconds], took)
    rows, times, of_each, tokens_per_second = [], [], [], []
    for heard, requests, wall, cpu in calls.decodings:
        tokens = [len(each.tokens) for each in heard]
        timed = [request.seconds for request in requests if request.word_times]
        rows.append([1.0, max(tokens), sum(tokens), len(timed), sum(timed)])
        times.append(wall)
        of_each.append(cpu / len(requests))
        tokens_per_second.append(sum(tokens) / sum(request.seconds for request in requests))
    batch, step, step_each, align, align_second = _fit(list(np.asarray(rows).T), np.asarray(times))
    return {
        "encode": encode, "encode_second": encode_second, "batch": batch, "step": step, "step_each": step_each,
        "align": align, "align_second": align_second, "encode_python": float(np.mean(python)),
        "decode_python": float(np.mean(of_each)), "tokens per second": float(np.mean(tokens_per_second)),
    }  # fmt: skip


def _fit(columns: Sequence[Any], took: Any) -> list[float]:
    """Fit relative errors, so that short calls count as much as long ones."""
    weighted = np.stack(columns, axis=1) / took[:, None]
    found, *_ = np.linalg.lstsq(weighted, np.ones_like(took), rcond=None)
    return [float(each) for each in found]


def measure(workers: int, threads: int) -> dict[str, float]:
    """Return the costs while so many workers are busy, all of the time."""
    directory = locate(WHISPER_BASE, Settings(offline=True))
    engine = Whisper(directory, device="cpu", compute_type="int8", workers=workers, threads=threads)
    calls = [Calls() for _ in range(workers)]
    beside = [threading.Thread(target=run, args=(engine, seed, each)) for seed, each in enumerate(calls)]
    for thread in beside:
        thread.start()
    for thread in beside:
        thread.join()
    engine.close()
    together = Calls(
        [each for one in calls for each in one.encodings], [each for one in calls for each in one.decodings]
    )
    return fitted(together)


if __name__ == "__main__":
    for layout in sys.argv[1:] or ["1x1", "2x1", "1x2"]:
        workers, threads = map(int, layout.split("x"))
        costs = measure(workers, threads)
        figures = ", ".join(f"{name} {1000 * each:.2f}" for name, each in costs.items())
        print(f"{workers} workers of {threads} threads, in ms: {figures}", flush=True)
