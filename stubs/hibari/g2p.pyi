"""Graphemes to phonemes in hibari."""

from typing import Protocol

class Weights(Protocol):
    """The weights of features by tag; hibari's are a dictionary of dictionaries."""

    def get(self, feature: str, /) -> dict[str, float] | None: ...

class Tagger:
    @property
    def weights(self) -> dict[str, dict[str, float]]: ...
    @weights.setter
    def weights(self, weights: Weights) -> None: ...

class G2P:
    tagger: Tagger
    def __init__(self, *, british: bool = ...) -> None: ...
    def __call__(self, text: str, normalize_text: bool = ...) -> str: ...
    @property
    def oov(self) -> object: ...
