"""How words become subtitles that can be read."""

import json
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.subtitles import Subtitle, SubtitleLayout, subtitle_layout, subtitles
from realtime.speech.transcript import Word

LAYOUT = SubtitleLayout()
SPEECH = Path(__file__).parents[3] / "../shared/speech"
SIDECAR = SPEECH / "words.jsonl"


def spoken(text: str, seconds: float = 0.3, start: float = 0.0, gap: float = 0.0) -> list[Word]:
    """Return the words of a text, each of which takes this time."""
    return [
        Word(f" {word}", round((start + each * (seconds + gap)) * SAMPLE_RATE),
             round((start + each * (seconds + gap) + seconds) * SAMPLE_RATE), 0.9)
        for each, word in enumerate(text.split())
    ]  # fmt: skip


def shown(words: Sequence[Word], layout: SubtitleLayout = LAYOUT, language: str = "en") -> list[tuple[str, ...]]:
    return [each.lines for each in subtitles([(words, language)], layout)]


def test_a_short_sentence_is_one_line() -> None:
    assert shown(spoken("The garden is full of flowers.")) == [("The garden is full of flowers.",)]


def test_a_longer_one_has_two_lines_of_about_the_same_length() -> None:
    (lines,) = shown(spoken("The garden behind the school is full of yellow flowers and bees."))
    assert lines == ("The garden behind the school", "is full of yellow flowers and bees.")


def test_subtitles_and_lines_end_with_clauses() -> None:
    text = "When the rain had stopped at last, the children ran out into the street, and their mother called them back."
    assert shown(spoken(text)) == [
        ("When the rain had stopped at last,",),
        ("the children ran out into the street,", "and their mother called them back."),
    ]


def test_sentences_are_not_mixed_where_each_is_long_enough() -> None:
    text = "The committee meets again on Thursday. Nobody knows yet whether the old bridge will be closed."
    assert shown(spoken(text)) == [
        ("The committee meets again on Thursday.",),
        ("Nobody knows yet whether", "the old bridge will be closed."),
    ]


def test_a_very_short_sentence_is_shown_with_the_next() -> None:
    assert shown(spoken("Yes. The bridge will be closed for two weeks.")) == [
        ("Yes. The bridge will", "be closed for two weeks."),
    ]


def test_a_pause_ends_a_subtitle() -> None:
    words = [*spoken("So I asked him"), *spoken("whether he knew.", start=3.0)]
    assert shown(words) == [("So I asked him",), ("whether he knew.",)]


@pytest.mark.parametrize(
    "text",
    [
        "It was written in the early spring by Maria Louisa Fernanda Gonzalez of Guadalajara, who had never left it.",
        "The whole of the new station on the other side of the river costs 300 million euros in the end, they say.",
        "be closed for 12 weeks. It was written by Maria Louisa Fernanda Gonzalez of Guadalajara, who had left it.",
        "the earlier of which also was printed at Maintz by Maria Louisa in the year fourteen sixty-two, they say.",
    ],
)
def test_names_and_numbers_stay_whole(text: str) -> None:
    ends = [line.split()[-1] for lines in shown(spoken(text)) for line in lines]
    assert not {"Maria", "Fernanda", "12", "300"} & set(ends)
    assert "Louisa Fernanda" not in text or "Louisa" not in ends


def test_a_subtitle_stays_long_enough_to_be_read() -> None:
    (only,) = subtitles([(spoken("Yes.", 0.2), "en")], LAYOUT)
    assert (only.start, only.end) == (0, SAMPLE_RATE)
    fast = spoken("Incomprehensibilities notwithstanding, everything continued.", 0.4)
    (only,) = subtitles([(fast, "en")], LAYOUT)
    assert only.end == pytest.approx(60 / 17 * SAMPLE_RATE, abs=SAMPLE_RATE / 10)


def test_a_short_gap_before_the_next_subtitle_is_closed_but_for_two_frames() -> None:
    words = [*spoken("Incomprehensibilities notwithstanding.", 0.4), *spoken("Everything continued.", start=2.6)]
    first, second = subtitles([(words, "en")], LAYOUT)
    assert second.start - first.end == SAMPLE_RATE * 2 // 25


def test_a_long_silence_stays_empty() -> None:
    words = [*spoken("So I asked him", 0.4), *spoken("whether he knew.", 0.4, start=9.0)]
    first, _ = subtitles([(words, "en")], LAYOUT)
    assert first.end == round(1.6 * SAMPLE_RATE)


