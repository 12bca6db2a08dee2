"""What an engine promises: blocking calls on plain arrays and values, from one thread at a time but for recognizers."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis

VadState = NDArray[np.float32]
"""What a voice activity detector remembers of one stream between windows; opaque, owned by the session."""


Encoded: TypeAlias = Any
"""A request that is halfway through a recognizer; opaque."""


class Recognizer(Protocol):
    """Speech to text, in two halves."""

    multilingual: bool
    workers: int
    """Threads that may call `encode` and `decode` at the same time."""
    partial_cost: float
    """About how many seconds a few seconds of audio take; measured when the engine is loaded."""

    def encode(self, request: TranscriptionRequest) -> Encoded:
        """The first half of the work, which costs the same in any company. Raises `EngineError`."""

    def decode(self, encoded: Sequence[Encoded]) -> list[Hypothesis | Encoded]:
        """The second half, cheaper together: answer each request, in order. Raises `EngineError`.

        What is answered with anything but a hypothesis wants to be decoded as that once more.
        """

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
