"""The part of ChatTTS that this project uses; the package has no types of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

@dataclass
class Config: ...

class Chat:
    config: Config
    sha256_map: dict[str, str]
    class RefineTextParams:
        def __init__(self, *, prompt: str = ..., show_tqdm: bool = ...) -> None: ...

    class InferCodeParams:
        def __init__(
            self,
            *,
            prompt: str = ...,
            spk_emb: str | None = ...,
            spk_smp: str | None = ...,
            txt_smp: str | None = ...,
            max_new_token: int = ...,
            show_tqdm: bool = ...,
        ) -> None: ...

    def load(self, source: str, *, custom_path: str, device: torch.device, compile: bool) -> bool: ...  # noqa: A002
    def sample_random_speaker(self) -> str: ...
    def sample_audio_speaker(self, wav: NDArray[np.float32]) -> str: ...
    def infer(
        self,
        text: list[str],
        *,
        stream: bool,
        split_text: bool,
        skip_refine_text: bool,
        params_refine_text: RefineTextParams,
        params_infer_code: InferCodeParams,
    ) -> Iterator[NDArray[np.float32]]: ...
    def interrupt(self) -> None: ...
