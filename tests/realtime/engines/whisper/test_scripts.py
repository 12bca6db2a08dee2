"""The scripts of languages, and the tokens that write them."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from realtime.engines.whisper.scripts import ForeignTokens, foreign_scripts, has_foreign_letters


def vocabulary() -> Tokenizer:
    """Return tokens in the letters of a byte-level vocabulary; some end within a character."""
    spelled = {"Ġthe": 0, "ĠÐ´": 1, "æ¼": 2, "æ¼¢": 3, "Ð": 4, "Ã": 5, "!": 6, "à": 7, "Âº": 8, "Ġ×Ĺ": 9}
    return Tokenizer(WordLevel(spelled, unk_token="!"))


@pytest.mark.parametrize(
    ("text", "language", "foreign"),
    [
        ("Grüße, 25 ºC, 3 µm: naïve!", "de", False),
        ("Das ist ein дом.", "de", True),
        ("это iPhone", "ru", False),
        ("これは漢字 OK", "ja", False),
        ("これは한국", "ja", True),
        ("漢字", "ko", False),
        ("ひらがな", "zh", True),
    ],
)
def test_letters_of_other_scripts_but_latin_are_foreign(text: str, language: str, foreign: bool) -> None:
    assert has_foreign_letters(text, language) == foreign


@pytest.mark.parametrize(
    ("language", "tokens"), [("de", [1, 2, 3, 4, 7, 9]), ("ru", [2, 3, 7, 9]), ("zh", [1, 4, 7, 9])]
)
def test_tokens_that_can_only_write_foreign_letters_are_found(language: str, tokens: list[int]) -> None:
    found = ForeignTokens(vocabulary()).writing(foreign_scripts(language))
    assert sorted(found) == tokens


def test_without_scripts_no_token_is_foreign() -> None:
    assert ForeignTokens(vocabulary()).writing(frozenset()) == []