def test_chinese_has_sixteen_characters_in_a_line() -> None:
    text = "我们明天上午十点在图书馆前面见面然后一起去看电影"
    words = [Word(each, at * 3_200, at * 3_200 + 3_200, 0.9) for at, each in enumerate(text)]
    lines = [line for lines in shown(words, language="zh") for line in lines]
    assert "".join(lines) == text
    assert max(map(len, lines)) <= 16


def test_more_lines_are_filled_one_after_another() -> None:
    layout = SubtitleLayout(20, 3)
    (lines,) = shown(spoken("The garden behind the school is full of yellow flowers.", 0.2), layout)
    assert lines == ("The garden behind", "the school is full", "of yellow flowers.")


def test_one_line_is_one_line() -> None:
    layout = SubtitleLayout(30, 1)
    assert all(len(each) == 1 for each in shown(spoken("The garden behind the school is full of flowers."), layout))


def test_many_words_at_the_same_time_are_laid_out_at_once() -> None:
    began = time.perf_counter()
    (only,) = shown(spoken("again and " * 100, 0.0), SubtitleLayout(200, 10))
    assert len(only) == 5
    assert time.perf_counter() - began < 5


def test_the_layout_comes_from_what_is_given() -> None:
    assert subtitle_layout(None, None) == LAYOUT
    assert subtitle_layout(30, None) == SubtitleLayout(30, 2)
    assert subtitle_layout(None, 1) == SubtitleLayout(42, 1)
    assert subtitle_layout(0, 2) is None


WORDS = st.lists(
    st.tuples(st.text("abcdefghijklmnop.,A1", min_size=1, max_size=60), st.floats(0.05, 3.0), st.floats(0.0, 1.0)),
    max_size=40,
)


@given(WORDS)
def test_every_word_is_shown_once_in_order_and_subtitles_do_not_overlap(made: list[tuple[str, float, float]]) -> None:
    at, words = 0, []
    for text, seconds, pause in made:
        end = at + round(seconds * SAMPLE_RATE)
        words.append(Word(f" {text}", at, end, 0.9))
        at = end + round(pause * SAMPLE_RATE)
    found = subtitles([(words[:7], "en"), (words[7:], "de")], LAYOUT)
    assert " ".join(" ".join(each.lines) for each in found).split() == [word.text.strip() for word in words]
    for one, other in pairwise(found):
        assert one.start < one.end <= other.start
    for each in found:
        assert fits(each)


def fits(subtitle: Subtitle) -> bool:
    """Whether the subtitle follows the rules, as far as it is more than one word."""
    if len(" ".join(subtitle.lines).split()) == 1:
        return True
    short = len(subtitle.lines) <= 2 and all(len(line) <= 42 for line in subtitle.lines)
    return short and subtitle.end - subtitle.start <= 7 * SAMPLE_RATE


@pytest.mark.shared
def test_recorded_speech_gets_subtitles_that_follow_the_rules() -> None:
    if not SIDECAR.is_file():
        pytest.skip("the recorded speech is not beside this checkout")
    for row in map(json.loads, SIDECAR.read_text(encoding="utf-8").splitlines()):
        words = [
            Word(f" {text}", round(start * SAMPLE_RATE), round(end * SAMPLE_RATE), 1.0)
            for utterance in row["utterances"]
            for text, start, end in utterance["words"]
        ]
        found = subtitles([(words, "en")], LAYOUT)
        assert all(map(fits, found)), row["file"]
        for one, other in pairwise(found):
            can_stay = other.start - one.end > SAMPLE_RATE * 2 // 25
            seconds = (one.end - one.start) / SAMPLE_RATE
            assert not can_stay or seconds >= 1, row["file"]
            assert not can_stay or len("".join(one.lines)) / seconds <= 17.1, row["file"]


@pytest.mark.shared
def test_no_line_of_a_recorded_text_ends_within_a_name_or_before_a_unit() -> None:
    if not SIDECAR.is_file():
        pytest.skip("the recorded speech is not beside this checkout")
    for row in map(json.loads, (SPEECH / "manifest.jsonl").read_text(encoding="utf-8").splitlines()):
        words = spoken(row["text"], 0.35)
        for line, following in pairwise(line for lines in shown(words, language=row["lang"]) for line in lines):
            last, first = line.split()[-1], following.split()[0]
            is_name = row["lang"] != "de" and last[0].isupper() and last[-1].isalnum() and first[0].isupper()
            assert not is_name, (line, following)
            assert not last[-1].isdigit(), (line, following)
