"""Decoding of audio files by faster-whisper."""

import numpy as np
from numpy.typing import NDArray

def decode_audio(input_file: str, sampling_rate: int = ...) -> NDArray[np.float32]: ...
