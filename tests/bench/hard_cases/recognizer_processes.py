"""What processes of its own cost a recognizer: `python -m tests.bench.hard_cases.recognizer_processes [TEXTS]`.

Finals of whisper-base, as sessions ask for them, one at a time and twelve at a time, in threads and in processes by
turns, of the same sentences of the bundled voice. The table has the time of a final, or of twelve, its mean over all
sentences of the shortest of `ROUNDS`, which other programs have disturbed least; the processor time of all processes
for each second of audio; and in how many of the transcripts a word, its times or its probability differ.
"""

import asyncio
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import psutil

from realtime.audio.formats import SAMPLE_RATE
from realtime.audio.resampler import Resampler
from realtime.catalogue.table import WHISPER_BASE
from realtime.engines.hibari import Hibari
from realtime.engines.registry import InstalledEngines
from realtime.models.recognizers import RecognizerHandle, load_recognizer
from realtime.scheduling.priority import ClientId, Priority
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from tests.bench.speech_clips import TEXTS

ROUNDS: Final = 5
TOGETHER: Final = (1, 12)


@dataclass(slots=True)
class Cost:
    """What one way of running the recognizer took."""

    seconds: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Of each batch, by its number."""
    cpu_seconds: float = 0.0
    audio_seconds: float = 0.0


@contextmanager
def loaded(settings: Settings) -> Iterator[RecognizerHandle]:
    """Load whisper-base with these settings."""
    handle = load_recognizer(WHISPER_BASE, InstalledEngines(settings), settings.load_limit)
    try:
        yield handle
    finally:
        handle.close()


def cpu_seconds() -> float:
    """Return the processor time of this process and its children (Linux only)."""
    children = (each.pid for each in psutil.Process().children())
    # The clock of a process, see clock_getcpuclockid(3).
    return time.process_time() + sum(time.clock_gettime((~pid << 3) | 2) for pid in children)


def batches(requests: list[TranscriptionRequest], together: int) -> Iterator[list[TranscriptionRequest]]:
    """Yield so many requests at a time."""
    for start in range(0, len(requests), together):
        yield requests[start : start + together]


async def finals(handle: RecognizerHandle, requests: list[TranscriptionRequest], together: int) -> list[Hypothesis]:
    """Transcribe requests, so many at a time."""
    found: list[Hypothesis] = []
    for batch in batches(requests, together):
        waiting = (
            handle.transcribe(request, Priority.FINAL, ClientId("key", str(number)))
            for number, request in enumerate(batch)
        )
        found += await asyncio.gather(*waiting)
    return found


async def timed(handle: RecognizerHandle, batch: list[TranscriptionRequest], number: int, cost: Cost) -> None:
    """Add what the finals of a batch cost."""
    began, started = cpu_seconds(), time.perf_counter()
    await finals(handle, batch, len(batch))
    cost.seconds[number].append(time.perf_counter() - started)
    cost.cpu_seconds += cpu_seconds() - began
    cost.audio_seconds += sum(request.seconds for request in batch)


def spoken(text: str) -> TranscriptionRequest:
    """Return the request for a final of a text that the bundled voice speaks."""
    voice = Hibari()
    samples = np.concatenate([*voice.synthesize(text, voice.voices[0], 1.0)])
    return TranscriptionRequest(Resampler(voice.sample_rate, SAMPLE_RATE).process(samples), word_times=True)


async def main(texts: Sequence[str]) -> None:
    """Compare threads with processes."""
    requests = [spoken(text) for text in texts]
    settings = Settings(offline=True)
    with loaded(settings) as threads, loaded(replace(settings, decoders_in_processes=True)) as processes:
        ways = {"threads": threads, "processes": processes}
        found = [await finals(handle, requests, 1) for handle in ways.values()]
        differing = sum(one.words != other.words for one, other in zip(*found, strict=True))
        print(f"{len(requests)} texts, {differing} transcripts differ")
        for together in TOGETHER:
            costs = {name: Cost() for name in ways}
            for round_number in range(ROUNDS):
                for number, batch in enumerate(batches(requests, together)):
                    order = [*ways] if (round_number + number) % 2 else [*reversed(ways)]
                    for name in order:
                        await timed(ways[name], batch, number, costs[name])
            for name, cost in costs.items():
                least = statistics.mean(map(min, cost.seconds.values()))
                print(
                    f"{together:2} at a time, {name:9}: {1000 * least:6.1f} ms, "
                    f"{cost.cpu_seconds / cost.audio_seconds:.4f} s of processor time for a second of audio"
                )


if __name__ == "__main__":
    asyncio.run(main(TEXTS[: int(sys.argv[1]) if len(sys.argv) > 1 else None]))
