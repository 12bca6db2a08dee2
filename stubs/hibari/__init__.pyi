"""The part of hibari that this project uses; the package has no types of its own."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: int

class Hibari:
    def __init__(self, voice: str = ..., *, threads: int = ..., g2p: Callable[[str], str] | None = ...) -> None: ...
    @staticmethod
    def split_sentences(text: str) -> list[str]: ...
    def phonemize(self, text: str) -> list[str]: ...
    def from_phonemes(self, phonemes: str, speed: float = ..., seed: int | None = ...) -> NDArray[np.float32]: ...
