"""Captions as segments for HTTP Live Streaming."""

import math
from pathlib import Path

import av
import pytest

from clients.events import Completed, Delta, Event, Failed, Partial, SpeechStarted, Word
from clients.hls import LISTED, PATIENCE, SECONDS, HlsCaptions, SegmentsUnwritable


def turn(item: str, text: str, start: float, seconds: float = 0.5) -> Completed:
    """Return a turn whose words take this time each."""
    words = [
        Word(word, start + index * seconds, start + (index + 1) * seconds, 0.9)
        for index, word in enumerate(text.split())
    ]
    return Completed(item, text, tuple(words))


def segment(folder: Path, number: int) -> list[str]:
    """Return the lines of a segment after its header."""
    lines = (folder / f"captions_{number}.vtt").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["WEBVTT", "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000"]
    return [line for line in lines[2:] if line]


def playlist(folder: Path) -> list[str]:
    return (folder / "captions.m3u8").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def captions(tmp_path: Path) -> HlsCaptions:
    return HlsCaptions(tmp_path / "hls", 900_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "hls"


def test_a_player_finds_every_cue_at_its_time(captions: HlsCaptions, folder: Path) -> None:
    for number in range(4):
        start = number * 5.0 + 1.0
        captions.receive(SpeechStarted(f"item_{number}", round(start * 1000)))
        captions.receive(turn(f"item_{number}", f"Sentence number {number}.", start))
        captions.advance(start + 4.0)
    captions.close()
    with av.open(str(folder / "captions.m3u8")) as stream:
        shown = [(packet.pts, bytes(packet).decode()) for packet in stream.demux() if packet.size]
    assert shown == [(number * 5_000 + 1_000, f"Sentence number {number}.") for number in range(4)]
    assert playlist(folder)[-1] == "#EXT-X-ENDLIST"


def test_a_silent_segment_is_empty_and_a_playing_list_has_no_end(captions: HlsCaptions, folder: Path) -> None:
    assert playlist(folder)[-1].startswith("#EXT-X-MEDIA-SEQUENCE:")
    captions.advance(3.0 * SECONDS)
    assert segment(folder, 0) == segment(folder, 1) == []
    assert playlist(folder)[4:] == ["#EXTINF:6.000,", "captions_0.vtt", "#EXTINF:6.000,", "captions_1.vtt"]


def test_a_segment_waits_for_the_transcript_of_a_turn_in_it(captions: HlsCaptions, folder: Path) -> None:
    captions.receive(SpeechStarted("item_1", 4_000))
    captions.advance(11.0)
    assert not (folder / "captions_0.vtt").exists()
    captions.receive(turn("item_1", "The garden is full of flowers.", 4.2, 0.6))
    captions.advance(11.1)
    cue = ["00:00:04.200 --> 00:00:07.800", "The garden is full of flowers."]
    assert segment(folder, 0) == cue
    captions.advance(20.0)
    assert segment(folder, 1) == cue  # it is still shown


def test_a_turn_without_an_end_is_shown_as_far_as_it_is_committed(captions: HlsCaptions, folder: Path) -> None:
    captions.receive(SpeechStarted("item_1", 1_000))
    captions.receive(Partial("item_1", "", "", 4_000))
    captions.receive(Delta("item_1", "The garden is"))
    captions.receive(Partial("item_1", "", "", 7_000))
    captions.receive(Delta("item_1", " full"))
    captions.advance(SECONDS + PATIENCE)
    assert segment(folder, 0) == ["00:00:01.000 --> 00:00:07.000", "The garden is full"]
    captions.receive(turn("item_1", "The garden is full of flowers.", 1.2, 3.0))
    captions.advance(60.0)
    captions.close()
    text = [line for number in range(1, 10) for line in segment(folder, number) if "-->" not in line]
    assert list(dict.fromkeys(text)) == ["The garden is full", "of flowers."]  # a cue is repeated where it goes on


def test_a_turn_without_an_end_is_not_shown_twice_in_a_script_without_spaces(
    captions: HlsCaptions, folder: Path
) -> None:
    text = "花园里开满了花。"
    captions.receive(SpeechStarted("item_1", 1_000))
    captions.receive(Partial("item_1", "", "", 4_000))
    captions.receive(Delta("item_1", text[:3]))
    captions.receive(Partial("item_1", "", "", 5_500))
    captions.receive(Delta("item_1", text[3:5]))
    captions.advance(SECONDS + PATIENCE)
    assert segment(folder, 0) == ["00:00:01.000 --> 00:00:05.500", "花园里开满"]
    words = tuple(Word(each, 1.0 + 3 * number, 4.0 + 3 * number, 0.9) for number, each in enumerate(text))
    captions.receive(Completed("item_1", text, words))
    captions.advance(60.0)
    captions.close()
    shown = [line for number in range(1, 10) for line in segment(folder, number) if "-->" not in line]
    assert "".join(dict.fromkeys(shown)) == "了花。"


def test_text_that_comes_after_its_segment_is_shown_in_the_next(captions: HlsCaptions, folder: Path) -> None:
    captions.advance(20.0)
    captions.receive(turn("item_1", "Too late.", 3.0))
    captions.advance(40.0)
    assert segment(folder, 3) == ["00:00:18.000 --> 00:00:19.000", "Too late."]


@pytest.mark.parametrize("end", [Failed("item_1", "engine_failed", "It broke."), Completed("item_1", "The garden")])
def test_what_was_committed_of_a_turn_that_failed_or_was_cut_off_is_shown(
    captions: HlsCaptions, folder: Path, end: Event
) -> None:
    captions.receive(SpeechStarted("item_1", 1_000))
    captions.receive(Partial("item_1", "", "", 2_000))
    captions.receive(Delta("item_1", "The garden"))
    captions.receive(end)
    captions.advance(30.0)
    assert segment(folder, 0) == ["00:00:01.000 --> 00:00:02.000", "The garden"]


def test_a_recording_that_is_sent_fast_waits_as_long_as_it_takes(folder: Path) -> None:
    captions = HlsCaptions(folder, 900_000, math.inf)
    captions.receive(SpeechStarted("item_1", 1_000))
    captions.advance(3600.0)
    assert not (folder / "captions_0.vtt").exists()


def test_old_segments_are_deleted(captions: HlsCaptions, folder: Path) -> None:
    captions.advance((LISTED + 2.5) * SECONDS)
    assert playlist(folder)[3] == "#EXT-X-MEDIA-SEQUENCE:2"
    assert len(list(folder.glob("*.vtt"))) == LISTED
    assert not list(folder.glob(".*"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SegmentsUnwritable, match=r"cannot write to .*file: Not a directory"):
        HlsCaptions(tmp_path / "file")
