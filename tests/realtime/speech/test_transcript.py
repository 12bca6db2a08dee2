"""Hypotheses as text, joined ones, and the requests behind them."""

from dataclasses import replace

import numpy as np
import pytest

from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.segmentation import Span
from realtime.speech.transcript import Hypothesis, Token, Word, mostly_repeats, runs_away

BEGINNING = Hypothesis(
    (Word(" The", 0, 1_600, 0.9), Word(" end", 1_600, 4_800, 0.8)),
    "en",
    average_log_probability=-0.2,
    compression_ratio=1.5,
    tokens=(1, 2),
    temperature=0.4,
)


def test_the_text_of_a_hypothesis_is_its_words() -> None:
    assert BEGINNING.text == " The end"


def test_words_of_the_rest_have_their_times_after_the_beginning() -> None:
    rest = Hypothesis((Word(" is", 160, 320, 0.7),), "en")
    assert BEGINNING.followed_by(rest, 8_000).words[-1] == Word(" is", 8_160, 8_320, 0.7)


def test_words_without_times_still_have_none_after_a_beginning() -> None:
    rest = Hypothesis((Word(" is", 0, 0, 0.0),), "en")
    assert BEGINNING.followed_by(rest, 8_000).words[-1] == Word(" is", 0, 0, 0.0)


def test_a_joined_hypothesis_has_all_tokens_and_the_worse_of_each_figure() -> None:
    rest = Hypothesis((), "en", average_log_probability=-0.9, compression_ratio=1.1, tokens=(3,), ended=False)
    joined = BEGINNING.followed_by(rest, 8_000)
    figures = (joined.average_log_probability, joined.compression_ratio, joined.temperature, joined.ended)
    assert (joined.tokens, figures) == ((1, 2, 3), (-0.9, 1.5, 0.4, False))


def test_log_likelihoods_add_up_where_both_are_known() -> None:
    beginning = replace(BEGINNING, log_likelihood=-2.0, log_likelihood_ratio=4.0)
    rest = Hypothesis((), "en", log_likelihood=-1.0, log_likelihood_ratio=3.0)
    joined = beginning.followed_by(rest, 0)
    assert (joined.log_likelihood, joined.log_likelihood_ratio) == (-3.0, 7.0)
    assert beginning.followed_by(Hypothesis((), "en"), 0).log_likelihood_ratio is None
    assert BEGINNING.followed_by(beginning, 0).log_likelihood_ratio is None


def test_words_after_added_silence_are_moved_to_where_they_are_without_it() -> None:
    words = (Word(" a", 4000, 5600, 0.9), Word(" b", 5600, 9600, 0.9))
    moved = Hypothesis(words, "en").before_silence(4800).words
    assert [(word.start, word.end) for word in moved] == [(0, 800), (800, 4800)]


def test_a_request_after_silence_has_its_voice_and_its_stretches_later() -> None:
    spans = (Span(0, 1600),)
    request = TranscriptionRequest(np.ones(1600, np.float32), voice=spans, stretches=spans)
    later = request.after_silence(4800)
    assert (len(later.samples), later.samples.sum()) == (6400, 1600)
    assert later.voice == later.stretches == (Span(4800, 6400),)
    assert request.after_silence(0) is request


def test_the_speech_of_a_request_is_its_voice_or_all_of_it() -> None:
    request = TranscriptionRequest(np.ones(1600, np.float32))
    assert request.speech == 1600
    assert replace(request, voice=(Span(0, 500), Span(600, 700))).speech == 600


def test_speech_of_up_to_half_a_second_is_short_however_long_the_audio_is() -> None:
    request = TranscriptionRequest(np.ones(48_000, np.float32))
    assert not request.is_short
    assert replace(request, voice=(Span(0, 8000),)).is_short
    assert not replace(request, voice=(Span(0, 8001),)).is_short


def test_a_request_is_as_long_as_its_audio() -> None:
    assert TranscriptionRequest(np.zeros(24_000, np.float32)).seconds == 1.5


def test_a_word_without_times_keeps_its_text_tokens_and_probability() -> None:
    word = Word(" told", 100, 200, 0.9, (Token(7, b" told", 0.9),)).untimed()
    assert word == Word(" told", 0, 0, 0.9)
    assert word.tokens == (Token(7, b" told", 0.9),)


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("no no no", True),
        ("Wait here. Wait here, wait here!", True),
        ("well no no no", True),
        ("no no", False),
        ("it was a very very very long and very cold night", False),
        ("", False),
    ],
)
def test_a_phrase_said_three_times_in_a_row_is_a_repetition(text: str, repeats: bool) -> None:
    assert mostly_repeats([Word(f" {word}", 0, 0, 0.9) for word in text.split()]) is repeats


@pytest.mark.parametrize(
    ("text", "ended", "away"),
    [
        ("Represented in the " + "X-" * 40, False, True),
        ("Printed with the ink" + " of the more formal, with the others" * 4, False, True),
        ("Printed with the ink" + " of the more formal, with the others" * 3, False, False),
        ("Ha" + " ha" * 20, True, False),
        ("A text that is long enough for the limit", False, False),
        ("It costs 10000 euros, which is what we had agreed on", False, False),
        ("Wait .... and then he went on", False, False),
        ("No, no, no, no, no", False, False),
        ("哈哈哈哈，他说这个事情没有办法解决", False, False),
        ("好的。" * 16, False, True),
    ],
)
def test_a_hypothesis_runs_away_if_it_repeats_a_phrase_until_it_is_stopped(text: str, ended: bool, away: bool) -> None:
    assert runs_away(Hypothesis((Word(text, 0, 0, 0.9),), "en", ended=ended)) is away
