import io
from collections.abc import Callable
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.events import Completed, Word
from clients.subtitles import FRAMES, LINE, LINES, LONGEST, PAUSE, SHORTEST, Cue, cues, srt, vtt

SPEECH = (
    "Please bring the minutes of the last meeting, and the list of those who came. On 3 October 2024 Anna Katharina "
    "Schmidt asked for 17.5 million euros, which was refused; nobody knows why."
)


def turn(text: str, start: float = 0.0, seconds: float = 0.3) -> Completed:
    """Say a text with a word every `seconds`."""
    words = [
        Word(each, start + index * seconds, start + (index + 0.9) * seconds) for index, each in enumerate(text.split())
    ]
    return Completed("item", text, tuple(words))


def test_words_keep_their_order_and_their_spaces() -> None:
    lines = [line for cue in cues([turn(SPEECH)]) for line in cue.lines]
    assert " ".join(lines) == SPEECH


def test_a_language_without_spaces_gets_none() -> None:
    words = (Word("今天", 0.0, 0.5), Word("天气", 0.5, 1.0), Word("很好。", 1.0, 1.5))
    assert cues([Completed("item", "今天天气很好。", words)]) == [Cue(0.0, 1.5, ("今天天气很好。",))]


def test_names_and_numbers_are_not_torn_apart() -> None:
    lines = [line for cue in cues([turn(SPEECH)]) for line in cue.lines]
    for whole in ("Anna Katharina Schmidt", "3 October 2024", "17.5 million"):
        assert any(whole in line for line in lines), lines


def test_a_short_word_is_shown_for_a_second_where_there_is_time() -> None:
    first, second = cues([turn("Yes.", 0.0, 0.2), turn("No.", 5.0, 0.2)])
    assert first.end - first.start == SHORTEST
    assert second.end - second.start == SHORTEST


def test_short_gaps_are_closed_but_for_two_frames() -> None:
    first, second = cues([turn("This is the first of two.", 0.0, 0.3), turn("That is the second.", 2.1, 0.3)])
    assert second.start - first.end == pytest.approx(FRAMES)


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "word", "Extraordinary,", "unpronounceable.", "42", "会议"]),
                  st.floats(0.05, 1.5), st.floats(0.0, 0.8)),
        min_size=1, max_size=60,
    )
)  # fmt: skip
def test_the_rules_hold_for_any_speech(said: list[tuple[str, float, float]]) -> None:
    at, words = 0.0, []
    for text, seconds, pause in said:
        words.append(Word(text, at, at + seconds))
        at += seconds + pause
    found = cues([Completed("item", " ".join(text for text, *_ in said), tuple(words))])
    assert " ".join(line for cue in found for line in cue.lines).split() == [text for text, *_ in said]
    for cue in found:
        assert len(cue.lines) <= LINES
        assert all(len(line) <= LINE for line in cue.lines)
        assert cue.end - cue.start <= LONGEST + 1e-6
        assert cue.end >= cue.start
    for first, second in pairwise(found):
        assert first.end <= second.start + 1e-6
        assert first.end - first.start >= min(SHORTEST, second.start - first.start - PAUSE) - 1e-6


@pytest.mark.parametrize(("write", "muxer"), [(srt, "srt"), (vtt, "webvtt")])
def test_players_read_the_files(write: Callable[[list[Completed]], str], muxer: str) -> None:
    text = write([turn("Cats & <dogs>.", 3661.0), turn("The end.", 3665.0)])
    with av.open(io.BytesIO(text.encode()), "r", format=muxer) as file:
        times = [packet.pts * packet.time_base for packet in file.demux() if packet.pts is not None and packet.size]
    assert times == [3661, 3665]


def test_text_is_escaped_in_webvtt_only() -> None:
    assert "Cats &amp; &lt;dogs&gt;." in vtt([turn("Cats & <dogs>.")])
    assert "Cats & <dogs>." in srt([turn("Cats & <dogs>.")])


def test_turns_without_times_are_left_out() -> None:
    assert srt([Completed("item", "Hello.")]) == ""
