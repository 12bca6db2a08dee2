"""What talkers notice of killed recognizers: `python -m tests.bench.hard_cases.kills`.

Talkers read recorded sentences, or without recordings those of the bundled voice, in real time to a service with its
recognizer in processes: at first undisturbed, and then while one of these processes is killed again and again. The
tables have what became of their turns, how far finals came behind the end of their last word in each 10 s after a kill,
and the memory of the service and of its processes. An hour of twelve talkers:

    python -m tests.bench.hard_cases.kills --minutes 60 --talkers 12 --interval 5 --model whisper-tiny.en
"""

import argparse
import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import jiwer
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from clients.captions import caption
from clients.events import Completed, Failed, Reconnected
from clients.playback import play
from realtime.engines.hibari import Hibari
from tests.bench.scoring import plain_words
from tests.bench.speech_clips import RATE, SPEECH, TEXTS, SpeechClip, pcm, recorded
from tests.support.pending_transcripts import PendingTranscripts
from tests.support.recognizer_process import children
from tests.support.running_service import RunningService, running_service

PAUSE: Final = bytes(2 * round(0.9 * RATE))
FRAME_BYTES: Final = 2 * RATE // 10
SLOT_SECONDS: Final = 10.0
SAMPLING_SECONDS: Final = 5.0
WARM_UP_SHARE: Final = 0.2
"""Part of a run before its memory is expected to stay as it is."""


@dataclass(slots=True)
class Outcome:
    """What became of the talkers of one run; times are seconds since it began.

    `memory` has pairs of MB of resident memory: the service, and its processes together.
    """

    began: float = field(default_factory=time.monotonic)
    kills: list[float] = field(default_factory=list)
    finals: list[tuple[float, float]] = field(default_factory=list)
    """When each came, and its lag behind the end of its last word."""
    spoken: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    memory: list[tuple[float, float, float]] = field(default_factory=list)
    lost: int = 0
    failed: int = 0
    missing: int = 0

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    def lags(self) -> list[float]:
        return [lag for _, lag in self.finals]

    def lags_by_slot(self) -> dict[int, list[float]]:
        """Return lags by the number of the slot after the last kill in which the finals came."""
        slots: dict[int, list[float]] = defaultdict(list)
        for at, lag in self.finals:
            if before := [kill for kill in self.kills if kill <= at]:
                slots[int((at - before[-1]) / SLOT_SECONDS)].append(lag)
        return dict(sorted(slots.items()))

    def growth(self, column: int) -> float:
        """Return the growth of memory after the warm-up, in MB an hour, by least squares."""
        times, *columns = np.array(self.memory).T
        warm = times >= WARM_UP_SHARE * times[-1]
        return float(3600 * np.polyfit(times[warm], columns[column][warm], 1)[0])


def sentences(clips: Sequence[SpeechClip], seconds: float, seed: int, spoken: list[str]) -> Iterator[bytes]:
    """Yield PCM of clips in any order for so many seconds, in frames, and note what is said."""
    chance, left = random.Random(seed), seconds * RATE * 2
    while left > 0:
        clip = chance.choice(clips)
        spoken.append(clip.text)
        data = pcm(clip.samples) + PAUSE
        left -= len(data)
        for start in range(0, len(data), FRAME_BYTES):
            yield data[start : start + FRAME_BYTES]


async def talk(service: RunningService, clips: Sequence[SpeechClip], seconds: float, seed: int, run: Outcome) -> None:
    """Read sentences, and record what comes back."""
    spoken, texts, pending = list[str](), list[str](), PendingTranscripts()
    await asyncio.sleep(0.3 * seed)  # so that they do not speak in step
    source, began = play(sentences(clips, seconds, seed, spoken)), run.now
    async with caption(source, f"ws://{service.address}", language="en") as captions:
        async for event in captions:
            pending.receive(event)
            match event:
                case Completed():
                    texts.append(event.text)
                    if event.words:
                        run.finals.append((run.now, run.now - began - event.words[-1].end))
                case Failed():
                    run.failed += 1
                case Reconnected():
                    run.lost += 1
    run.missing += len(pending.items)
    run.spoken.append(" ".join(plain_words(" ".join(spoken))))
    run.heard.append(" ".join(plain_words(" ".join(texts))))


