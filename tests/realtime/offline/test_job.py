"""One recording from samples to its transcript, with scripted models."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.errors import AudioTooShort
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from tests.support.recordings import silence, tone
from tests.support.scripted_models import ScriptedDetector, ScriptedRecognizer
from tests.support.uploads import LONG, PITCHES


async def blocks(samples: Samples) -> AsyncIterator[Samples]:
    for start in range(0, len(samples), 10 * SAMPLE_RATE):
        yield samples[start : start + 10 * SAMPLE_RATE]


ENGLISH = OfflineOptions(("en",))


def job(samples: Samples, options: OfflineOptions = ENGLISH) -> TranscriptionJob:
    detector, recognizer = ScriptedDetector(), ScriptedRecognizer("whisper-base")
    return TranscriptionJob(blocks(samples), detector, recognizer, options)


def test_the_whole_transcript_has_all_segments() -> None:
    transcript = asyncio.run(job(LONG).whole())
    assert transcript.text == " ".join(f"{pitch}." for pitch in PITCHES)
    assert (transcript.language, transcript.samples) == ("en", len(LONG))


def test_segments_arrive_in_order_and_then_make_the_transcript() -> None:
    async def scene() -> None:
        work = job(LONG)
        segments = [segment async for segment in work.segments()]
        assert work.transcript().segments == tuple(segments)
        assert [segment.start for segment in segments] == sorted(segment.start for segment in segments)

    asyncio.run(scene())


def test_the_position_advances_to_the_end_of_each_segment() -> None:
    async def scene() -> list[int]:
        work = job(LONG)
        return [work.position async for _ in work.segments()]

    positions = asyncio.run(scene())
    assert positions == sorted(set(positions))
    assert positions[-1] > len(LONG) - 2 * SAMPLE_RATE


def test_the_position_advances_where_nobody_speaks_and_ends_with_the_recording() -> None:
    positions = []

    async def watched() -> AsyncIterator[Samples]:
        async for block in blocks(silence(45)):
            yield block
            positions.append(work.position)

    work = TranscriptionJob(watched(), ScriptedDetector(), ScriptedRecognizer("whisper-base"), ENGLISH)
    asyncio.run(work.whole())
    assert positions == sorted(set(positions))
    assert positions[-1] > 44 * SAMPLE_RATE
    assert work.position == 45 * SAMPLE_RATE


def test_the_position_never_goes_back_where_segments_are_short() -> None:
    speech = np.concatenate([part for pitch in range(300, 1500, 50) for part in (tone(0.6, pitch), silence(0.6))])

    async def scene() -> list[int]:
        work = job(speech, OfflineOptions(("en",), multilingual=True))
        return [*[work.position async for _ in work.segments()], work.position]

    positions = asyncio.run(scene())
    assert positions == sorted(positions)
    assert positions[-1] == len(speech)


def test_a_translation_says_so() -> None:
    assert asyncio.run(job(LONG, OfflineOptions(("de",), translate=True)).whole()).translated


def test_a_recording_of_less_than_a_tenth_of_a_second_is_refused() -> None:
    with pytest.raises(AudioTooShort):
        asyncio.run(job(tone(0.09)).whole())


def test_a_recording_without_speech_has_an_empty_transcript() -> None:
    transcript = asyncio.run(job(silence(12)).whole())
    assert (transcript.text, transcript.samples) == ("", 12 * SAMPLE_RATE)
