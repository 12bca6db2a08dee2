"""Whisper's encoder: audio to frames of the decoder memory."""

from collections.abc import Sequence
from typing import Final

import ctranslate2
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.engines.whisper.windows import FRAME, FULL_WINDOW_FRAMES, Encoding, with_silence

NEUTRAL_FEATURE: Final = 0.0
"""Value of a feature that is neither sound nor silence: about the mean of Whisper's scaled log-mel features."""


class Encoder:
    """The encoder of a model, with the encoding of silence."""

    def __init__(self, model: ctranslate2.models.Whisper, features: FeatureExtractor) -> None:
        self._model = model
        self._features = features
        self.silence = self.encode(np.zeros(FULL_WINDOW_FRAMES * FRAME, np.float32))
        """The encoding of a silent window."""

    def encode(self, samples: Samples) -> Encoding:
        """Encode samples that fill a whole number of frames."""
        return self._encode(self._features(samples, padding=FRAME // 2)[:, : len(samples) // (FRAME // 2)])

    def encode_neutrally(self, samples: Samples, frames: int) -> Encoding:
        """Encode samples padded to `frames` with neutral features instead of silence."""
        sound = self._features(samples, padding=FRAME // 2)[:, : 2 * frames]
        padding = (0, 0), (0, 2 * frames - sound.shape[1])
        return self._encode(np.pad(sound, padding, constant_values=NEUTRAL_FEATURE))

    def memory(self, encodings: Sequence[tuple[Encoding, int]]) -> ctranslate2.StorageView:
        """Return the decoder memory of encodings, each lengthened with encoded silence to its number of frames."""
        return storage([with_silence(encoding, self.silence, frames) for encoding, frames in encodings])

    def _encode(self, features: NDArray[np.float32]) -> Encoding:
        encoded = self._model.encode(storage([features]), to_cpu=True)
        encoding: Encoding = np.asarray(encoded)[0]
        return encoding


def storage(arrays: Sequence[NDArray[np.float32]]) -> ctranslate2.StorageView:
    """Return arrays of one shape as one array of CTranslate2."""
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(arrays)))
