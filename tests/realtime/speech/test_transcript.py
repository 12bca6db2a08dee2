"""Hypotheses as text, joined ones, and the requests behind them."""

from dataclasses import replace

import numpy as np

from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis, Token, Word

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


def test_log_likelihood_ratios_add_up_where_both_are_known() -> None:
    beginning = replace(BEGINNING, log_likelihood_ratio=4.0)
    assert beginning.followed_by(Hypothesis((), "en", log_likelihood_ratio=3.0), 0).log_likelihood_ratio == 7.0
    assert beginning.followed_by(Hypothesis((), "en"), 0).log_likelihood_ratio is None
    assert BEGINNING.followed_by(beginning, 0).log_likelihood_ratio is None


def test_a_request_is_as_long_as_its_audio() -> None:
    assert TranscriptionRequest(np.zeros(24_000, np.float32)).seconds == 1.5


def test_a_word_without_times_keeps_its_text_and_tokens() -> None:
    word = Word(" told", 100, 200, 0.9, (Token(7, b" told", 0.9),)).untimed()
    assert word == Word(" told", 0, 0, 0.0)
    assert word.tokens == (Token(7, b" told", 0.0),)
