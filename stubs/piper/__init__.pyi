"""The part of piper that this project uses; its own types are incomplete."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

class PiperConfig:
    sample_rate: int
    length_scale: float
    speaker_id_map: Mapping[str, int]
    @staticmethod
    def from_dict(config: dict[str, Any]) -> PiperConfig: ...

@dataclass
class SynthesisConfig:
    speaker_id: int | None = ...
    length_scale: float | None = ...
    normalize_audio: bool = ...

class AudioChunk:
    audio_float_array: NDArray[np.float32]

@dataclass
class PiperVoice:
    session: onnxruntime.InferenceSession
    config: PiperConfig
    espeak_data_dir: Path = ...
    download_dir: Path = ...
    def synthesize(self, text: str, syn_config: SynthesisConfig | None = ...) -> Iterator[AudioChunk]: ...
