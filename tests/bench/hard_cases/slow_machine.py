"""Captions for many streams while other programs take a part of the machine.

    python -m tests.bench.hard_cases.slow_machine [SECONDS [SHARE [STREAMS ...]]]

The others start when a third of the time is over. The table has the lag of the words that were spoken before and after
that, how late the final transcript of a turn was after its end, and how long it took until a further session would have
been refused.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from realtime.scheduling.admission import DEFAULT_LOAD_LIMIT
from tests.bench.competitors import SHORT_PERIOD, competitors
from tests.bench.scoring import final_seconds, frames, percentile, score
from tests.bench.service_cost import watched
from tests.bench.speech_clips import load_speech
from tests.bench.speech_tracks import Track, shuffled_track
from tests.bench.streams import FRAME_SECONDS, StreamRecord, play
from tests.bench.under_load import GAP_SECONDS, SESSIONS
from tests.support.running_service import RunningService, running_service

PROBE_SECONDS: Final = 1.0
"""Seconds between two looks at the load."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the service said of itself at one moment, in seconds since the streams began."""

    at: float
    interval: float
    """Seconds between the partials of one speaker."""
    busy: float
    admits: bool
    """Whether it would have admitted another session."""


async def probe(service: RunningService, began: float) -> Probe:
    """Read the metrics, and ask for a session that is given up at once."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://{service.address}/metrics")).text
    values = {each.name: each.value for family in text_string_to_metric_families(text) for each in family.samples}
    try:
        async with connect(service.realtime_url):
            admits = True
    except InvalidStatus:
        admits = False
    interval, busy = values["vivavoce_partial_interval_seconds"], values["vivavoce_engine_busy_share"]
    return Probe(time.monotonic() - began, interval, busy, admits)


async def measure(
    service: RunningService, tracks: Sequence[Track], share: float, slow_from: float
) -> tuple[list[StreamRecord], list[Probe], float]:
    """Play the tracks, slow the machine down after a while, and look at the load meanwhile."""
    probes: list[Probe] = []
    began = time.monotonic()

    async def slow_down() -> None:
        await asyncio.sleep(slow_from)
        with competitors(share, SHORT_PERIOD, SHORT_PERIOD):
            await asyncio.Event().wait()

    async def watch() -> None:
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            probes.append(await probe(service, began))

    others = [asyncio.create_task(slow_down()), asyncio.create_task(watch())]
    async with watched(service) as cost:
        records = await play(service.realtime_url, tracks)
    for each in others:
        each.cancel()
    await asyncio.wait(others)
    return records, probes, cost.cores_of_others


def main(seconds: float, share: float, counts: Sequence[int]) -> None:
    """Print a row for each number of streams."""
    slow_from = seconds / 3
    with running_service(log_level="warning") as service:
        clips = load_speech(service).clips
    print(
        f"{share:.0%} of the machine taken from {slow_from:.0f} s on, {seconds:.0f} s in all; lag p50 / p95 / max in s"
    )
    for count in counts:
        tracks = [shuffled_track(clips, seconds, GAP_SECONDS, seed) for seed in range(count)]
        with running_service(log_level="warning", max_sessions=SESSIONS, load_limit=str(DEFAULT_LOAD_LIMIT)) as service:
            records, probes, others = asyncio.run(measure(service, tracks, share, slow_from))
        admitted = [(track, each) for track, each in zip(tracks, records, strict=True) if not each.refused]
        early: list[float] = []
        late: list[float] = []
        finals = [
            lag
            for _, each in admitted
            for lag in final_seconds([event for event in each.events if event[0] >= slow_from])
        ]
        for track, each in admitted:
            for word, lag in score(track.words, list(frames(each.events)), FRAME_SECONDS).commit_lags.items():
                (late if track.words[word].end >= slow_from else early).append(lag)
        refused_at = next((each.at - slow_from for each in probes if each.at > slow_from and not each.admits), None)
        print(
            f"N = {count} ({len(admitted)} admitted): before {_lags(early)}, after {_lags(late)}, "
            f"finals {_lags(finals)}; refuses "
            f"{'never' if refused_at is None else f'after {refused_at:.0f} s'}; {others:.2f} cores of others; "
            f"{sum(bool(each.failure) for each in records)} failed"
        )
        print(
            "   interval, busy, admits: "
            + "  ".join(
                f"{each.at:.0f}:{each.interval:.2f},{each.busy:.2f},{'y' if each.admits else 'n'}"
                for each in probes[::4]
            ),
            flush=True,
        )


def _lags(lags: Sequence[float]) -> str:
    return f"{percentile(lags, 0.5):.2f} / {percentile(lags, 0.95):.2f} / {max(lags):.2f}" if lags else "nothing"


if __name__ == "__main__":
    seconds, share, *counts = (float(each) for each in (*sys.argv[1:], *("45", "0.25", "8")[len(sys.argv) - 1 :]))
    main(seconds, share, [int(each) for each in counts])
