"""Bring finished speech to an even loudness, and cut it into chunks: playing can begin and stop at any of them."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from realtime.audio.formats import Samples
from realtime.audio.loudness import LoudnessLeveller

FIRST_CHUNK_SECONDS: Final = 0.04
"""Duration of the first chunk of a sentence."""

CHUNK_SECONDS: Final = 0.1
"""Duration of the following chunks."""


def in_chunks(samples: Samples, sample_rate: int) -> Iterator[Samples]:
    """Yield the samples of a sentence, as loud as others, in chunks, none of which is empty."""
    first, further = (round(seconds * sample_rate) for seconds in (FIRST_CHUNK_SECONDS, CHUNK_SECONDS))
    if len(samples):
        yield from np.split(LoudnessLeveller(sample_rate).process(samples), range(first, len(samples), further))
