import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.speech import phrases as chunking
from realtime.speech.phrases import LONGEST_PHRASE, PhraseChunker, phrases

SAMPLES = [
    *(
        " ",
        "  ",
        "\n",
        "\n\n",
        ".",
        "...",
        "…",
        "!",
        "?",
        "?!",
        ",",
        ";",
        ":",
        "—",
        " – ",
        '"',
        "'",
        ")",
        "(",
        "”",
        "»",
        "*",
    ),
    *("*", "。", "！", "，", "、", "：", "」", "今天天气很好", "東京"),
    *("Hello", "Dr", "e.g.", "U.S.", "No", "1", "3.14", "1,000", "the", "A", "I", "'s", "etc", "👍", "é"),
    *("word" * 60, "https://example.org/a.b?c=d,e"),
]

texts = st.lists(st.sampled_from(SAMPLES) | st.text(max_size=3), max_size=80).map("".join)


def spoken(text: str) -> list[str]:
    """The phrases without the white space between them."""
    return [phrase.rstrip() for phrase in phrases(text)]


@given(text=texts)
def test_joined_phrases_are_the_text(text: str) -> None:
    assert "".join(phrases(text)) == text.lstrip()


@given(text=texts, cuts=st.lists(st.integers(0, 400), max_size=30))
def test_phrases_do_not_depend_on_how_the_text_was_cut_into_deltas(text: str, cuts: list[int]) -> None:
    chunker = PhraseChunker()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    found = [phrase for start, end in pairwise(edges) for phrase in chunker.feed(text[start:end])]
    assert found + chunker.flush() == phrases(text)


@given(text=texts)
def test_text_may_come_one_character_at_a_time(text: str) -> None:
    chunker = PhraseChunker()
    assert [phrase for character in text for phrase in chunker.feed(character)] + chunker.flush() == phrases(text)


@given(text=texts)
def test_no_phrase_is_blank_or_longer_than_the_limit(text: str) -> None:
    assert all(0 < len(phrase) <= LONGEST_PHRASE for phrase in spoken(text))


@pytest.mark.parametrize("text", ["", " \n "])
def test_blank_text_has_no_phrases(text: str) -> None:
    assert phrases(text) == []


def test_the_first_phrase_is_a_clause_and_the_others_are_sentences() -> None:
    text = "Well, that is a good question, and I like it. Here is one thing, and another, and a third. Good!"
    assert spoken(text) == [
        "Well, that is a good question,",
        "and I like it.",
        "Here is one thing, and another, and a third.",
        "Good!",
    ]


def test_a_first_sentence_is_a_phrase_however_short() -> None:
    assert spoken("Sure. I can do that.") == ["Sure.", "I can do that."]


def test_white_space_stays_with_the_phrase_before_it() -> None:
    assert phrases("  One.  Two.\n\nThree. ") == ["One.  ", "Two.\n\n", "Three. "]


def test_a_phrase_is_given_once_the_next_word_begins() -> None:
    chunker = PhraseChunker()
    assert chunker.feed("It is done.") == []
    assert chunker.feed(" ") == []
    assert chunker.feed("N") == ["It is done. "]
    assert chunker.flush() == ["N"]


def test_after_a_flush_the_first_phrase_is_short_again() -> None:
    chunker = PhraseChunker()
    text = "One two three, four five."
    whole = [*chunker.feed(text), *chunker.flush()]
    assert whole == ["One two three, ", "four five."]
    assert [*chunker.feed(text), *chunker.flush()] == whole


@pytest.mark.parametrize(
    "sentence",
    [
        "Pi is 3.14 and a bit.",
        "It costs 1,000 or 2,500 euros.",
        "Ask Dr. Smith or Mrs. Jones.",
        "Bring fruit, e.g. Apples and pears.",
        "She moved to the U.S. In spring.",
        "It was J. R. R. Tolkien.",
        "See No. 5 and Fig. 2 below.",
        "Use max. 5 of min. 3 from ca. 1900 in apt. 4, ext. 5.",
        "Read Vol. II and Ch. IV now.",
        "Smith et al. (2019) found it.",
        "It costs $12.5, e.g. 3.5 each.",
        "Read https://example.org/a.b?c=d,e.",
        "Meet at 10:30 at example.com today.",
        "Wait... what did he say?",
        "We need bolts, nuts, etc. and tools.",
        '"Really?" she asked him.',
        "Yahoo! is a company.",
        "1. Wash the apples.",
        "She has a Ph.D. Students like her.",
        "Ça va ? » dit-il.",
        "Well . . . perhaps.",
        "I saw it (the U.S.) There.",
    ],
)
def test_a_sentence_is_not_cut_inside(sentence: str) -> None:
    assert spoken(f"Yes. {sentence} Next.") == ["Yes.", sentence, "Next."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("It works (mostly.) Good.", ["It works (mostly.)", "Good."]),
        ("“Go!” “Where?” Nobody knew.", ["“Go!”", "“Where?”", "Nobody knew."]),
        ("That is **bold.** Next.", ["That is **bold.**", "Next."]),
        ("So I waited... Nothing came.", ["So I waited...", "Nothing came."]),
        ("What?! No way.", ["What?!", "No way."]),
        ("The answer is no. I mean it.", ["The answer is no.", "I mean it."]),
        ("It was in 1990. Then it ended.", ["It was in 1990.", "Then it ended."]),
        ("So do I. Then go.", ["So do I.", "Then go."]),
    ],
)
def test_what_closes_after_the_stop_stays_with_the_sentence(text: str, expected: list[str]) -> None:
    assert spoken(text) == expected


