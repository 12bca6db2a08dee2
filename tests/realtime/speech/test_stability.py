"""Which words of a partial can be committed."""

import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.certainty import Certainty
from realtime.speech.stability import stable_length
from realtime.speech.transcript import Word

AGE = 2 * SAMPLE_RATE
"""Age from which a word is stable."""


def words(text: str, *probabilities: float) -> list[Word]:
    return [Word(word, 0, 0, probability) for word, probability in zip(text.split("|"), probabilities, strict=True)]


def stable(text: list[Word], *seconds: float, probability: float = 0.95, confirmed: int = 0) -> int:
    """How many words are stable that have been written like that for so many seconds."""
    ages = [round(each * SAMPLE_RATE) for each in seconds]
    return stable_length(text, ages, Certainty(probability, AGE), confirmed)


def test_words_that_the_recognizer_is_sure_of_are_stable() -> None:
    assert stable([]) == 0
    assert stable(words(" The| child| almost| hurt", 0.99, 0.99, 0.99, 0.99)) == 4


def test_how_likely_words_must_be_to_stay_can_be_chosen() -> None:
    text = words(" The| child| almost| hurt", 0.9, 0.9, 0.9, 0.9)
    assert (stable(text, probability=0.99), stable(text, probability=0.6)) == (0, 4)


def test_an_improbable_word_and_all_behind_it_are_not() -> None:
    assert stable(words(" The| child| almost| hurt| the| small", 0.999, 0.999, 0.6, 0.99, 0.99, 0.99)) == 2
    assert stable(words(" The| child", 0.01, 0.99)) == 0


def test_more_behind_a_word_makes_it_more_stable() -> None:
    assert stable(words(" almost| hurt", 0.8, 0.99)) == 0
    assert stable(words(" almost| hurt| the| small| dog", 0.8, 0.99, 0.99, 0.99, 0.99)) > 0


def test_an_improbable_word_behind_a_word_makes_it_less_stable() -> None:
    assert stable(words(" almost| hurt", 0.9, 0.98)) > 0
    assert stable(words(" almost| hurt", 0.9, 0.1)) == 0


def test_doubts_about_many_words_add_up() -> None:
    text, count = "| a" * 40, 40
    assert 0 < stable(words(text[1:], *[0.99] * count)) < count


def test_the_longer_a_word_stays_the_more_stable_it_is() -> None:
    text = words(" almost| hurt", 0.7, 0.7)
    assert [stable(text, *[seconds] * 2) for seconds in (0.0, 1.0, 2.0)] == [0, 1, 2]


def test_after_long_enough_no_doubt_counts() -> None:
    assert stable(words(" a| b| c", 0.001, 0.001, 0.999), 2.0, 2.0) == 3
    assert stable(words(" a| b| c", 0.001, 0.001, 0.999), 2.0, 1.9) == 1


@pytest.mark.parametrize(
    ("text", "probability"),
    [("\u6211|\u4eec|\u53bb", 0.999), (" 19| 20| 21", 0.999), (" the| small| dog", 0.0)],
    ids=["without spaces", "digits", "of unknown probability"],
)
def test_words_that_cannot_be_judged_are_stable_where_hypotheses_agree_on_them(text: str, probability: float) -> None:
    unjudged = words(text, *[probability] * 3)
    assert [stable(unjudged, 9.0, 9.0, confirmed=count) for count in (0, 1, 3)] == [0, 1, 3]


def test_a_number_in_digits_is_not_stable_nor_is_what_follows_it() -> None:
    text = words(" In| 2000| it| was", 0.999, 0.999, 0.999, 0.999)
    assert (stable(text), stable(text, confirmed=2)) == (1, 4)
