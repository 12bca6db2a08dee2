"""What encoding and decoding take here, for the simulation of other machines: `python -m tests.bench.engine_costs`.

Excerpts of recorded speech are encoded alone and decoded in batches by whisper-base on one thread, by one worker and
by two at once. Each expects the text of an excerpt that is `STEP` shorter. The costs are a fit to all of these calls
(`tests.support.simulated_load.EngineCosts`). Python is the CPU time of the calling thread without what onnxruntime
computes in it; CTranslate2 computes in threads of its own.
"""

import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import onnxruntime
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

STEP: Final = 0.9
"""Seconds between two partials of a speaker on a busy machine."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """A batch that was decoded: its requests, the hypotheses they expected and what was heard; wall and CPU seconds."""

    requests: list[TranscriptionRequest]
    expected: list[Hypothesis]
    heard: list[Hypothesis]
    seconds: float
    python: float

    @property
    def confirmed(self) -> list[int]:
        """How many tokens of each hypothesis were expected, in the same order."""
        matchers = (
            SequenceMatcher(None, heard.tokens, expected.tokens, autojunk=False)
            for heard, expected in zip(self.heard, self.expected, strict=True)
        )
        return [sum(block.size for block in matcher.get_matching_blocks()) for matcher in matchers]


@dataclass(slots=True)
class Calls:
    """The calls of one worker; of encodings the seconds of audio, those it took, and those in Python."""

    encodings: list[tuple[float, float, float]] = field(default_factory=list)
    decodings: list[Decoding] = field(default_factory=list)


class ComputeTime(threading.local):
    """CPU seconds of this thread in onnxruntime."""

    seconds = 0.0


COMPUTED: Final = ComputeTime()


RUN: Final = onnxruntime.InferenceSession.run


def counted_run(session: onnxruntime.InferenceSession, *arguments: Any) -> Any:
    """Run a model, and count the time."""
    began = time.thread_time()
    try:
        return RUN(session, *arguments)
    finally:
        COMPUTED.seconds += time.thread_time() - began


def python_seconds() -> float:
    """Return the CPU seconds of this thread outside of onnxruntime."""
    return time.thread_time() - COMPUTED.seconds


def excerpts(seed: int) -> list[Samples]:
    """Return excerpts of each length."""
    dice = random.Random(seed)
    clips = [soxr.resample(clip.samples, RATE, SAMPLE_RATE) for clip in recorded().clips]
    long = [clip for clip in clips if len(clip) > max(SECONDS) * SAMPLE_RATE]
    return [dice.choice(long)[: round(seconds * SAMPLE_RATE)] for seconds in SECONDS for _ in range(max(BATCHES))]


def run(engine: Whisper, seed: int, calls: Calls) -> None:
    """Make the calls of one worker."""
    samples = excerpts(seed)
    before = [
        _decoded(
            engine,
            TranscriptionRequest(each[: -round(STEP * SAMPLE_RATE)], language="en", final=False, under_load=True),
        )
        for each in samples
    ]
    for timed in (False, True):
        for first in range(0, len(samples), max(BATCHES)):
            states: list[Any] = []
            known = before[first : first + max(BATCHES)]
            for each, expected in zip(samples[first : first + max(BATCHES)], known, strict=True):
                request = TranscriptionRequest(
                    each, word_times=timed, expected=expected.text, language="en", final=False, under_load=True
                )
                began, cpu = time.perf_counter(), python_seconds()
                states.append(engine.encode(request))
                calls.encodings.append((request.seconds, time.perf_counter() - began, python_seconds() - cpu))
            for size in BATCHES:
                began, cpu = time.perf_counter(), python_seconds()
                heard: Any = engine.decode(states[:size])
                took = time.perf_counter() - began, python_seconds() - cpu
                requests = [state.request for state in states[:size]]
                if all(isinstance(each, Hypothesis) for each in heard):  # none is to be decoded again
                    calls.decodings.append(Decoding(requests, known[:size], heard, *took))


def _decoded(engine: Whisper, request: TranscriptionRequest) -> Hypothesis:
    step = engine.decode([engine.encode(request)])[0]
    while not isinstance(step, Hypothesis):
        step = engine.decode([step])[0]
    return step


def fitted(calls: Calls) -> dict[str, float]:
    """Return the costs, by the names of `EngineCosts`."""
    seconds, took, python = (np.asarray(column) for column in zip(*calls.encodings, strict=True))
    encode, encode_second = _fit([np.ones_like(seconds), seconds], took)
    rows, of_each, tokens_per_second = [], [], []
    for each in calls.decodings:
        tokens, confirmed = [len(heard.tokens) for heard in each.heard], each.confirmed
        written = [1 + all_ - known for all_, known in zip(tokens, confirmed, strict=True)]
        timed = [request.seconds for request in each.requests if request.word_times]
        rows.append([1.0, max(written), sum(written), sum(confirmed), len(timed), sum(timed)])
        of_each.append(each.python / len(tokens))
        tokens_per_second.append(sum(tokens) / sum(request.seconds for request in each.requests))
    expected = sum(len(hypothesis.tokens) for each in calls.decodings for hypothesis in each.expected)
    times = np.asarray([each.seconds for each in calls.decodings])
    batch, step, step_each, verify, align, align_second = _fit(list(np.asarray(rows).T), times)
    return {
        "encode": encode, "encode_second": encode_second, "batch": batch, "step": step, "step_each": step_each,
        "verify": verify, "align": align, "align_second": align_second, "encode_python": float(np.mean(python)),
        "decode_python": float(np.mean(of_each)), "tokens per second": float(np.mean(tokens_per_second)),
        "confirmed": sum(sum(each.confirmed) for each in calls.decodings) / expected,
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
        with patch.object(onnxruntime.InferenceSession, "run", counted_run):
            costs = measure(workers, threads)
        counts = ", ".join(f"{name} {costs.pop(name):.2f}" for name in ("tokens per second", "confirmed"))
        figures = ", ".join(f"{name} {1000 * each:.2f}" for name, each in costs.items())
        print(f"{workers} workers of {threads} threads, in ms: {figures}; {counts}", flush=True)
