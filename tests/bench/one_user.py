"""What one user notices: when words appear, when they are final, when the voice begins, what is wrong."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from clients.aio import connect
from clients.events import Completed, Delta, Partial, SpeechStarted
from realtime.settings import Settings
from tests.bench.plan import Plan
from tests.bench.scoring import SpokenWord, final_seconds, percentile, utterances, word_error_rate
from tests.bench.service_cost import watched
from tests.bench.speech_clips import RATE, TEXTS, Speech, SpeechClip, pcm
from tests.bench.speech_tracks import Track, spread_track
from tests.bench.streams import StreamRecord, listen
from tests.bench.whole_files import WholeFiles
from tests.support.running_service import running_service

STARTS: Final = 3
GAP_SECONDS: Final = 1.5

SAME_ONSET: Final = 0.7
"""Seconds that the detector's onset, with its pre-roll, and that of the first word may lie apart."""

SOUND_LEVEL: Final = 650
"""Amplitude of 32768 that counts as sound: about -34 dBFS."""

FRAME_SECONDS: Final = 0.04


class Row(NamedTuple):
    name: str
    value: float
    unit: str


def measure_one_user(speech: Speech, plan: Plan) -> Iterator[Row]:
    """Yield every figure, in the order of measurement."""
    ready = []
    for _ in range(STARTS - 1):
        with running_service(log_level="warning") as service:
            ready.append(service.seconds_to_ready)
    with running_service(log_level="warning") as service:
        ready.append(service.seconds_to_ready)
        yield Row(f"start to ready, weights in place (median of {STARTS})", statistics.median(ready), "s")
        yield Row("resident memory when ready", service.memory_mb(), "MB")

        track = spread_track(speech.sentences, plan.single_stream_seconds, GAP_SECONDS)

        async def stream() -> tuple[StreamRecord, float, float]:
            began = time.monotonic()
            async with watched(service) as cost:
                record = await listen(service.realtime_url, pcm(track.samples), frame_seconds=FRAME_SECONDS)
            return record, cost.cpu_seconds() / (time.monotonic() - began), cost.cores_of_others

        record, cores, others = asyncio.run(stream())
        yield from _caption_rows(record, track)
        yield Row(f"one stream at the pace of speech ({track.seconds:.0f} s)", cores, "CPU cores")
        yield Row("meanwhile used by others (more than 0.1: measure again)", others, "CPU cores")

        audio, sound = asyncio.run(first_audio_seconds(service.realtime_url, TEXTS))
        yield Row(f"time to first audio of a sentence (median of {len(audio)})", 1000 * statistics.median(audio), "ms")
        yield Row("the same to its first sound, played at once", 1000 * statistics.median(sound), "ms")

        clips = speech.sentences[: plan.sentences]
        seconds = sum(clip.seconds for clip in clips)
        began = time.monotonic()
        errors = asyncio.run(clip_error_rate(service.realtime_url, clips))
        took = time.monotonic() - began
        whole = WholeFiles(Settings().transcription_model)
        whole.read(clips)
        yield Row(f"word error rate ({len(clips)} clips, {seconds:.0f} s of speech)", 100 * errors, "%")
        yield Row("the same, each clip whole through faster-whisper, greedily", 100 * whole.error_rate(clips), "%")
        yield Row("the same clips, sent as fast as they are taken", seconds / took, "x real time")
        yield Row("resident memory afterwards", service.memory_mb(), "MB")


def _caption_rows(record: StreamRecord, track: Track) -> Iterator[Row]:
    if record.failure or record.refused:
        raise RuntimeError(record.failure or "the service refused the only stream")
    first, final = first_text_seconds(record, track.words), final_seconds(record.events)
    for what, values, share in (
        ("first text after the end of the first word", first, 0.5),
        ("final text after the endpoint", final, 0.5),
        ("final text after the endpoint", final, 0.95),
    ):
        if (value := percentile(values, share)) is not None:
            yield Row(f"{what} ({'median' if share == 0.5 else 'p95'} of {len(values)})", 1000 * value, "ms")


def first_text_seconds(record: StreamRecord, words: Sequence[SpokenWord]) -> list[float]:
    """Return the seconds from the end of each first word to the first text of its utterance."""
    starts: dict[str, float] = {}
    appeared: dict[str, float] = {}
    for at, event in record.events:
        match event:
            case SpeechStarted(item_id=item, audio_start_ms=start):
                starts[item] = start / 1000
            case Delta(item_id=item) | Partial(item_id=item) | Completed(item_id=item):
                appeared.setdefault(item, at)
            case _:
                pass
    return [
        appeared[item] - first.end
        for first in (words[utterance[0]] for utterance in utterances(words))
        for item, start in starts.items()
        if abs(start - first.start) < SAME_ONSET and item in appeared
    ]


async def first_audio_seconds(url: str, texts: Sequence[str]) -> tuple[list[float], list[float]]:
    """Return, for each text, the seconds until its first audio, and until its first sound if played at once."""
    first_audio, first_sound = [], []
    async with connect(url, transcription=False) as session:
        for text in texts:
            asked = time.monotonic()
            arrived, chunks = None, []
            async for chunk in session.speak(text):
                arrived = arrived or time.monotonic() - asked
                chunks.append(chunk)
            if arrived is None:
                raise RuntimeError(f"the voice was silent: {text}")
            first_audio.append(arrived)
            samples = np.frombuffer(b"".join(chunks), "<i2")
            first_sound.append(arrived + float(np.argmax(np.abs(samples) > SOUND_LEVEL)) / RATE)
    return first_audio, first_sound


async def clip_error_rate(url: str, clips: Sequence[SpeechClip]) -> float:
    """Return the word error rate of the clips, each sent as fast as the server accepts it."""
    records = [await listen(url, pcm(clip.samples), frame_seconds=FRAME_SECONDS, fast=True) for clip in clips]
    if failures := [each.failure for each in records if each.failure]:
        raise RuntimeError("; ".join(failures))
    return word_error_rate([clip.text for clip in clips], [each.text for each in records])
