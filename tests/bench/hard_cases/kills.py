"""What speakers notice of killed recognizers: `python -m tests.bench.hard_cases.kills [--seconds S] [--talkers N]`.

Talkers read sentences of the bundled voice in real time to a service with whisper-base in processes, at first
undisturbed and then while all of these processes are killed every `KILL_SECONDS`. The table has the connections that
were lost, the turns that failed, the word errors, and the lag of finals behind the end of their last word: the largest,
and the largest of those that come more than `RECOVERY_SECONDS` after a kill.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import jiwer
import numpy as np
from rich.console import Console
from rich.table import Table

from clients.captions import caption
from clients.events import Completed, Failed, Reconnected
from clients.playback import play
from realtime.audio.formats import Encoding, Samples, encode
from realtime.engines.hibari import Hibari
from tests.bench.scoring import plain_words
from tests.bench.speech_clips import RATE, TEXTS
from tests.support.recognizer_process import children
from tests.support.running_service import RunningService, running_service

KILL_SECONDS: Final = 20.0
RECOVERY_SECONDS: Final = 10.0
PAUSE: Final = np.zeros(round(0.9 * RATE), np.float32)


@dataclass(slots=True)
class Outcome:
    """What became of the talkers of one run."""

    kills: list[float] = field(default_factory=list)
    finals: list[tuple[float, float]] = field(default_factory=list)
    """When each came, and its lag behind the end of its last word."""
    spoken: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    lost: int = 0
    failed: int = 0

    def largest_lag(self, *, recovered: bool) -> float:
        """Return the largest lag; only of finals that came long enough after the last kill, if `recovered`."""
        return max(
            lag
            for at, lag in self.finals
            if not recovered or all(not 0 <= at - kill <= RECOVERY_SECONDS for kill in self.kills)
        )


def frames(samples: Samples) -> Iterator[bytes]:
    """Yield PCM in pieces of 100 ms."""
    pcm = encode(samples, Encoding.PCM16)
    for start in range(0, len(pcm), RATE // 5):
        yield pcm[start : start + RATE // 5]


async def talk(service: RunningService, sentences: list[tuple[str, Samples]], outcome: Outcome) -> None:
    """Read sentences, and record what comes back."""
    audio = np.concatenate([part for _, samples in sentences for part in (samples, PAUSE)])
    began, texts = time.monotonic(), list[str]()
    async with caption(play(frames(audio), fast=False), f"ws://{service.address}", language="en") as captions:
        async for event in captions:
            match event:
                case Completed() if event.words:
                    texts.append(event.text)
                    now = time.monotonic()
                    outcome.finals.append((now, now - began - event.words[-1].end))
                case Failed():
                    outcome.failed += 1
                case Reconnected():
                    outcome.lost += 1
    outcome.spoken.append(" ".join(plain_words(" ".join(text for text, _ in sentences))))
    outcome.heard.append(" ".join(plain_words(" ".join(texts))))


async def kill(service: RunningService, outcome: Outcome) -> None:
    """Kill all recognizers again and again."""
    while True:
        await asyncio.sleep(KILL_SECONDS)
        outcome.kills.append(time.monotonic())
        for child in children(service.process_id):
            child.kill()


async def run(service: RunningService, talkers: list[list[tuple[str, Samples]]], *, kills: bool) -> Outcome:
    """Let all talkers read at the same time."""
    outcome = Outcome()
    killing = asyncio.create_task(kill(service, outcome)) if kills else None
    await asyncio.gather(*(talk(service, sentences, outcome) for sentences in talkers))
    if killing is not None:
        killing.cancel()
    return outcome


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=80.0)
    options.add_argument("--talkers", type=int, default=3)
    chosen = options.parse_args()
    voice, chance = Hibari(), random.Random(2)
    spoken = [(text, np.concatenate([*voice.synthesize(text, voice.voices[0], 1.0)])) for text in TEXTS]
    assert voice.sample_rate == RATE
    each = sum(len(samples) + len(PAUSE) for _, samples in spoken) / len(spoken) / RATE
    talkers = [chance.choices(spoken, k=round(chosen.seconds / each)) for _ in range(chosen.talkers)]
    table = Table(
        "", "kills", "lost", "failed", "finals", "word errors", "lag", f"lag {RECOVERY_SECONDS:g} s after kills"
    )
    with running_service(decoders_in_processes="true", load_limit="10") as service:
        for name, kills in (("undisturbed", False), ("killed", True)):
            outcome = asyncio.run(run(service, talkers, kills=kills))
            table.add_row(
                name, f"{len(outcome.kills)}", f"{outcome.lost}", f"{outcome.failed}", f"{len(outcome.finals)}",
                f"{jiwer.wer(outcome.spoken, outcome.heard):.1%}", f"{outcome.largest_lag(recovered=False):.1f} s",
                f"{outcome.largest_lag(recovered=True):.1f} s",
            )  # fmt: skip
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
