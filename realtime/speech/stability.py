"""Stability: how likely a word of a partial is to be in the final, as well as all words before it.

A word that the recognizer is sure of, and that is followed by others of which it is sure, is seldom revised. The
probability is that of a logistic regression, as in Selfridge, Arizmendi, Heeman and Williams, "Stability and Accuracy
in Incremental Speech Recognition" (2011).
"""

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from realtime.speech.transcript import Word, normalised

BIAS: Final = 0.4
OWN: Final = 1.1
NEXT: Final = 0.3
LETTERS: Final = 0.4
"""Coefficients of the regression: a constant, and the factors of the `features`.

Fitted to 36,000 words in partials of recorded English, by `whisper-base` and `whisper-tiny.en` with and without
timestamp tokens. Lengths, marks, the words before and all products of these add nothing.
"""

SURE: Final = 0.999
"""Probability of a word above which more of it says nothing."""

STABLE: Final = 0.97
"""Probability that words stay from which they count as stable."""

STABLE_UNDER_LOAD: Final = 0.92
"""The same under load, where the next partial, which could confirm them, comes late."""


def stable_length(words: Sequence[Word], stable: float = STABLE) -> int:
    """Return the number of words, from the first on, that stay as they are with a probability of `stable` together.

    None is stable in text that is written without spaces, nor is a number in digits: what follows often changes it.
    """
    together = 1.0
    for length, (word, (own, following, letters)) in enumerate(zip(words, features(words), strict=True)):
        together /= 1 + math.exp(-(BIAS + OWN * own + NEXT * following + LETTERS * letters))
        if together < stable or not word.text.startswith(" ") or any(map(str.isdecimal, word.text)):
            return length
    return len(words)


def features(words: Sequence[Word]) -> Iterator[tuple[float, float, float]]:
    """Yield what the regression knows of each word.

    These are the log-odds of the word and of the next one, 0 without any, and the logarithm of one plus the letters
    behind the word.
    """
    letters = sum(len(normalised(word.text)) for word in words)
    for word, following in zip_longest(words, words[1:]):
        letters -= len(normalised(word.text))
        yield _log_odds(word.probability), _log_odds(following.probability) if following else 0.0, math.log1p(letters)


def _log_odds(probability: float) -> float:
    probability = min(max(probability, 1 - SURE), SURE)
    return math.log(probability / (1 - probability))
