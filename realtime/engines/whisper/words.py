"""Group Whisper's tokens into words."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from faster_whisper.tokenizer import Tokenizer
from tokenizers import Tokenizer as Vocabulary

from realtime.speech.transcript import Token, Word

UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages written without spaces: a word is the shortest run of tokens that makes whole characters."""

PUNCTUATION: Final = frozenset(string.punctuation + "。，、！？：；…”’」』）«»„“—–")
"""Characters that are no word by themselves."""


@dataclass(frozen=True, slots=True)
class TimedToken:
    """A text token with its times, in samples, and its probability."""

    id: int
    start: int
    end: int
    probability: float


def words_of(tokens: Sequence[TimedToken], tokenizer: Tokenizer) -> tuple[Word, ...]:
    """Group tokens into words; punctuation joins the word before it, an opening mark the word after it."""
    fragments, fragment_tokens = tokenizer.split_tokens_on_unicode([token.id for token in tokens])
    unspaced = tokenizer.language_code in UNSPACED and tokenizer.task != tokenizer.translate
    words: list[Word] = []
    group: list[TimedToken] = []
    text = ""
    position = 0
    for fragment, ids in zip(fragments, fragment_tokens, strict=True):
        mark = fragment.strip() == "" or all(character in PUNCTUATION for character in fragment.strip())
        starts_word = fragment.startswith(" ") or (unspaced and not mark)
        if group and starts_word and not all(character in PUNCTUATION for character in text.strip()):
            words.append(_word(text, group, tokenizer))
            group, text = [], ""
        group.extend(tokens[position : position + len(ids)])
        position += len(ids)
        text += fragment
    if group and text.strip():
        words.append(_word(text, group, tokenizer))
    return tuple(words)


def _word(text: str, tokens: Sequence[TimedToken], tokenizer: Tokenizer) -> Word:
    return Word(
        text=text,
        start=tokens[0].start,
        end=max(tokens[0].start, tokens[-1].end),
        probability=sum(token.probability for token in tokens) / len(tokens),
        tokens=tuple(Token(token.id, bytes_of(token.id, tokenizer.tokenizer), token.probability) for token in tokens),
    )


def _byte_letters() -> dict[str, int]:
    """Return the byte that each letter of a byte-level vocabulary stands for.

    Printable bytes stand for themselves; the others are numbered from 256 on. Source: Radford et al., "Language Models
    are Unsupervised Multitask Learners" (2019), section 2.2, and its code.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + index): byte for index, byte in enumerate(others)}


_BYTES: Final = _byte_letters()


def bytes_of(token: int, vocabulary: Vocabulary) -> bytes:
    """Return the part of a UTF-8 text that a token of the vocabulary stands for."""
    return bytes(_BYTES[letter] for letter in vocabulary.id_to_token(token) or "")
