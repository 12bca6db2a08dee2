"""The log-likelihood of a text: given the audio, and the ratio of that to the one given silence.

For silence Whisper writes what followed speech in its training data: thanks to the viewers, the names of subtitlers.
Such a text is as likely given silence as given the audio; what was said is far more likely given the audio. The
comparison needs no list of phrases, and holds in all languages.
"""

import math
from collections.abc import Iterable
from typing import Final

_LEAST: Final = 1e-9
"""Probability that replaces a smaller one, so that its logarithm is finite."""


def log_likelihood(probabilities: Iterable[float]) -> float:
    """Return the log-likelihood, in nats, of a text whose tokens have these probabilities."""
    return sum(math.log(max(probability, _LEAST)) for probability in probabilities)
