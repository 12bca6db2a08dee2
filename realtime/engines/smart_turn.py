"""The end of a turn with Smart Turn v3.2: does the speaker go on after this pause?

Smart Turn (pipecat-ai, BSD-2-Clause) is the encoder of Whisper tiny with a classifier, quantized to 8 bits. It judges
the last 8 s of a turn by intonation and wording, in 23 languages. Its ONNX file comes with the package `pipecat-ai`,
which is never imported: only the file is needed, and neither the package's dependencies nor its code.
"""

from pathlib import Path
from typing import Final

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.engines.onnx import FAILED_RUN, load_model
from realtime.errors import EngineError, UnusableModel
from realtime.weights.bundled import package_directory

WINDOW_SECONDS: Final = 8
"""Seconds of audio that the model judges."""

MODEL: Final = "audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"
"""Path of the model inside the package."""

_LEAST_VARIANCE: Final = 1e-7
"""Added to the variance by which audio is normalized, so that silence can be, too; as in training."""


class SmartTurn:
    """An `EndOfTurnModel` on one CPU thread and 60 MB: a turn takes 28 ms, 2 ms of them for its features.

    In a batch of four a turn takes as long, and each adds 29 MB.
    """

    def __init__(self) -> None:
        """Load the model. Raises `UnusableModel` if it is not installed, and `EngineError` if it is damaged."""
        self._model = load_model(_model_file(), "The Smart Turn model")
        self._features = FeatureExtractor()
        threadpool_limits(limits=1, user_api="blas")  # its threads would go on spinning while the model runs

    def score(self, turn: Samples) -> float:
        features = self._features(_window(turn), padding=0).astype(np.float32, copy=False)
        try:
            (probabilities,) = self._model.run(None, {"input_features": features[np.newaxis]})
        except FAILED_RUN as exc:
            raise EngineError("Smart Turn failed to score the audio.") from exc
        return float(probabilities[0, 0])

    def close(self) -> None:
        del self._model


def _window(samples: Samples) -> NDArray[np.float32]:
    """Return the last 8 s, after silence where there is less, with a mean of 0 and a variance of 1."""
    last = samples[-WINDOW_SECONDS * SAMPLE_RATE :]
    window = np.zeros(WINDOW_SECONDS * SAMPLE_RATE, np.float32)
    window[len(window) - len(last) :] = last
    normalized: NDArray[np.float32] = (window - window.mean()) / np.sqrt(window.var() + np.float32(_LEAST_VARIANCE))
    return normalized


def _model_file() -> Path:
    package = package_directory("pipecat")
    if package is None or not (package / MODEL).is_file():
        raise UnusableModel(
            "Smart Turn is not installed. Install its package without the dependencies, which are not needed: "
            "pip install --no-deps 'pipecat-ai>=1.14,<2'"
        )
    return package / MODEL
