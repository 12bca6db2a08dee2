"""What captions cost against the length of utterances and against the age of a session."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.plan import Plan
from tests.bench.scoring import frames, percentile, score
from tests.bench.service_cost import Cost, watched
from tests.bench.speech_clips import SpeechClip
from tests.bench.speech_tracks import Track, cut_into_utterances, lay_out, monologue
from tests.bench.streams import FRAME_SECONDS, StreamRecord, play
from tests.bench.under_load import GAP_SECONDS, LoadFigures, run_streams
from tests.support.running_service import RunningService, running_service


@dataclass(frozen=True, slots=True)
class LengthFigures:
    """One stream of utterances of about the same length; only `cpu_seconds_per_speech_second` leaves out the pauses."""

    utterance_seconds: float
    utterances: int
    cpu_seconds_per_speech_second: float
    run: LoadFigures


@dataclass(frozen=True, slots=True)
class AgeFigures:
    """A stretch of one long session, which ends `age_seconds` after its beginning."""

    age_seconds: float
    commit_lag_p50: float | None
    commit_lag_p95: float | None
    settled_lag_p50: float | None
    settled_lag_p95: float | None
    cpu_seconds_per_audio_second: float
    memory_mb: float


def cost_by_length(model: str, reading: SpeechClip, plan: Plan) -> Iterator[LengthFigures]:
    """Measure the same reader and text, cut into short and into long utterances."""
    with running_service(log_level="warning", transcription_model=model) as service:
        for wanted in plan.utterance_seconds:
            clips = cut_into_utterances(reading, wanted)
            count = max(1, min(len(clips), round(plan.cost_seconds / (wanted + GAP_SECONDS))))
            clips = clips[:count]
            speech_seconds = sum(clip.seconds for clip in clips)
            print(f"{model}: utterances of {wanted:.0f} s ...", file=sys.stderr, flush=True)
            run = run_streams(service, model, [lay_out(clips, GAP_SECONDS, seed=1)])
            cpu = run.cpu_seconds_per_audio_second * run.audio_seconds
            yield LengthFigures(speech_seconds / count, count, cpu / speech_seconds, run)


def cost_by_age(model: str, reading: SpeechClip, plan: Plan) -> list[AgeFigures]:
    """Measure one speaker who does not pause, in stretches of a long session."""
    track = monologue(reading, plan.monologue_seconds)
    print(f"{model}: a monologue of {track.seconds:.0f} s ...", file=sys.stderr, flush=True)
    with running_service(log_level="warning", transcription_model=model) as service:
        record, cost = asyncio.run(_speak(service, track))
    if record.failure or record.refused:
        raise RuntimeError(record.failure or "the service refused the only stream")
    return list(stretches(track, record, cost, plan.stretch_seconds))


async def _speak(service: RunningService, track: Track) -> tuple[StreamRecord, Cost]:
    async with watched(service) as cost:
        (record,) = await play(service.realtime_url, [track])
    return record, cost


def stretches(track: Track, record: StreamRecord, cost: Cost, seconds: float) -> Iterator[AgeFigures]:
    """Yield a row for every `seconds` of the track; a last part of less than half of that joins the row before."""
    measured = score(track.words, list(frames(record.events)), FRAME_SECONDS)
    count = max(1, round(track.seconds / seconds))
    for number in range(count):
        start, end = number * seconds, track.seconds if number == count - 1 else (number + 1) * seconds
        commit, settled = (
            [lag for word, lag in lags.items() if start <= track.words[word].end < end]
            for lags in (measured.commit_lags, measured.settled_lags)
        )
        yield AgeFigures(
            age_seconds=end,
            commit_lag_p50=percentile(commit, 0.5),
            commit_lag_p95=percentile(commit, 0.95),
            settled_lag_p50=percentile(settled, 0.5),
            settled_lag_p95=percentile(settled, 0.95),
            cpu_seconds_per_audio_second=cost.cpu_seconds(record.began + start, record.began + end) / (end - start),
            memory_mb=cost.memory_at(record.began + end),
        )
