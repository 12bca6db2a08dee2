"""How certain words of partials must be before they are committed, which cannot be taken back."""

from dataclasses import dataclass
from typing import Final

from realtime.audio.formats import SAMPLE_RATE

MIN_SPAN: Final = 7 * SAMPLE_RATE // 10
"""Samples (0.7 s) by which the audio of two hypotheses must differ for one to confirm the other."""


@dataclass(frozen=True, slots=True)
class Certainty:
    """What is asked of words before they are committed."""

    probability: float
    """Least probability that they stay as they are (`realtime.speech.stability`), of all together; 1 for none."""
    age: int
    """Samples for which a word has been written in the same way that make up for any doubt."""
    span: int = MIN_SPAN
    """The same for words that the regression cannot judge: hypotheses with them must end so far apart."""


CERTAIN: Final = Certainty(0.94, 14 * SAMPLE_RATE // 10)
"""What is asked unless a client has another wish."""

LIKELY: Final = Certainty(0.9, MIN_SPAN)
"""What is asked instead of `CERTAIN` under load, where the next partial, which could confirm words, comes late."""
