"""Which words of a partial are likely to stay."""

from realtime.speech.stability import stable_length
from realtime.speech.transcript import Word


def words(text: str, *probabilities: float) -> list[Word]:
    return [Word(word, 0, 0, probability) for word, probability in zip(text.split("|"), probabilities, strict=True)]


def test_words_that_the_recognizer_is_sure_of_are_stable() -> None:
    assert stable_length([]) == 0
    assert stable_length(words(" The| child| almost| hurt", 0.99, 0.99, 0.99, 0.99)) == 4


def test_how_likely_words_must_be_to_stay_can_be_chosen() -> None:
    text = words(" The| child| almost| hurt", 0.9, 0.9, 0.9, 0.9)
    assert (stable_length(text, 0.99), stable_length(text, 0.9)) == (0, 4)


def test_an_improbable_word_and_all_behind_it_are_not() -> None:
    assert stable_length(words(" The| child| almost| hurt| the| small", 0.99, 0.99, 0.6, 0.99, 0.99, 0.99)) == 2
    assert stable_length(words(" The| child", 0.0, 0.99)) == 0


def test_more_behind_a_word_makes_it_more_stable() -> None:
    assert stable_length(words(" almost| hurt", 0.7, 0.99)) == 0
    assert stable_length(words(" almost| hurt| the| small| dog", 0.7, 0.99, 0.99, 0.99, 0.99)) > 0


def test_an_improbable_word_behind_a_word_makes_it_less_stable() -> None:
    assert stable_length(words(" almost| hurt", 0.92, 0.98)) > 0
    assert stable_length(words(" almost| hurt", 0.92, 0.1)) == 0


def test_doubts_about_many_words_add_up() -> None:
    text, count = "| a" * 40, 40
    assert 0 < stable_length(words(text[1:], *[0.97] * count)) < count


def test_nothing_is_stable_in_text_without_spaces() -> None:
    assert stable_length(words("\u6211|\u4eec|\u53bb", 0.999, 0.999, 0.999)) == 0


def test_a_number_in_digits_is_not_stable() -> None:
    assert stable_length(words(" In| 2000| it| was", 0.999, 0.999, 0.999, 0.999)) == 1
