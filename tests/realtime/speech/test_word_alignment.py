"""Numbers that were committed in one way, and are written in another by a later hypothesis."""

import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.certainty import MIN_SPAN
from realtime.speech.local_agreement import LocalAgreement
from realtime.speech.number_units import units
from realtime.speech.transcript import Word
from realtime.speech.word_alignment import align_words


def words(text: str) -> tuple[Word, ...]:
    return tuple(Word(f" {each}", 0, SAMPLE_RATE, 0.9) for each in text.split())


@pytest.mark.parametrize(
    ("spelled", "digits"),
    [
        ("two nine three four zero", "29340"),
        ("one hundred and five people", "100 and 5 people"),
        ("nineteen eighty four", "1984"),
        ("twenty fourteen", "2014"),
        ("ten five", "10 5"),
        ("thirty zero", "30 0"),
        ("one hundred twenty three", "123"),
        ("fifteen hundred", "1,500"),
        ("twenty three thousand four hundred fifty", "23,450"),
        ("two thousand three", "2003"),
        ("one million two hundred thousand", "1200000"),
        ("the twenty first of May", "the 21st of May"),
        ("twenty-first 3rd", "21st third"),
        ("seven forty five", "7:45"),
        ("minus five percent", "minus 5%"),
        ("vier hundert fünfundzwanzig", "425"),
        ("one hundred two hundred", "102 hundred"),
        ("hundreds of hundred", "hundreds of hundred"),
        ("three million thousand", "3000000 thousand"),
        ("two thousand five million", "2005 million"),
    ],
)
def test_numbers_in_words_have_the_units_of_those_in_digits(spelled: str, digits: str) -> None:
    assert [unit.text for unit in units(words(spelled))] == [unit.text for unit in units(words(digits))]


@pytest.mark.parametrize(
    ("committed", "hypothesis", "following"),
    [
        ("it is one hundred", "it is 100 people", " people"),
        ("in fourteen fifty five", "in 1455 he", " he"),
        ("call 55", "call 5550123 now", "50123 now"),
        ("at 7", "at 7:45 from", ":45 from"),
        ("at seven", "at 7:45 from", " 45 from"),
        ("two nine", "29340 please", " 340 please"),
        ("it costs three hundred", "it costs $399.50 today", " 99.50 today"),
        ("it costs 300", "it costs 399.50 today", " today"),
        ("twenty", "25 people", " 5 people"),
        ("hey twenty", "they twenty five people", " five people"),
        ("page 1 twenty", "page one twenty five people", " five people"),
        ("thirty", "25 people", " people"),
        ("a twenty", "a plenty of", " of"),
        ("zero", "0 seven", " seven"),
        ("25", "25% off", "% off"),
        ("25 percent", "25% off", " off"),
        ("the tenth", "the 10th of", " of"),
        ("the ten", "the 10th of", " of"),
        ("the 10", "the 10th of", "th of"),
        ("1", "fourteen people", " people"),
        ("nineteen hundred", "nineteen three people", " people"),
        ("one million zero", "nineteen", ""),
    ],
)
def test_what_follows_a_number_is_neither_lost_nor_doubled(committed: str, hypothesis: str, following: str) -> None:
    _, rest = align_words(words(committed), words(hypothesis))
    assert "".join(word.text for word in rest) == following


def test_a_number_that_grows_is_one_number() -> None:
    agreement = LocalAgreement()
    hypotheses = ["at 7.", "at 7.", "at 7:45,", "at 7:45, from"]
    text = "".join(agreement.update(words(each), number * MIN_SPAN) for number, each in enumerate(hypotheses, 1))
    assert text + agreement.finish(words("at 7:45, from here")) == " at 7:45, from here"


def test_a_mark_by_itself_may_become_another() -> None:
    agreement = LocalAgreement()
    hypotheses = ["25 -", "25 -", "25 %", "25 % off"]
    text = "".join(agreement.update(words(each), number * MIN_SPAN) for number, each in enumerate(hypotheses, 1))
    assert (text + agreement.finish(words("25 % off"))).split() == ["25", "%", "off"]
