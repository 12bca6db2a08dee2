"""The part of faster-whisper that this project uses; the package has no types of its own."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import tokenizers
from ctranslate2.models import Whisper
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

class WhisperModel:
    model: Whisper
    feature_extractor: FeatureExtractor
    hf_tokenizer: tokenizers.Tokenizer
    def __init__(
        self,
        model_size_or_path: str,
        *,
        device: str = ...,
        device_index: int = ...,
        compute_type: str = ...,
        cpu_threads: int = ...,
        num_workers: int = ...,
    ) -> None: ...
    def transcribe(self, audio: str | NDArray[np.float32], **options: Any) -> tuple[Iterable[Any], Any]: ...
