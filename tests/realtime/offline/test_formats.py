"""Transcripts as text."""

from dataclasses import replace

from realtime.audio.formats import SAMPLE_RATE
from realtime.offline.formats import to_dict, to_srt, to_text, to_vtt
from realtime.offline.transcript import SuppressedSegment
from realtime.speech.suppression import Suppression
from tests.support.transcripts import SILENT, SPOKEN, transcript, word


def test_plain_text_ends_with_a_newline() -> None:
    assert to_text(SPOKEN) == "Hello there. How are you?\n"


def test_srt_and_vtt_have_the_same_cues() -> None:
    numbered = [cue.partition("\n")[2].replace(",", ".") for cue in to_srt(SPOKEN).rstrip().split("\n\n")]
    assert to_vtt(SPOKEN).rstrip().split("\n\n") == ["WEBVTT", *numbered]


def test_lines_have_room_for_the_name_of_the_speaker() -> None:
    said = transcript(tuple(word(f" word{number}", number / 4, number / 4 + 0.25) for number in range(40)))
    of_channel = replace(said, segments=tuple(replace(each, channel=0) for each in said.segments), channels=1)
    lines = [line for cue in to_srt(of_channel).strip().split("\n\n") for line in cue.split("\n")[2:]]
    assert lines[0].startswith("Channel 1: word0 ")
    assert max(map(len, lines)) <= 42
    widths = [len(line) for cue in to_vtt(of_channel).strip().split("\n\n")[1:] for line in cue.split("\n")[1:]]
    assert max(widths) > 42  # the name is in the markup, and not shown


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
