"""What is said for written text, in words, and which part of it each of them stands for."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.text_normalization.normalizer import LANGUAGES, spoken_text
from tests.support.read_aloud import Reading, is_said, readings

PHRASE_SECONDS = 0.1
"""CPU seconds far above those for any phrase of 200 characters, which takes a few milliseconds."""

FORMS = readings()


def said(text: str, language: str = "en", *, british: bool = False) -> str:
    return spoken_text(text, (language,), british=british).text


def words_of(text: str, language: str = "en") -> list[tuple[str, str]]:
    """Return the words of a text, each with the letters that are said for it."""
    spoken = spoken_text(text, (language,))
    words, start = [], 0
    for word in text.split():
        start = text.index(word, start)
        end = start + len(word)
        letters = [each for each, place in zip(spoken.text, spoken.positions, strict=True) if start <= place < end]
        words.append((word, "".join(letters).strip()))
        start = end
    return words


@pytest.mark.parametrize("form", FORMS, ids=[f"{form.language}: {form.written}" for form in FORMS])
def test_a_text_becomes_the_words_that_a_reader_says(form: Reading) -> None:
    assert is_said(form, said(form.written, form.language)), said(form.written, form.language)


@pytest.mark.parametrize(
    ("written", "american", "british"),
    [
        ("due 3/10/2024", "due March tenth, twenty twenty-four", "due the third of October, twenty twenty-four"),
        ("2024-03-07", "March seventh, twenty twenty-four", "the seventh of March, twenty twenty-four"),
        ("on 25/12/2024", "on December twenty-fifth, twenty twenty-four",
         "on the twenty-fifth of December, twenty twenty-four"),
        ("due 3/5", "due March fifth", "due the third of May"),
        ("120 people", "one hundred twenty people", "one hundred and twenty people"),
        ("1,005 sheep", "one thousand five sheep", "one thousand and five sheep"),
        ("at 18.02", "at eighteen point zero two", "at eighteen oh two"),
        ("the 17.45 from Euston", "the seventeen point four five from Euston", "the seventeen forty-five from Euston"),
    ],
)  # fmt: skip
def test_dates_and_hundreds_are_american_or_british(written: str, american: str, british: str) -> None:
    assert said(written) == american
    assert said(written, british=True) == british


@pytest.mark.parametrize(
    ("written", "read", "language"),
    [
        ("Obst, Gemüse usw. Danach nichts.", "Obst, Gemüse und so weiter. Danach nichts.", "de"),
        ("Du pain, etc. Ensuite rien.", "Du pain, et cetera. Ensuite rien.", "fr"),
        ("Pan, queso, etc. Después nada.", "Pan, queso, etcétera. Después nada.", "es"),
        ("Er traf Dr. Müller.", "Er traf Doktor Müller.", "de"),
        ("It took 3 hr. The rest is easy.", "It took three hours. The rest is easy.", "en"),
        ("It costs $20/hr. We pay.", "It costs twenty dollars per hour. We pay.", "en"),
    ],
)
def test_a_sentence_that_ends_with_an_abbreviation_keeps_its_stop(written: str, read: str, language: str) -> None:
    assert said(written, language) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Gas is $3.49/gal. this week.", "Gas is three dollars and forty-nine cents per gallon this week."),
        ("We met for 45 min., twice.", "We met for forty-five minutes, twice."),
        ("I work 20 hrs./wk. in a shop.", "I work twenty hours per week in a shop."),
        ("Wait 1/2 hr. at the gate.", "Wait half an hour at the gate."),
        ("Watch a 10 sec.-long clip.", "Watch a ten second-long clip."),
    ],
)
def test_the_stop_of_an_abbreviation_ends_no_sentence_that_goes_on(written: str, read: str) -> None:
    assert said(written) == read


@pytest.mark.parametrize(
    "text",
    [
        "The library opens at nine. Please bring your card, and a quiet friend!",
        "Well... I don't know; it's as well-known, isn't it?",
        "He said: “Why not?” (Nobody knew.)",
        "The answer is no. We orbit the Sun. Gen Z sat.",
        "I am in. Add more! Was he wed?",
    ],
)
def test_words_are_left_alone(text: str) -> None:
    assert said(text) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("# Title\n\n- one\n- [x] two\n* three\n", "Title\n\none\ntwo\nthree\n"),
        ("> quoted\n\n---\n\nend", "quoted\n\n\n\nend"),
        ("```python\nprint(a)\n```", "\nprint(a)\n"),
        ("| a | b |\n|---|---|\n| c | d |", "a, b\n\nc, d"),
        ("**Bold**, __bold__, *one* and ~~gone~~ `code`", "Bold, bold, one and gone code"),
        ("See [the manual](https://example.org/a_(b)) now", "See the manual now"),
        ("Well done 🎉👍🏽! See you :-) soon", "Well done! See you soon"),
    ],
)
def test_markup_is_not_read(written: str, read: str) -> None:
    assert said(written) == read


def test_a_number_has_all_its_letters_on_the_word_it_was_written_as() -> None:
    assert words_of("In 1999, it cost $12.50 a day.") == [
        ("In", "In"), ("1999,", "nineteen ninety-nine,"), ("it", "it"), ("cost", "cost"),
        ("$12.50", "twelve dollars and fifty cents"), ("a", "a"), ("day.", "day."),
    ]  # fmt: skip


def test_words_that_are_read_together_share_what_is_said() -> None:
    (number, of_number), (unit, of_unit), rest = words_of("5 km away")
    assert (number, unit, rest) == ("5", "km", ("away", "away"))
    assert of_number + of_unit == "fivekilometers"


def test_marks_that_are_not_read_have_nothing() -> None:
    assert words_of("## **Two** words 😀") == [("##", ""), ("**Two**", "Two"), ("words", "words"), ("😀", "")]


def test_chinese_has_positions_too() -> None:
    spoken = spoken_text("我有25本书", ("zh",))
    assert spoken.text == "我有二十五本书"
    assert [int(place) for place in spoken.positions] == [0, 1, 2, 3, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "language"),
    [("Das kostet 5 € und ist gut.", "de"), ("Ça coûte 5 € pour les enfants.", "fr"), ("Son 5 € para los niños.", "es"),
     ("一共5元", "zh"), ("It is 5 pounds.", "en"), ("5", "en")],
)  # fmt: skip
def test_the_text_decides_between_the_languages_of_a_voice(text: str, language: str) -> None:
    expected = spoken_text(text, (language,)).text
    assert spoken_text(text, LANGUAGES).text == expected
    assert spoken_text(text, ()).text == expected


def test_a_language_without_rules_keeps_its_digits() -> None:
    assert said("**5** sanat", "fi") == "5 sanat"


@given(
    st.text(max_size=200) | st.text("0123456789.,-/$€£%()+= aAnoNsStT#*_@:°年月", max_size=200),
    st.sampled_from(LANGUAGES),
)
def test_any_text_is_spoken_without_digits(text: str, language: str) -> None:
    spoken = spoken_text(text, (language,))
    assert not any(each in "0123456789" for each in spoken.text)
    assert len(spoken.positions) == len(spoken.text)
    assert list(spoken.positions) == sorted(spoken.positions)
    assert all(0 <= place <= len(text) for place in spoken.positions)


SHORTENED = ("etc", "aka", "approx", "qty", "incl", "dept", "per")
"""Small words that are, or make the next one, an abbreviation."""

PIECES = sorted({piece for form in FORMS for piece in form.written.split()} | {"K", "in", "x", "°", "–", "<", "(", "%"})


@given(
    st.lists(st.sampled_from(PIECES), max_size=6),
    st.sampled_from(["", " ", ", ", ". "]),
    st.sampled_from(LANGUAGES),
    st.booleans(),
)
def test_pieces_of_written_forms_can_stand_side_by_side(
    pieces: list[str], between: str, language: str, british: bool
) -> None:
    assert not any(each in "0123456789" for each in said(between.join(pieces), language, british=british))


@given(
    st.lists(st.from_regex("[a-z]{3,8}", fullmatch=True).filter(lambda word: word not in SHORTENED), max_size=11).map(
        " ".join
    )
)
def test_small_words_stay_as_they_are(text: str) -> None:
    assert said(text) == text


PARTS = ["a", "1", "a.", "1.", "1,", "*a", "<a ", "[a](", "-", "_", "| -", "0 ", "+1 ", "a@", "1-", "$1", "1/", "Ab ",
         "a/", "A:", "0:", "a.b/", "H2", "1 k", "\\a", "A. ", "X", "I V ", "St. ", "1st ", "1 000 ", "'9", "5%-", "1:",
         "年", "2-", "(", "1.000,", "Ctrl+", "#a", "a1", "h ", "£1m ", "e4 ", "½", "Mon, ",
         "1 min. ", "a/hr. ", "on 1/2, ", "feat. A ", "★", "needs a", "needs >", "2m 30s ", "π", "1/2至",
         "Fed. R. ", "20/20 ", "4-8-", "Rome, Ga. ", '1/2" ', "航班AB1"]  # fmt: skip
"""Beginnings of what rules look for, to be repeated."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", PARTS)
def test_no_phrase_takes_long(part: str, language: str) -> None:
    text = (part * 200)[:200]
    began = time.thread_time()
    said(text, language)
    assert time.thread_time() - began < PHRASE_SECONDS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ["1-" * 4000, "6' " * 12_000], ids=["ranges", "feet"])
def test_numbers_take_time_in_proportion_to_their_text(text: str, language: str) -> None:
    began = time.thread_time()
    said(text, language)
    assert time.thread_time() - began < 3  # half a second; it was ten, and five for feet in English
