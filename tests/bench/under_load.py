"""Captions for many concurrent streams: lag, accuracy, cost, and how many streams a machine sustains."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from realtime.scheduling.admission import DEFAULT_LOAD_LIMIT
from tests.bench.plan import Plan
from tests.bench.scoring import StreamScore, final_seconds, frames, percentile, score, word_error_rate
from tests.bench.service_cost import Cost, watched
from tests.bench.speech_clips import SpeechClip
from tests.bench.speech_tracks import Track, shuffled_track
from tests.bench.streams import FRAME_SECONDS, StreamRecord, play
from tests.bench.whole_files import WholeFiles
from tests.support.running_service import RunningService, running_service

GAP_SECONDS: Final = 1.0
MAX_COMMIT_LAG: Final = 3.0
MAX_WORD_ERROR_RATE: Final = 0.1
"""A machine sustains as many streams as stay below this p95 commit lag, in seconds, and this word error rate."""

SEARCH_STEP: Final = 8
"""Streams by which the search for the capacity goes up."""

SEARCH_RESOLUTION: Final = 4
"""Streams between the largest sustained and the smallest failed number at which the search ends."""

MAX_RUNS_BESIDE: Final = 5
"""Runs after which the search beside the number of admitted streams ends in any case."""

STRETCH_SECONDS: Final = 5.0
"""Seconds of a run that are one point of a plot: about ten words of each stream."""

SESSIONS: Final = "128"
NO_LIMIT: Final = "99"
"""Settings `max_sessions` and `load_limit` high enough that no stream is refused: overload must show in the tables."""


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """One run. Seconds, and lags of words, as `StreamScore` defines them; None where nothing was heard.

    Lags are those of the words that end while all streams play. Everything but `streams` and `refused` is about the
    streams that were not refused. `audio_seconds` is their sum. Where `sent_late`, the most by which a frame was late,
    is not small, either the service stopped reading or this program did not get to run.
    """

    model: str
    streams: int
    refused: int
    failures: tuple[str, ...]
    audio_seconds: float
    words: int
    words_recognised: int
    word_error_rate: float
    whole_file_error_rate: float | None
    """Of the same clips through faster-whisper, each as a whole file; None where that was not measured."""
    commit_lag_p50: float | None
    commit_lag_p95: float | None
    worst_commit_lag_p95: float | None
    """The p95 of the stream in which it is highest."""
    lag_over_time: tuple[tuple[float, float, float], ...]
    """For each stretch of `STRETCH_SECONDS` in which words end: its end in seconds since the first stream began, and
    the median and the p95 commit lag."""
    settled_lag_p50: float | None
    settled_lag_p95: float | None
    first_partial_p50: float | None
    final_after_endpoint_p50: float | None
    final_after_endpoint_p95: float | None
    cpu_seconds_per_audio_second: float
    engine_seconds_per_audio_second: Mapping[str, float]
    """By what the recognizer did, such as "decode partial"."""
    peak_memory_mb: float
    cores_of_others: float
    sent_late: float

    @property
    def held(self) -> bool:
        """Whether lag and errors are within the limits.

        Lags exist only for words that arrived: without the limit on errors, a server that drops words would look fast.
        """
        on_time = self.commit_lag_p95 is not None and self.commit_lag_p95 <= MAX_COMMIT_LAG
        return on_time and self.word_error_rate <= MAX_WORD_ERROR_RATE and not self.refused and not self.failures


def run_streams(
    service: RunningService, model: str, tracks: Sequence[Track], whole: WholeFiles | None = None
) -> LoadFigures:
    """Play the tracks concurrently; with `whole`, add the error rate of the same clips as whole files."""

    async def run() -> tuple[list[StreamRecord], Cost]:
        async with watched(service) as cost:
            records = await play(service.realtime_url, tracks)
        return records, cost

    before = engine_seconds(service)
    records, cost = asyncio.run(run())
    engine = {work: seconds - before.get(work, 0.0) for work, seconds in engine_seconds(service).items()}
    admitted = [(track, each) for track, each in zip(tracks, records, strict=True) if not each.refused]
    scores = [score(track.words, list(frames(each.events)), FRAME_SECONDS) for track, each in admitted]
    figures = summary(model, admitted, scores, cost, engine, refused=len(records) - len(admitted))
    if whole is None:
        return figures
    played = [clip for track, _ in admitted for clip in track.clips]
    return replace(figures, whole_file_error_rate=whole.error_rate(played))


def engine_seconds(service: RunningService) -> dict[str, float]:
    """Return what the recognizers have spent so far, by what they did, such as "decode partial"."""
    spent: dict[str, float] = defaultdict(float)
    text = httpx.get(f"http://{service.address}/metrics").text
    for sample in chain.from_iterable(family.samples for family in text_string_to_metric_families(text)):
        if sample.name == "vivavoce_engine_seconds_total":
            spent[f"{sample.labels['stage']} {sample.labels['request']}"] += sample.value
    return dict(spent)


def summary(
    model: str, admitted: Sequence[tuple[Track, StreamRecord]], scores: Sequence[StreamScore], cost: Cost,
    engine: Mapping[str, float], refused: int,
) -> LoadFigures:  # fmt: skip
    """Compute the figures of all words of all streams together."""
    played = [(track, record) for track, record in admitted if record.began]
    first = min((record.began for _, record in played), default=0.0)
    all_from = max((record.began for _, record in played), default=0.0)
    all_until = min((record.began + track.seconds for track, record in played), default=0.0)

    def ends(track: Track, record: StreamRecord, lags: Mapping[int, float]) -> list[tuple[float, float]]:
        """Return the end of each word and its lag, for those that end while all streams play."""
        known = [(record.began + track.words[word].end, lag) for word, lag in lags.items()]
        return [(end - first, lag) for end, lag in known if all_from <= end <= all_until]

    commits = [ends(*each, score.commit_lags) for each, score in zip(admitted, scores, strict=True)]
    commit = [lag for each in commits for _, lag in each]
    settled = [lag for each, score in zip(admitted, scores, strict=True) for _, lag in ends(*each, score.settled_lags)]
    finals = list(chain.from_iterable(final_seconds(each.events) for _, each in admitted))
    audio_seconds = sum(track.seconds for track, _ in admitted)
    return LoadFigures(
        model=model,
        streams=len(admitted) + refused,
        refused=refused,
        failures=tuple(each.failure for _, each in admitted if each.failure),
        audio_seconds=audio_seconds,
        words=sum(len(track.words) for track, _ in admitted),
        words_recognised=sum(len(each.commit_lags) for each in scores),
        word_error_rate=word_error_rate([track.text for track, _ in admitted], [each.transcript for each in scores]),
        whole_file_error_rate=None,
        commit_lag_p50=percentile(commit, 0.5),
        commit_lag_p95=percentile(commit, 0.95),
        worst_commit_lag_p95=max(
            filter(None, (percentile((lag for _, lag in each), 0.95) for each in commits)), default=None
        ),
        lag_over_time=tuple(lag_over_time(chain.from_iterable(commits))),
        settled_lag_p50=percentile(settled, 0.5),
        settled_lag_p95=percentile(settled, 0.95),
        first_partial_p50=percentile(chain.from_iterable(each.first_partials for each in scores), 0.5),
        final_after_endpoint_p50=percentile(finals, 0.5),
        final_after_endpoint_p95=percentile(finals, 0.95),
        cpu_seconds_per_audio_second=cost.cpu_seconds() / audio_seconds if audio_seconds else 0.0,
        engine_seconds_per_audio_second={
            work: round(seconds / audio_seconds, 4) for work, seconds in engine.items() if audio_seconds
        },
        peak_memory_mb=max(cost.memory_mb),
        cores_of_others=cost.cores_of_others,
        sent_late=max((each.sent_late for _, each in admitted), default=0.0),
    )


def lag_over_time(commits: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float, float]]:
    """Yield the end of each stretch with words, and the median and the p95 of their commit lags.

    `commits` are the end of each word, in seconds since the first stream began, and its lag.
    """
    stretches: dict[int, list[float]] = defaultdict(list)
    for end, lag in commits:
        stretches[int(end // STRETCH_SECONDS)].append(lag)
    for number, lags in sorted(stretches.items()):
        median, high = percentile(lags, 0.5), percentile(lags, 0.95)
        assert median is not None and high is not None  # noqa: PT018 - of lags that are there
        yield (number + 1) * STRETCH_SECONDS, round(median, 3), round(high, 3)


def load_run(
    model: str,
    clips: Sequence[SpeechClip],
    streams: int,
    plan: Plan,
    whole: WholeFiles | None = None,
    settings: Mapping[str, str] | None = None,
    checkout: Path | None = None,
) -> LoadFigures:
    """Play this many streams into a fresh service (`tracks_of`).

    `settings` are added to those of the service, `checkout` is the directory of another version of it.
    """
    with service_under_load(model, settings, checkout) as service:
        return run_streams(service, model, tracks_of(model, clips, streams, plan), whole)


def service_under_load(
    model: str, settings: Mapping[str, str] | None = None, checkout: Path | None = None
) -> AbstractContextManager[RunningService]:
    """Run a service that refuses no stream, unless `settings` say otherwise."""
    common = {"log_level": "warning", "transcription_model": model, "max_sessions": SESSIONS, "load_limit": NO_LIMIT}
    return running_service(None, 0, checkout, **(common | dict(settings or {})))


def tracks_of(model: str, clips: Sequence[SpeechClip], streams: int, plan: Plan) -> list[Track]:
    """Return what so many streams play; stream number k plays the same in every run of the same length."""
    seconds = plan.one_stream_seconds if streams == 1 else plan.load_seconds
    print(f"{model}: N = {streams}, {seconds:.0f} s ...", file=sys.stderr, flush=True)
    return [shuffled_track(clips, seconds, GAP_SECONDS, seed) for seed in range(streams)]


def search_capacity(
    model: str, clips: Sequence[SpeechClip], plan: Plan, known: Sequence[LoadFigures]
) -> Iterator[LoadFigures]:
    """Yield further runs until the capacity is known."""
    held = {run.streams: run.held for run in known}
    while (streams := next_count(held, plan.max_streams)) is not None:
        run = load_run(model, clips, streams, plan)
        held[streams] = run.held
        yield run


def admission_run(model: str, clips: Sequence[SpeechClip], plan: Plan) -> LoadFigures:
    """Offer a fresh service with the default limit more streams than it can follow."""
    return load_run(model, clips, plan.offered_streams, plan, settings={"load_limit": str(DEFAULT_LOAD_LIMIT)})


def search_beside(model: str, clips: Sequence[SpeechClip], plan: Plan, admitted: int) -> Iterator[LoadFigures]:
    """Yield runs without a limit until the capacity is known beside the streams that were admitted."""
    held: dict[int, bool] = {}
    while (streams := next_beside(held, admitted, plan.max_streams)) is not None:
        run = load_run(model, clips, streams, plan)
        held[streams] = run.held
        yield run


def next_beside(held: Mapping[int, bool], admitted: int, max_streams: int) -> int | None:
    """Return the number of streams to try next: from `admitted` by two, up while runs hold, down while none does."""
    if not held:
        return admitted
    if any(held.values()) and not all(held.values()):
        return None
    streams = max(held) + 2 if any(held.values()) else min(held) - 2
    return streams if 0 < streams <= max_streams and len(held) < MAX_RUNS_BESIDE else None


def next_count(held: Mapping[int, bool], max_streams: int) -> int | None:
    """Return the number of streams to try next: upwards until a run fails, then between; None if enough is known."""
    best = capacity(held)
    too_many = min((streams for streams, was_held in held.items() if not was_held and streams > best), default=None)
    if too_many is None:
        return min(best + SEARCH_STEP, max_streams) if best < max_streams else None
    return best + SEARCH_RESOLUTION if too_many - best > SEARCH_RESOLUTION else None


def capacity(held: Mapping[int, bool]) -> int:
    """Return the largest sustained number of streams."""
    return max((streams for streams, was_held in held.items() if was_held), default=0)
