"""More speakers than the service can follow: `python -m tests.bench.hard_cases.arrivals`.

Speakers arrive at random (as a Poisson process), whether others have been refused or not, read for `--talk` seconds and
leave. `--times` is how many of them would speak at once for each that the machine sustains (`--capacity`, see
`make bench BENCH_ARGS="--only capacity"`). The table has how soon the others were refused and with what, and the lag of
those who were admitted.
"""

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from rich.console import Console
from rich.table import Table

from realtime.scheduling.admission import DEFAULT_LOAD_LIMIT
from tests.bench.scoring import final_seconds, frames, percentile, score, word_error_rate
from tests.bench.service_cost import watched
from tests.bench.speech_clips import load_speech, pcm
from tests.bench.speech_tracks import Track, shuffled_track
from tests.bench.streams import FRAME_SECONDS, SILENCE_MS, StreamRecord, listen
from tests.bench.under_load import GAP_SECONDS, SESSIONS
from tests.support.running_service import RunningService, running_service

TRACKS = 40
"""Different readings; the speakers begin with the first one again after the last."""


async def arrive(
    service: RunningService, tracks: Sequence[Track], rate: float, seconds: float
) -> list[tuple[Track, StreamRecord]]:
    """Let `rate` speakers a second arrive for so many seconds; return what became of each."""
    chance, speakers = random.Random(1), list[asyncio.Task[StreamRecord]]()
    audio = [pcm(each.samples) for each in tracks]
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        reading = audio[len(speakers) % len(audio)]
        speaking = listen(
            service.realtime_url, reading, frame_seconds=FRAME_SECONDS, silence_ms=SILENCE_MS, language="en"
        )
        speakers.append(asyncio.create_task(speaking))
        await asyncio.sleep(chance.expovariate(rate))
    records = await asyncio.gather(*speakers)
    return [(tracks[number % len(tracks)], record) for number, record in enumerate(records)]


def row(times: float, outcomes: Sequence[tuple[Track, StreamRecord]], others: float) -> list[str]:
    """Return the row of the table for arrivals at so many times the capacity."""
    admitted = [(track, each) for track, each in outcomes if not each.refused]
    refused = [each for _, each in outcomes if each.refused]
    scores = [score(track.words, list(frames(each.events)), FRAME_SECONDS) for track, each in admitted]
    lags = list(chain.from_iterable(each.commit_lags.values() for each in scores))
    finals = list(chain.from_iterable(final_seconds(each.events) for _, each in admitted))
    answers = Counter(
        f"{each.refusal.status} {each.refusal.code}{'' if each.refusal.retry_after else ' without Retry-After'}"
        for each in refused
        if each.refusal
    )
    return [
        f"{times:g}", str(len(outcomes)), str(len(admitted)), ", ".join(f"{n} x {each}" for each, n in answers.items()),
        seconds_of([each.refused_after for each in refused]), str(sum(bool(each.failure) for _, each in outcomes)),
        seconds_of(lags), seconds_of(finals),
        f"{word_error_rate([track.text for track, _ in admitted], [each.transcript for each in scores]):.1%}",
        f"{others:.2f}",
    ]  # fmt: skip


def seconds_of(values: Sequence[float]) -> str:
    """Return the median, the p95 and the largest."""
    return " / ".join("-" if (at := percentile(values, share)) is None else f"{at:.2f}" for share in (0.5, 0.95, 1.0))


async def measure(
    service: RunningService, tracks: Sequence[Track], times: float, rate: float, seconds: float
) -> list[str]:
    async with watched(service) as cost:
        outcomes = await arrive(service, tracks, rate, seconds)
    return row(times, outcomes, cost.cores_of_others)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--times", type=float, nargs="*", default=[2.0, 5.0])
    options.add_argument("--capacity", type=int, default=24)
    options.add_argument("--seconds", type=float, default=60.0, help="for which speakers arrive")
    options.add_argument("--talk", type=float, default=20.0, help="seconds that each reads")
    options.add_argument("--model", default="whisper-base")
    chosen = options.parse_args()
    with running_service(log_level="error") as service:
        clips = load_speech(service).clips
    tracks = [shuffled_track(clips, chosen.talk, GAP_SECONDS, seed) for seed in range(TRACKS)]
    spoken = sum(track.seconds for track in tracks) / len(tracks)
    table = Table(
        "times", "speakers", "admitted", "refused with", "after (50%, 95%, max)", "failed", "commit lag",
        "final after the end of a turn", "word errors", "cores of others",
    )  # fmt: skip
    for times in chosen.times:
        settings = {"transcription_model": chosen.model, "max_sessions": SESSIONS, "log_level": "error"}
        settings["load_limit"] = str(DEFAULT_LOAD_LIMIT)
        with running_service(**settings) as service:
            rate = times * chosen.capacity / spoken
            table.add_row(*asyncio.run(measure(service, tracks, times, rate, chosen.seconds)))
    Console(width=220).print(table)


if __name__ == "__main__":
    main()
