"""How Whisper hears the words of partials, for simulations: which it has wrong, for how long, and how sure it is.

The figures are those of recorded English, by `tests.bench.hard_cases.stability`.
"""

import math
import random
from dataclasses import dataclass, replace
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.transcript import Word
from tests.support.scripted_conversation import WORD_LENGTH

BEFORE_END: Final = 0.2
"""Seconds before the end of a word at which nearly nothing of it is heard."""

RECENT_SECONDS: Final = 0.25
"""Time constant with which the log-odds of a word approach their final value after its end."""

KEPT: Final = 0.67
"""Share of the words that the next partial hears as the one before, as long as that is likely enough, by
`tests.bench.hard_cases.stability`."""

INITIALS: Final = "bcdfghjklmnpqrstv"
"""What misheard words begin with instead of "w"."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How Whisper hears the words of partials, and how sure it is, by `tests.bench.hard_cases.stability`."""

    log_odds: tuple[float, float]
    """Mean and standard deviation, over words, of the log-odds of a word that ended a while ago."""
    recent: float
    """By how much less they are 0.1 s before it ends."""
    noise: float
    """Standard deviation of the log-odds of a word from partial to partial."""
    misheard: tuple[float, float, float]
    """How likely a word is wrong: the log-odds of that, as a constant, and the factors for those of the word and for
    the logarithm of the seconds since it ended, counted from `BEFORE_END`."""
    misheard_log_odds: tuple[float, float]
    """Mean and standard deviation of the log-odds of a misheard word."""


WITH_TIMESTAMPS: Final = Hearing((3.22, 1.74), 2.95, 0.55, (-2.45, -0.64, -1.89), (-0.08, 0.99))
WITHOUT_TIMESTAMPS: Final = Hearing((3.51, 1.77), 3.61, 0.58, (-1.75, -0.74, -1.91), (0.06, 1.11))
"""Partials without and under load."""


@dataclass(slots=True)
class HeardWord:
    """How partials hear a word."""

    score: float
    """Standard score of its log-odds among those of all words."""
    threshold: float
    """It is misheard where that is more probable than this."""
    initial: str
    """What it begins with when it is misheard."""


def as_heard(word: Word, end: int, hearing: Hearing, known: dict[str, HeardWord], dice: random.Random) -> Word:
    """Return a word of a partial of audio up to `end` as it is heard, and with its probability.

    `known` are the words that this speaker has said before, by their text; a new one is added.
    """
    since = (end - max(word.end, word.start + WORD_LENGTH)) / SAMPLE_RATE
    if word.text not in known:
        known[word.text] = HeardWord(dice.gauss(), *_mishearing(dice))
    heard = known[word.text]
    if dice.random() >= KEPT:  # heard anew
        heard.threshold, heard.initial = _mishearing(dice)
    mean, deviation = hearing.log_odds
    own = mean + deviation * heard.score
    constant, of_word, of_age = hearing.misheard
    if _probability(constant + of_word * own + of_age * math.log(since + BEFORE_END)) > heard.threshold:
        text = word.text.replace("w", heard.initial)
        return replace(word, text=text, probability=_probability(dice.gauss(*hearing.misheard_log_odds)))
    less = hearing.recent * math.exp(-(since + 0.1) / RECENT_SECONDS)
    return replace(word, probability=_probability(dice.gauss(own - less, hearing.noise)))


def _mishearing(dice: random.Random) -> tuple[float, str]:
    return dice.random(), dice.choice(INITIALS)


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
