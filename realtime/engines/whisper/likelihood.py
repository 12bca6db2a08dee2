"""The log-likelihood ratio of a text: given the audio, against given silence.

For silence Whisper writes what followed speech in its training data: thanks to the viewers, the names of subtitlers.
Such a text is as likely given silence as given the audio; what was said is far more likely given the audio. The
comparison needs no list of phrases, and holds in all languages.
"""

import math
from collections.abc import Iterable
from typing import Final

_LEAST: Final = 1e-9
"""Probability that replaces a smaller one, so that its logarithm is finite."""


def log_likelihood_ratio(given_audio: Iterable[float], given_silence: Iterable[float]) -> float:
    """Return the log-likelihood of a text given the audio less that given silence, in nats.

    The arguments are the probabilities of the tokens of the text.
    """
    return _log_likelihood(given_audio) - _log_likelihood(given_silence)


def _log_likelihood(probabilities: Iterable[float]) -> float:
    return sum(math.log(max(probability, _LEAST)) for probability in probabilities)
