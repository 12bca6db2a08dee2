"""Bring finished speech to an even loudness, and cut it into chunks: playing can begin and stop at any of them."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from realtime.audio.formats import Samples
from realtime.audio.loudness import levelled

FIRST_CHUNK_SECONDS: Final = 0.04
"""Duration of the first chunk of a sentence."""

CHUNK_SECONDS: Final = 0.1
"""Duration of the following chunks."""

LEADING_SILENCE_SECONDS: Final = 0.02
"""Silence that is left before a sentence."""

SILENCE_LEVEL: Final = 1e-3
"""Highest amplitude of silence, -60 dB of full scale."""


def without_leading_silence(samples: Samples, sample_rate: int) -> Samples:
    """Cut the third of a second of silence that hibari and Kokoro put before a sentence."""
    sounds = np.flatnonzero(np.abs(samples) > SILENCE_LEVEL)
    left = round(LEADING_SILENCE_SECONDS * sample_rate)
    return samples[max(0, sounds[0] - left) :] if len(sounds) else samples[:0]


def in_chunks(samples: Samples, sample_rate: int) -> Iterator[Samples]:
    """Yield the samples of a sentence, as loud as others, in chunks, none of which is empty."""
    first, further = (round(seconds * sample_rate) for seconds in (FIRST_CHUNK_SECONDS, CHUNK_SECONDS))
    if len(samples):
        yield from np.split(levelled(samples, sample_rate), range(first, len(samples), further))
