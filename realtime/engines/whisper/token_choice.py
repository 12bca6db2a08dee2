"""Which token follows: the most likely one that Whisper's rules allow.

Source of the rules for timestamps: openai/whisper, `decoding.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_INITIAL_TIMESTAMP: Final = 50
"""Latest first timestamp, in frames: 1 s."""


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Numbers of tokens with a meaning of their own, and those that are never generated."""

    start: int
    end: int
    no_speech: int
    no_timestamps: int
    suppressed: Sequence[int]
    suppressed_first: Sequence[int]

    @property
    def timestamps(self) -> int:
        """The first timestamp; all tokens from there on are timestamps."""
        return self.no_timestamps + 1


class TokenChoice:
    """The choice among the tokens of a vocabulary."""

    def __init__(self, special: SpecialTokens, vocabulary: int) -> None:
        """Choose among so many tokens. Raises `IndexError` for special tokens that are not among them."""
        self._special = special
        self._bias = np.zeros(vocabulary, np.float32)
        self._bias[[*special.suppressed, special.no_timestamps]] = -np.inf
        self._first_bias = np.zeros_like(self._bias)
        self._first_bias[list(special.suppressed_first)] = -np.inf

    def no_speech_probability(self, logits: NDArray[np.float32]) -> float:
        """Return the probability of no speech by the logits, (vocabulary,), behind the start of transcript."""
        return float(_softmax(logits)[self._special.no_speech])

    def choose(self, logits: NDArray[np.float32], before: Sequence[int], prompt: Sequence[int]) -> tuple[int, float]:
        """Return the most likely token, and its log-probability among those allowed.

        `logits` is (vocabulary,); the tokens `before` were generated behind the prompt.
        """
        special, logits = self._special, logits + self._bias
        if prompt[-1] == special.no_timestamps:
            if not before:
                logits += self._first_bias
            token = int(logits.argmax())
            return token, float(logits[token]) - _log_sum(logits)
        begin, last = special.timestamps, len(logits)
        text, times = logits[:begin], logits[begin:]
        if not before:
            return _likeliest(times[: MAX_INITIAL_TIMESTAMP + 1], begin)
        if before[-1] >= begin:
            if len(before) == 1 or before[-2] >= begin:
                return _likeliest(text, 0)
            text, first_text = text[special.end : special.end + 1], special.end
            first = before[-1]
        else:
            first_text = 0
            first = max((each for each in before if each >= begin), default=begin - 1) + 1
        times = logits[first:last]
        of_times = _log_sum(times)
        token = int(text.argmax())
        if of_times > text[token]:
            return _likeliest(times, first)
        return first_text + token, float(text[token] - np.logaddexp(of_times, _log_sum(text)))


def _likeliest(logits: NDArray[np.float32], first: int) -> tuple[int, float]:
    token = int(logits.argmax())
    return first + token, float(logits[token]) - _log_sum(logits)


def _log_sum(logits: NDArray[np.float32]) -> float:
    """Return the logarithm of the sum of exponentials."""
    largest = logits.max(initial=-np.inf)
    return float(largest + np.log(np.exp(logits - largest).sum())) if np.isfinite(largest) else -np.inf


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers: NDArray[np.float32] = np.exp(logits - logits.max())
    powers /= powers.sum()
    return powers