def test_a_line_break_ends_a_sentence() -> None:
    assert spoken("Shopping list\n- two apples\n- milk\n\nThat is all") == [
        "Shopping list",
        "- two apples",
        "- milk",
        "That is all",
    ]


def test_chinese_and_japanese_are_cut_without_spaces() -> None:
    assert phrases("今天天气很好，我们去公园吧。你想去吗？“好。”他说。") == [
        "今天天气很好，",
        "我们去公园吧。",
        "你想去吗？",
        "“好。”",
        "他说。",
    ]
    assert phrases("はい！「行きます。」と言った。") == ["はい！", "「行きます。」", "と言った。"]


def test_a_number_with_a_wide_comma_or_colon_stays_whole() -> None:
    assert phrases("今天我们有1，000人在10：30来。") == ["今天我们有1，000人在10：30来。"]


def test_a_long_sentence_is_cut_after_the_last_clause_that_fits() -> None:
    clause = "And the rain kept falling on the roof of the house, "
    text = "Yes. " + clause * 6
    lengths = [len(phrase) // len(clause) for phrase in phrases(text)[1:]]
    assert lengths == [3, 3]
    assert "".join(phrases(text)) == text


def test_a_long_clause_is_cut_between_words() -> None:
    found = spoken("Yes. " + "Wonderful " * 50)[1:]
    assert set(" ".join(found).split()) == {"Wonderful"}
    assert max(map(len, found)) <= LONGEST_PHRASE


def test_an_abbreviation_at_the_limit_is_not_parted_from_what_follows() -> None:
    text = "Yes. " + "X" * (LONGEST_PHRASE - 10) + " with Dr. Somebody."
    assert spoken(text)[1:] == ["X" * (LONGEST_PHRASE - 10) + " with", "Dr. Somebody."]


def test_long_chinese_without_punctuation_is_cut_between_characters() -> None:
    found = phrases("东" * 450)
    assert [len(phrase) for phrase in found] == [200, 200, 50]


def test_a_word_longer_than_the_limit_is_cut_anywhere() -> None:
    assert [len(phrase) for phrase in phrases("x" * 450)] == [200, 200, 50]


@pytest.mark.parametrize("text", ["a" * 1000, "a" * 250 + " " * 750, ".”" * 500, "Yes, " * 200, "东" * 1000])
def test_the_work_grows_with_the_text_and_no_faster(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    first_cut = chunking._first_cut

    def counting(text: str, first_words: int) -> int | None:
        looked_at.append(len(text))
        return first_cut(text, first_words)

    def work(text: str) -> int:
        looked_at.clear()
        assert "".join(phrases(text)).split() == text.split()
        return sum(looked_at)

    monkeypatch.setattr(chunking, "_first_cut", counting)
    assert work(text * 40) <= 5 * work(text * 10)


def test_a_megabyte_without_a_place_to_cut_takes_no_long_time() -> None:
    began = time.perf_counter()
    assert len(phrases("a" * 1_000_000)) == 5000
    assert time.perf_counter() - began < 5  # some hundredths of a second; it was minutes


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Gern geschehen! Das ist schön, und gut.", "Gern geschehen! Das ist schön,"),
        ("Ja.\nNein, das ist gut. Und nun?", "Ja.\nNein, das ist gut."),
        ("Ja. Nein.", "Ja. Nein."),
    ],
)
def test_the_first_phrase_can_be_of_a_least_number_of_words(text: str, first: str) -> None:
    chunker = PhraseChunker(first_words=4)
    found = chunker.feed(text) + chunker.flush()
    assert found[0].rstrip() == first
    assert "".join(found) == text


def test_endless_white_space_is_shortened() -> None:
    text = "One." + " " * 100_000 + "Two."
    assert phrases(text) == ["One." + " " * LONGEST_PHRASE, "Two."]
    chunker = PhraseChunker()
    assert [phrase for character in text for phrase in chunker.feed(character)] + chunker.flush() == phrases(text)


def test_a_sentence_is_cut_after_its_last_clause_for_a_listener_who_waits() -> None:
    chunker = PhraseChunker()
    assert chunker.feed("Yes. On Monday, or rather on Tuesday, we go to the") == ["Yes. "]
    assert chunker.take_clause() == "On Monday, or rather on Tuesday, "
    assert chunker.take_clause() is None
    assert chunker.feed(" sea. And") == ["we go to the sea. "]


@pytest.mark.parametrize("text", ["", "Yes, and", "we went to the sea,", "about 1,000", "in the sea; "])
def test_without_a_clause_whose_end_is_known_nothing_is_cut(text: str) -> None:
    chunker = PhraseChunker()
    chunker.feed("Yes. ")
    chunker.feed(text)
    assert chunker.take_clause() is None
    assert "".join(chunker.flush()).strip().endswith(text.strip())
