"""From Whisper's tokens to words as people read them."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from faster_whisper.tokenizer import Tokenizer

from realtime.transcript import Word

UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages that Whisper writes without spaces: the fewest tokens that make whole characters are a word."""

PUNCTUATION: Final = frozenset(string.punctuation + "。，、！？：；…”’」』）«»„“—–")


@dataclass(frozen=True, slots=True)
class Token:
    """A text token, when it was said (samples) and how probable it was."""

    id: int
    start: int
    end: int
    probability: float


def words_of(tokens: Sequence[Token], tokenizer: Tokenizer) -> tuple[Word, ...]:
    """Group tokens into words: punctuation belongs to the word before it, an opening mark to the word after it."""
    pieces, piece_tokens = tokenizer.split_tokens_on_unicode([token.id for token in tokens])
    unspaced = tokenizer.language_code in UNSPACED
    words: list[Word] = []
    group: list[Token] = []
    text = ""
    position = 0
    for piece, ids in zip(pieces, piece_tokens, strict=True):
        mark = piece.strip() == "" or all(character in PUNCTUATION for character in piece.strip())
        begins = piece.startswith(" ") or (unspaced and not mark)
        if group and begins and not all(character in PUNCTUATION for character in text.strip()):
            words.append(_word(text, group))
            group, text = [], ""
        group.extend(tokens[position : position + len(ids)])
        position += len(ids)
        text += piece
    if group and text.strip():
        words.append(_word(text, group))
    return tuple(words)


def _word(text: str, tokens: Sequence[Token]) -> Word:
    return Word(
        text=text,
        start=tokens[0].start,
        end=max(tokens[0].start, tokens[-1].end),
        probability=sum(token.probability for token in tokens) / len(tokens),
    )
