"""The loudness of speech as pyloudnorm measures it."""

import warnings

import numpy as np
import pytest

from realtime.audio.formats import Samples


def lufs(samples: Samples, rate: int) -> float:
    """Measure by ITU-R BS.1770; what is shorter than a block is one that ends with silence."""
    pyloudnorm = pytest.importorskip("pyloudnorm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was written for files in one of two formats
        return float(pyloudnorm.Meter(rate).integrated_loudness(np.pad(samples, (0, max(0, rate // 2 - len(samples))))))
