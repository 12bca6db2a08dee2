import inspect
import io
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clients.abbreviations
import realtime.speech.abbreviations
from clients.events import Committed, Completed, Delta, Word
from clients.subtitles import FRAMES, LINE, LINES, LONGEST, PAUSE, SHORTEST, Cue, cues, srt, vtt
from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.subtitles import SubtitleLayout, subtitles
from realtime.speech.transcript import Word as ServerWord

SIDECAR = Path(__file__).parents[2] / "../shared/speech/words.jsonl"

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


def test_events_that_are_no_turns_have_no_subtitles() -> None:
    turn = Completed("item_1", "Good morning.", start=0.0, end=1.0)
    assert srt([Delta("item_1", "Good"), turn, Committed("item_2", None)]) == srt([turn])


@pytest.mark.parametrize("wrong", ["talk.mp3", 5, None, Completed("item_1", "Good morning."), ["Good morning."]])
def test_what_has_no_turns_is_named(wrong: Any) -> None:
    named = type(wrong[0] if isinstance(wrong, list) else wrong).__name__
    for write in (srt, vtt):
        with pytest.raises(TypeError, match=f"made of the events of captions, not of {named}"):
            write(wrong)


def test_text_is_escaped_in_webvtt_only() -> None:
    assert "Cats &amp; &lt;dogs&gt;." in vtt([turn("Cats & <dogs>.")])
    assert "Cats & <dogs>." in srt([turn("Cats & <dogs>.")])


def test_words_without_times_share_the_time_of_their_turn() -> None:
    text = "The committee meets again on Thursday, and nobody knows yet whether the old bridge will be closed for long"
    found = cues([Completed("item", text, start=2.0, end=9.0)])
    assert " ".join(line for cue in found for line in cue.lines) == text
    assert (found[0].start, found[-1].end) == (2.0, 9.0)


def test_a_turn_without_any_times_follows_the_one_before() -> None:
    first, second = cues([turn("This is the first of two.", 2.0), Completed("item", "And this is the second.")])
    assert second.start >= first.end
    assert second.lines == ("And this is the second.",)


def test_a_turn_without_words_has_no_subtitle() -> None:
    assert srt([Completed("item", " ", start=1.0, end=2.0)]) == ""


def test_an_arrow_is_no_line_of_times_in_subrip() -> None:
    assert "Cats -> dogs." in srt([turn("Cats --> dogs.")])


def test_abbreviations_are_those_of_the_server() -> None:
    """The library shares no code with the server, so it has a copy."""
    assert inspect.getsource(clients.abbreviations) == inspect.getsource(realtime.speech.abbreviations)


def of_server(said: Completed) -> list[Cue]:
    words = [
        ServerWord(each.text, round(each.start * SAMPLE_RATE), round(each.end * SAMPLE_RATE), 1.0)
        for each in said.words
    ]
    found = subtitles([(words, said.language or "")], SubtitleLayout())
    return [Cue(round(cue.start / SAMPLE_RATE, 3), round(cue.end / SAMPLE_RATE, 3), cue.lines) for cue in found]


def same(said: Completed) -> bool:
    ours, servers = cues([said]), of_server(said)
    return [cue.lines for cue in ours] == [cue.lines for cue in servers] and all(
        (one.start, one.end) == pytest.approx((other.start, other.end), abs=0.0011)
        for one, other in zip(ours, servers, strict=True)
    )


ABBREVIATED = (
    ("en", "Mrs. Miller of No. 5 St. James St. knows Dr. Weber, e.g. from the U.S. Army. It was at 5 p.m. They came."),
    ("de", "Am 3. Oktober 1990, also am Tag der Dt. Einheit, kam Friedrich II. mit Hrn. Dr. Weber zzgl. Kindern. Es war"
           " schön, vgl. Abb. 3 auf S. 12. Sie blieben ca. 5 Tage."),
    ("fr", "M. Dupont et Mme. Martin, av. Foch, sont venus. Ils ont vu l'ing. Petit au bd. Hugo. Env. 5 personnes."),
    ("zh", "我们明天上午十点在图书馆前面见面，然后一起去看电影。大家都很高兴！"),
)  # fmt: skip


@pytest.mark.parametrize(("language", "text"), ABBREVIATED)
@pytest.mark.parametrize("seconds", [0.13, 0.31, 0.62])
def test_subtitles_are_those_of_the_server(language: str, text: str, seconds: float) -> None:
    spoken = list(text) if language == "zh" else [f" {word}" for word in text.split()]
    words, at = [], 0.0
    for number, each in enumerate(spoken, 1):
        words.append(Word(each, round(at, 3), round(at + seconds, 3)))
        at += seconds + (0.8 if number % 17 == 0 else 0.3 if number % 9 == 0 else 0.0)
    assert same(Completed("item", "".join(spoken), tuple(words), language))


@pytest.mark.shared
def test_subtitles_of_recorded_speech_are_those_of_the_server() -> None:
    if not SIDECAR.is_file():
        pytest.skip("the recorded speech is not beside this checkout")
    for row in map(json.loads, SIDECAR.read_text(encoding="utf-8").splitlines()):
        for utterance in row["utterances"]:
            words = tuple(Word(f" {text}", start, end) for text, start, end in utterance["words"])
            assert same(Completed("item", "".join(word.text for word in words), words, "en"))
