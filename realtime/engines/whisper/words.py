"""From Whisper's tokens to words as people read them, and to when they were said."""

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.speech.transcript import Token, Word

UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages that Whisper writes without spaces: the fewest tokens that make whole characters are a word."""

PUNCTUATION: Final = frozenset(string.punctuation + "。，、！？：；…”’」』）«»„“—–")

HOP: Final = SAMPLE_RATE // 50
SILENT: Final = 10**-3.5
"""A hop of 20 ms with this share of the loudest one's energy, 35 dB less, is silent."""

GAP: Final = 10
"""Hops of silence that may be within a word: 200 ms."""


@dataclass(frozen=True, slots=True)
class TimedToken:
    """A text token, when it was said (samples) and how probable it was."""

    id: int
    start: int
    end: int
    probability: float


def words_of(tokens: Sequence[TimedToken], tokenizer: Tokenizer) -> tuple[Word, ...]:
    """Group tokens into words: punctuation belongs to the word before it, an opening mark to the word after it."""
    pieces, piece_tokens = tokenizer.split_tokens_on_unicode([token.id for token in tokens])
    unspaced = tokenizer.language_code in UNSPACED and tokenizer.task != tokenizer.translate
    words: list[Word] = []
    group: list[TimedToken] = []
    text = ""
    position = 0
    for piece, ids in zip(pieces, piece_tokens, strict=True):
        mark = piece.strip() == "" or all(character in PUNCTUATION for character in piece.strip())
        begins = piece.startswith(" ") or (unspaced and not mark)
        if group and begins and not all(character in PUNCTUATION for character in text.strip()):
            words.append(_word(text, group, tokenizer))
            group, text = [], ""
        group.extend(tokens[position : position + len(ids)])
        position += len(ids)
        text += piece
    if group and text.strip():
        words.append(_word(text, group, tokenizer))
    return tuple(words)


def _word(text: str, tokens: Sequence[TimedToken], tokenizer: Tokenizer) -> Word:
    return Word(
        text=text,
        start=tokens[0].start,
        end=max(tokens[0].start, tokens[-1].end),
        probability=sum(token.probability for token in tokens) / len(tokens),
        tokens=tuple(Token(token.id, _bytes_of(token.id, tokenizer), token.probability) for token in tokens),
    )


def _byte_letters() -> dict[str, int]:
    """The letters that a vocabulary of bytes is written in: printable ones stand for themselves, others follow 255.

    Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), 2.2.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + index): byte for index, byte in enumerate(others)}


_BYTES: Final = _byte_letters()


def _bytes_of(token: int, tokenizer: Tokenizer) -> bytes:
    return bytes(_BYTES[letter] for letter in tokenizer.tokenizer.id_to_token(token) or "")


def without_pauses(words: Sequence[Word], samples: Samples) -> tuple[Word, ...]:
    """Give each word the times of the longest sound within its own: attention leaves a pause to either neighbour."""
    sounds = _sounds(samples)
    narrowed = []
    for word in words:
        first, last = np.searchsorted(sounds, [word.start // HOP, -(-word.end // HOP)])
        within = sounds[first:last]
        if len(within):
            longest = max(np.split(within, np.flatnonzero(np.diff(within) > GAP) + 1), key=len)
            start, end = int(longest[0]) * HOP, min((int(longest[-1]) + 1) * HOP, len(samples))
            word = replace(word, start=start, end=end)
        narrowed.append(word)
    return tuple(narrowed)


def longest_untranscribed(words: Sequence[Word], samples: Samples) -> int:
    """The most samples of sound from the start of one word to that of the next: in many of them, words are missing."""
    starts = [0, *(word.start // HOP for word in words), -(-len(samples) // HOP)]
    return HOP * int(np.diff(np.searchsorted(_sounds(samples), starts)).max())


def _sounds(samples: Samples) -> NDArray[np.intp]:
    """Which hops are not silent."""
    hops = np.pad(samples, (0, -len(samples) % HOP)).reshape(-1, HOP)
    energy = np.einsum("ij,ij->i", hops, hops)
    return np.flatnonzero(energy > SILENT * energy.max(initial=0))
