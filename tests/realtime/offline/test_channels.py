"""Recordings of which each channel is a speaker, with scripted models: a tone of 440 Hz is the word ` 440.`."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.errors import AudioTooShort
from realtime.offline.formats import streamed, to_dict, to_srt, to_text, to_vtt
from realtime.offline.job import TranscriptionJob
from realtime.offline.options import OfflineOptions
from realtime.offline.transcript import Transcript
from tests.support.recordings import silence, tone
from tests.support.scripted_models import ScriptedDetector, ScriptedRecognizer

SEPARATE = OfflineOptions(("en",), separate_channels=True)


def joined(*parts: Samples) -> Samples:
    return np.concatenate(parts)


CALL = np.stack(
    [
        joined(silence(1), tone(2, 440), silence(8), tone(2, 660), silence(5)),
        joined(silence(5), tone(2, 880), silence(8), tone(1, 990), silence(2)),
    ]
)
"""Turns that begin after 1, 5, 11 and 15 s, on the first and the second channel in turn."""


async def blocks(samples: NDArray[np.float32], seconds: float = 10.0) -> AsyncIterator[NDArray[np.float32]]:
    for start in range(0, samples.shape[1], round(seconds * SAMPLE_RATE)):
        yield samples[:, start : start + round(seconds * SAMPLE_RATE)]


def job(samples: NDArray[np.float32], seconds: float = 10.0, options: OfflineOptions = SEPARATE) -> TranscriptionJob:
    detector, recognizer = ScriptedDetector(), ScriptedRecognizer("whisper-base")
    return TranscriptionJob(blocks(samples, seconds), detector, recognizer, options)


def transcribed(samples: NDArray[np.float32]) -> Transcript:
    return asyncio.run(job(samples).whole())


@pytest.mark.parametrize("seconds", [0.3, 10.0, 20.0])
def test_segments_of_all_channels_are_in_the_order_in_which_they_begin(seconds: float) -> None:
    async def scene() -> list[tuple[int | None, str]]:
        return [(each.channel, each.hypothesis.text.strip()) async for each in job(CALL, seconds).segments()]

    assert asyncio.run(scene()) == [(0, "440."), (1, "880."), (0, "660."), (1, "990.")]


def test_the_position_is_where_all_channels_are_done() -> None:
    async def scene() -> list[int]:
        work = job(CALL, 1.0)
        return [0, *[work.position async for _ in work.segments()], work.position]

    positions = asyncio.run(scene())
    assert positions == sorted(positions)
    assert positions[-1] == CALL.shape[1]


def test_the_text_is_a_dialogue() -> None:
    transcript = transcribed(CALL)
    assert (transcript.channels, transcript.samples) == (2, CALL.shape[1])
    assert to_text(transcript) == "Channel 1: 440.\nChannel 2: 880.\nChannel 1: 660.\nChannel 2: 990.\n"


def test_what_a_speaker_says_without_an_answer_is_one_line() -> None:
    monologue = np.stack([joined(silence(1), tone(2, 440), silence(5), tone(2, 660), silence(2)), silence(12)])
    assert transcribed(monologue).text == "Channel 1: 440. 660."


def test_subtitles_name_the_speaker() -> None:
    transcript = transcribed(CALL)
    assert [cue.splitlines()[-1] for cue in to_vtt(transcript).strip().split("\n\n")[1:3]] == [
        "<v Channel 1>440.",
        "<v Channel 2>880.",
    ]
    assert [cue.splitlines()[-1] for cue in to_srt(transcript).strip().split("\n\n")[:2]] == [
        "Channel 1: 440.",
        "Channel 2: 880.",
    ]


def test_segments_and_words_have_their_channel() -> None:
    shown = to_dict(transcribed(CALL), words=True)
    assert shown["channels"] == 2
    assert [each["channel"] for each in shown["segments"]] == [0, 1, 0, 1]
    assert [(each["word"], each["channel"]) for each in shown["words"]] == [
        ("440.", 0),
        ("880.", 1),
        ("660.", 0),
        ("990.", 1),
    ]


def test_cues_of_speakers_who_talk_at_once_are_in_order() -> None:
    both = np.stack([joined(silence(2), tone(3, 440), silence(3)), joined(silence(1), tone(6, 880), silence(1))])
    assert transcribed(both).text == "Channel 2: 880.\nChannel 1: 440."


def test_a_streamed_text_has_a_line_for_each_segment() -> None:
    segments = transcribed(CALL).segments
    assert [streamed(segment, first=not index) for index, segment in enumerate(segments[:2])] == [
        "Channel 1: 440.",
        "\nChannel 2: 880.",
    ]


def test_crosstalk_is_not_transcribed_twice() -> None:
    speaker = joined(silence(1), tone(2, 440), silence(2))
    assert transcribed(np.stack([speaker, speaker / 30])).text == "Channel 1: 440."


def test_a_recording_of_one_channel_has_one_speaker() -> None:
    transcript = transcribed(CALL[:1])
    assert (transcript.channels, transcript.text) == (1, "Channel 1: 440. 660.")


def test_too_short_a_recording_is_refused() -> None:
    with pytest.raises(AudioTooShort):
        transcribed(np.zeros((2, 100), np.float32))
