"""What an engine promises: blocking calls from one thread at a time, on plain arrays and values."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.audio import Samples
from realtime.transcript import Hypothesis, TranscriptionRequest

VadState = NDArray[np.float32]
"""What a voice activity detector remembers of one stream between windows; opaque, owned by the session."""


class Recognizer(Protocol):
    """Speech to text."""

    multilingual: bool

    def transcribe(self, requests: Sequence[TranscriptionRequest]) -> list[Hypothesis]:
        """Answer each request, in order. Raises `EngineError`."""

    def close(self) -> None: ...


class Detector(Protocol):
    """Voice activity detection."""

    def initial_state(self) -> VadState:
        """The state of a stream that has not begun."""

    def score(self, requests: Sequence[tuple[NDArray[np.float32], VadState]]) -> list[tuple[list[float], VadState]]:
        """Score windows of many streams in step.

        Each request is an array of shape (windows, 512) at 16 kHz and the state after the previous window; each answer
        the speech probability of every window and the state after the last.
        """

    def close(self) -> None: ...


class Synthesizer(Protocol):
    """Text to speech."""

    sample_rate: int
    voices: tuple[str, ...]
    """Names of the voices at hand, the default first."""

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """Yield mono chunks at `sample_rate` in order. `voice` is one of `voices`; `speed` 1.0 is normal.

        Raises `EngineError`. Closing the iterator stops the work.
        """

    def close(self) -> None: ...
