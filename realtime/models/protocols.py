"""What HTTP and the offline transcriber use of the loaded models.

`realtime.models.models.Models` is the implementation; tests put scripted models in its place.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.catalogue.table import ModelEntry
from realtime.catalogue.voices import VoicesAtHand
from realtime.engines.base import VadState
from realtime.scheduling.priority import ClientId, Priority
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.style import PLAIN, SpeechStyle
from realtime.speech.transcript import Hypothesis
from realtime.weights.progress import Step


class AsyncDetector(Protocol):
    """Voice activity detection; see `realtime.models.detector.DetectorHandle`."""

    async def score(
        self, windows: NDArray[np.float32], state: VadState | None, *, live: bool
    ) -> tuple[list[float], VadState]: ...


class AsyncRecognizer(Protocol):
    """Speech to text; see `realtime.models.recognizers.RecognizerHandle`."""

    @property
    def entry(self) -> ModelEntry: ...

    async def transcribe(
        self, request: TranscriptionRequest, priority: Priority, client_id: ClientId
    ) -> Hypothesis: ...


class AsyncSynthesizer(Protocol):
    """Text to speech; see `realtime.models.synthesizers.SynthesizerHandle`."""

    @property
    def name(self) -> str: ...

    @property
    def sample_rate(self) -> int: ...

    @property
    def voices(self) -> tuple[str, ...]: ...

    def choose_voice(self, name: str, text: str, language: str = "") -> str | None: ...

    def synthesize(
        self, text: str, voice: str, speed: float, style: SpeechStyle = PLAIN
    ) -> AsyncGenerator[Samples, None]: ...


class ModelService(Protocol):
    """The loaded models of a server; see `realtime.models.models.Models`."""

    @property
    def ready(self) -> bool: ...

    @property
    def stalled(self) -> bool: ...

    @property
    def recovering(self) -> bool: ...

    @property
    def detector(self) -> AsyncDetector: ...

    def lease_recognizer(self, entry: ModelEntry) -> AbstractAsyncContextManager[AsyncRecognizer]: ...

    def lease_synthesizer(self, entry: ModelEntry) -> AbstractAsyncContextManager[AsyncSynthesizer]: ...

    async def unspoken_language(self, text: str, entry: ModelEntry) -> str | None: ...

    async def voices_at_hand(self) -> VoicesAtHand: ...

    async def speaker(self, text: str, entry: ModelEntry) -> ModelEntry: ...

    async def language_for(self, text: str, entry: ModelEntry) -> str: ...

    async def owner_of_voice(self, name: str, entry: ModelEntry) -> ModelEntry: ...

    async def load(self, entry: ModelEntry) -> None: ...

    async def unload(self, entry: ModelEntry) -> None: ...

    def loaded(self) -> list[ModelEntry]: ...

    def is_loaded(self, entry: ModelEntry) -> bool: ...

    def progress(self) -> dict[str, Step]: ...
