"""Terms to expect: which of the words that they bring about are used.

Terms in Whisper's prompt also change words that have nothing to do with them. So a request is decoded without them, and
once more with them; of the second text only the terms are used that stand in the place of words spelled like them.
Under load there is one decode, with the terms.
"""

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import chain, takewhile
from typing import Final

from faster_whisper.tokenizer import Tokenizer

from realtime.engines.whisper.words import PUNCTUATION, TimedToken, words_of
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Token, Word, normalised

MIN_LIKENESS: Final = 0.5
"""Share of the letters that a term must have in common with the words that it stands for, in the same order."""

MAX_TERM_WORDS: Final = 3
"""Words of an entry up to which a prompt without sentences is a list of terms."""

MIN_PART: Final = 4
"""Letters of a word of a longer term from which it is expected by itself, too: a first name or a surname."""

SPELLED_OTHERWISE: Final = frozenset({"zh", "ja", "yue"})
"""Languages whose letters do not show what sounds alike."""


def terms_of(request: TranscriptionRequest) -> tuple[str, ...]:
    """Return the terms to expect, each once: the hotwords, and the entries of a prompt that is a list of them."""
    terms = [*_entries(request.hotwords), *(_entries(request.prompt) if is_list(request.prompt) else ())]
    return tuple(dict.fromkeys(terms))


def is_list(prompt: str) -> bool:
    """Whether a prompt is a list of terms and not text."""
    sentences = re.search(r"[.!?:。！？：](\s|$)", prompt)
    return not sentences and all(len(each.split()) <= MAX_TERM_WORDS for each in _entries(prompt))


def _entries(text: str) -> list[str]:
    return [" ".join(each.split()) for each in re.split(r"[,;\n、，；]", text) if normalised(each)]


def with_terms(terms: Sequence[str], plain: Sequence[int], biased: Sequence[int], tokenizer: Tokenizer) -> list[int]:
    """Return the tokens of `plain` with the terms of `biased` in the place of words that are like them."""
    before, after = _words(plain, tokenizer), _words(biased, tokenizer)
    old_keys, new_keys = _keys(before), _keys(after)
    expected = [list(filter(None, _keys(_words(tokenizer.encode(f" {each}"), tokenizer)))) for each in terms]
    parts = set(chain.from_iterable(expected))
    expected += [[part] for part in parts if len(part) >= MIN_PART]
    tokens: list[int] = []
    for kind, first, last, start, end in SequenceMatcher(None, old_keys, new_keys, autojunk=False).get_opcodes():
        old, new, keys = before[first:last], after[start:end], new_keys[start:end]
        if kind == "equal":  # a term may be written otherwise
            for one, two, key in zip(old, new, keys, strict=True):
                tokens += _marked_as([two], [one]) if key in parts else _ids([one])
        elif any(_contains(keys, each) for each in expected) and _are_alike(old, new, tokenizer):
            tokens += _marked_as(new, old)
        else:
            tokens += _ids(old)
    return tokens


def _keys(words: Sequence[Word]) -> list[str]:
    return [normalised(word.text) for word in words]


def _ids(words: Sequence[Word]) -> list[int]:
    return [token.id for word in words for token in word.tokens]


def _marked_as(new: Sequence[Word], old: Sequence[Word]) -> list[int]:
    """Return the tokens of words with the punctuation that follows others instead of their own."""
    bare, marks = (len(list(takewhile(_is_mark, reversed(words[-1].tokens)))) for words in (new, old))
    return [*_ids(new)[: len(_ids(new)) - bare], *_ids(old)[len(_ids(old)) - marks :]]


def _is_mark(token: Token) -> bool:
    return all(character in PUNCTUATION for character in token.text.decode(errors="replace").strip())


def _words(tokens: Sequence[int], tokenizer: Tokenizer) -> tuple[Word, ...]:
    return words_of([TimedToken(token, 0, 0, 0.0) for token in tokens], tokenizer)


def _letters(text: str) -> str:
    """Return the letters and digits of a text in lower case, without accents; Korean ones one by one."""
    return "".join(each for each in unicodedata.normalize("NFKD", text).casefold() if each.isalnum())


def _are_alike(old: Sequence[Word], new: Sequence[Word], tokenizer: Tokenizer) -> bool:
    """Whether two wordings may be of the same sound."""
    if tokenizer.language_code in SPELLED_OTHERWISE:
        return bool(old)
    one, two = ("".join(_letters(word.text) for word in words) for words in (old, new))
    return SequenceMatcher(None, one, two, autojunk=False).ratio() >= MIN_LIKENESS


def _contains(words: Sequence[str], term: Sequence[str]) -> bool:
    """Whether the words have those of a term in a row, the last perhaps with an ending."""
    count = len(term)
    return any(
        words[start : start + count - 1] == term[:-1] and words[start + count - 1].startswith(term[-1])
        for start in range(len(words) - count + 1)
    )
