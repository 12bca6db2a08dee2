"""Stability: which words of a partial are so likely to be in the final that they can be committed.

A word that the recognizer is sure of, that is followed by others of which it is sure, and that it has written in the
same way for a while, is seldom revised. The probability is that of a logistic regression, as in Selfridge, Arizmendi,
Heeman and Williams, "Stability and Accuracy in Incremental Speech Recognition" (2011).
"""

import math
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.certainty import Certainty
from realtime.speech.transcript import Word, normalised

BIAS: Final = 0.4
OWN: Final = 1.0
NEXT: Final = 0.2
LETTERS: Final = 0.1
AGE: Final = 1.0
"""Coefficients of the regression: a constant, and the factors of the `features`.

Rounded from what fits partials of recorded English by `whisper-base` and `whisper-tiny.en`
(`tests.bench.hard_cases.stability`). Lengths, marks, the words before, the least probability that a word has had, and
whether the audio ends in a pause add next to nothing.
"""

SURE: Final = 0.999
"""Probability of a word above which more of it says nothing."""


def stable_length(words: Sequence[Word], ages: Sequence[int], certainty: Certainty, confirmed: int = 0) -> int:
    """Return the number of words, from the first on, that can be committed.

    `ages` are the samples for which each word and all before it have been written like that, without those that are
    new. Words that the regression cannot judge are stable if they are among the first `confirmed`.
    """
    together = 1.0
    known = zip(features(words, ages), words, chain(ages, repeat(0)), strict=False)
    for length, ((own, following, letters, log_age), word, age) in enumerate(known):
        if not _can_be_judged(word):
            if length >= confirmed:
                return length
        elif age < certainty.age:
            together /= 1 + math.exp(-(BIAS + OWN * own + NEXT * following + LETTERS * letters + AGE * log_age))
            if together < certainty.probability:
                return length
    return len(words)


def features(words: Sequence[Word], ages: Sequence[int]) -> Iterator[tuple[float, float, float, float]]:
    """Yield what the regression knows of each word.

    These are the log-odds of the word and of the next one, 0 without any, the logarithm of one plus the letters behind
    the word, and that of one plus its age in quarters of a second.
    """
    letters = sum(len(normalised(word.text)) for word in words)
    for word, following, age in zip(words, chain(words[1:], [None]), chain(ages, repeat(0)), strict=False):
        letters -= len(normalised(word.text))
        next_odds = _log_odds(following.probability) if following else 0.0
        yield _log_odds(word.probability), next_odds, math.log1p(letters), math.log1p(4 * age / SAMPLE_RATE)


def _can_be_judged(word: Word) -> bool:
    """Whether the regression knows such words.

    It does not know text without spaces, the rest of a word behind a hyphen, numbers in digits, which what follows
    often changes, nor words whose probability is unknown.
    """
    return word.probability > 0 and word.text.startswith(" ") and not any(map(str.isdecimal, word.text))


def _log_odds(probability: float) -> float:
    probability = min(max(probability, 1 - SURE), SURE)
    return math.log(probability / (1 - probability))
