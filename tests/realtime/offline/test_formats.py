"""Transcripts as text."""

from dataclasses import replace

from realtime.audio.formats import SAMPLE_RATE
from realtime.offline.formats import to_dict, to_srt, to_text, to_vtt
from realtime.offline.transcript import SuppressedSegment
from realtime.speech.suppression import Suppression
from tests.support.transcripts import SILENT, SPOKEN


def test_plain_text_ends_with_a_newline() -> None:
    assert to_text(SPOKEN) == "Hello there. How are you?\n"


def test_srt_and_vtt_have_the_same_cues() -> None:
    numbered = [cue.partition("\n")[2].replace(",", ".") for cue in to_srt(SPOKEN).rstrip().split("\n\n")]
    assert to_vtt(SPOKEN).rstrip().split("\n\n") == ["WEBVTT", *numbered]


def test_a_recording_without_speech_has_no_subtitles() -> None:
    assert (to_srt(SILENT), to_vtt(SILENT)) == ("", "WEBVTT\n\n")


def test_segments_and_words_are_there_on_demand() -> None:
    neither = to_dict(SPOKEN, segments=False)
    assert (neither["segments"], neither["words"]) == (None, None)
    both = to_dict(SPOKEN, words=True)
    assert [segment["text"] for segment in both["segments"]] == [" Hello there.", " How are", " you?"]
    assert [word["word"] for word in both["words"]] == ["Hello", "there.", "How", "are", "you?"]


def test_suppressed_segments_are_there_if_there_are_any() -> None:
    suppressed = (SuppressedSegment(SAMPLE_RATE, 2 * SAMPLE_RATE, Suppression.REPETITION),)
    assert "suppressed" not in to_dict(SPOKEN)
    assert to_dict(replace(SPOKEN, suppressed=suppressed))["suppressed"] == [
        {"start": 1.0, "end": 2.0, "reason": "repetition"}
    ]
