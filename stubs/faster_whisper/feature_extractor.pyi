"""The log-mel spectrogram of faster-whisper."""

import numpy as np
from numpy.typing import NDArray

class FeatureExtractor:
    def __call__(self, waveform: NDArray[np.float32], padding: int = ...) -> NDArray[np.float32]: ...
