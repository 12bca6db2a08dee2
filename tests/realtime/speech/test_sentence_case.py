import pytest

from realtime.speech.sentence_case import begins_sentence, capitalised
from realtime.speech.transcript import Word


@pytest.mark.parametrize(
    ("before", "begins"),
    [
        ("", True), (" ", True), ("It rained.", True), ("Did it? ", True), ("“It rained.”", True), ("下雨了。", True),
        (".", True),
        ("It rained", False), ("It rained,", False), ("salters, etc.", False), ("with Dr.", False),
        ("It rained...", False), ("It rained…", False),
    ],
)  # fmt: skip
def test_a_sentence_begins_at_the_start_and_after_the_end_of_another(before: str, *, begins: bool) -> None:
    assert begins_sentence(before) is begins


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (" it", " It"), ("état", "État"), (" It", " It"), (" iPhone", " iPhone"), (" 2nd", " 2nd"), (" 's", " 's"),
        (" ¿qué", " ¿Qué"), (" ¡hola", " ¡Hola"), (' "it', ' "It'), ("«il", "«Il"), (" ¿2nd", " ¿2nd"),
        (" ǆep", " ǅep"), (" და", " და"), (" 它", " 它"),
    ],
)  # fmt: skip
def test_a_word_gets_a_capital_if_it_has_none(before: str, after: str) -> None:
    first, second = capitalised((Word(before, 0, 100, 1.0), Word(" rained", 100, 200, 1.0)))
    assert (first.text, second.text) == (after, " rained")


def test_no_words_stay_none() -> None:
    assert capitalised(()) == ()
