"""How certain words of partials must be before they are committed, which cannot be taken back."""

from dataclasses import dataclass
from typing import Final

from realtime.audio.formats import SAMPLE_RATE

MIN_SPAN: Final = 7 * SAMPLE_RATE // 10
"""Samples (0.7 s) by which the audio of two hypotheses must differ for one to confirm the other, unless a client is
content with less."""


@dataclass(frozen=True, slots=True)
class Certainty:
    """What is asked of words before they are committed."""

    probability: float
    """Least probability that a word and all before it stay as they are; 1: none is committed because of it."""
    age: int
    """Samples after which a word that has not changed is committed, however improbable."""
    span: int = MIN_SPAN
    """Samples by which the audio of two hypotheses must differ for one to confirm words of the other, where it is not
    known how likely these are to stay (`realtime.speech.stability`)."""


CERTAIN: Final = Certainty(0.94, 14 * SAMPLE_RATE // 10)
"""What is asked unless a client has another wish."""

LIKELY: Final = Certainty(0.9, MIN_SPAN)
"""What is asked instead of `CERTAIN` under load, where the next partial, which could confirm words, comes late."""