async def kill(service: RunningService, interval: float, run: Outcome) -> None:
    """Kill the oldest recognizer again and again."""
    while True:
        await asyncio.sleep(interval)
        run.kills.append(run.now)
        children(service.process_id)[0].kill()


async def watch(service: RunningService, run: Outcome) -> None:
    """Read the memory again and again."""
    process = psutil.Process(service.process_id)
    while True:
        own, others = process.memory_info().rss, 0
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                others += child.memory_info().rss
        run.memory.append((run.now, own / 1e6, others / 1e6))
        await asyncio.sleep(SAMPLING_SECONDS)


async def listen(
    service: RunningService, clips: Sequence[SpeechClip], talkers: int, minutes: float, interval: float | None
) -> Outcome:
    """Let all talkers read at the same time, with kills after each `interval` minutes."""
    run = Outcome()
    beside = [asyncio.create_task(watch(service, run))]
    if interval is not None:
        beside.append(asyncio.create_task(kill(service, 60 * interval, run)))
    await asyncio.gather(*(talk(service, clips, 60 * minutes, seed, run) for seed in range(talkers)))
    for task in beside:
        task.cancel()
    return run


def bundled() -> list[SpeechClip]:
    """Return the sentences of the bundled voice."""
    voice = Hibari()
    assert voice.sample_rate == RATE
    say = partial(voice.synthesize, voice=voice.voices[0], speed=1.0)
    return [SpeechClip(text, np.concatenate([*say(text)])) for text in TEXTS]


def tables(runs: dict[str, Outcome]) -> Iterator[Table]:
    """Yield the tables."""
    turns = Table("", "kills", "lost", "failed", "without final", "finals", "word errors", "lag 50%", "95%", "largest")
    for name, run in runs.items():
        half, most, largest = np.percentile(run.lags(), [50, 95, 100])
        turns.add_row(
            name, str(len(run.kills)), str(run.lost), str(run.failed), str(run.missing), str(len(run.finals)),
            f"{jiwer.wer(run.spoken, run.heard):.1%}", f"{half:.1f} s", f"{most:.1f} s", f"{largest:.1f} s",
        )  # fmt: skip
    yield turns
    killed = runs["killed"]
    slots = Table("after a kill", "finals", "lag 50%", "95%", "largest")
    for slot, lags in killed.lags_by_slot().items():
        half, most, largest = np.percentile(lags, [50, 95, 100])
        since = f"{SLOT_SECONDS * slot:.0f} to {SLOT_SECONDS * (slot + 1):.0f} s"
        slots.add_row(since, str(len(lags)), f"{half:.1f} s", f"{most:.1f} s", f"{largest:.1f} s")
    yield slots
    memory = Table("minute", "service", "its processes")
    for minute in range(int(killed.memory[-1][0] / 60) + 1):
        _, own, others = next(each for each in killed.memory if each[0] >= min(60 * minute, killed.memory[-1][0]))
        memory.add_row(str(minute), f"{own:.1f} MB", f"{others:.1f} MB")
    yield memory


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=1.5)
    options.add_argument("--undisturbed", type=float, default=1.5, help="minutes without kills before")
    options.add_argument("--interval", type=float, default=0.4, help="minutes between kills")
    options.add_argument("--talkers", type=int, default=3)
    options.add_argument("--model", default="whisper-base")
    chosen = options.parse_args()
    clips = recorded().sentences if (SPEECH / "manifest.jsonl").is_file() else bundled()
    with running_service(transcription_model=chosen.model, decoders_in_processes="true", log_level="error") as service:
        runs = {
            name: asyncio.run(listen(service, clips, chosen.talkers, minutes, interval))
            for name, minutes, interval in (
                ("undisturbed", chosen.undisturbed, None),
                ("killed", chosen.minutes, chosen.interval),
            )
        }
    console = Console(width=120)
    for table in tables(runs):
        console.print(table)
    service_growth, total = (runs["killed"].growth(column) for column in (0, 1))
    console.print(f"after the warm-up: service {service_growth:+.1f} MB an hour, its processes {total:+.1f} MB an hour")


if __name__ == "__main__":
    main()
