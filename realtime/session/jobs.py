"""Jobs a session asks of the engines, the results that come back, and the numbers that tell which are still wanted."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.catalogue.table import ModelEntry
from realtime.errors import VoiceError
from realtime.scheduling.priority import Priority
from realtime.speech.transcript import Hypothesis


@dataclass(frozen=True, slots=True)
class ScoreWindows:
    """Score windows, shape (n, 512), after `state` (None: the stream begins)."""

    number: int
    windows: NDArray[np.float32] = field(repr=False)
    state: NDArray[np.float32] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Transcribe with this recognizer.

    The job carries no audio: when an engine is free, `Session.request_for` returns the request, so that the newest
    audio is decoded however long the job has waited.
    """

    number: int
    recognizer: ModelEntry
    priority: Priority


@dataclass(frozen=True, slots=True)
class Synthesize:
    """Speak one phrase; `voice` empty means the default voice."""

    number: int
    text: str = field(repr=False)
    voice: str
    speed: float


@dataclass(frozen=True, slots=True)
class CancelJob:
    """The answer to this job is no longer wanted."""

    number: int


Job: TypeAlias = ScoreWindows | Transcribe | Synthesize | CancelJob


# Engine results: what comes back.


@dataclass(frozen=True, slots=True)
class WindowsScored:
    number: int
    probabilities: list[float] = field(repr=False)
    state: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The answer to a `Transcribe`."""

    number: int
    hypothesis: Hypothesis = field(repr=False)


@dataclass(frozen=True, slots=True)
class SpeechSynthesized:
    """Some audio of a phrase, mono, at `sample_rate`; more may follow."""

    number: int
    samples: Samples = field(repr=False)
    sample_rate: int


@dataclass(frozen=True, slots=True)
class SynthesisFinished:
    number: int


@dataclass(frozen=True, slots=True)
class JobFailed:
    number: int
    error: VoiceError


EngineResult: TypeAlias = WindowsScored | Transcribed | SpeechSynthesized | SynthesisFinished | JobFailed


class Jobs:
    """Numbers the jobs of one session and remembers which of them are live."""

    def __init__(self) -> None:
        self._last = 0
        self._live: set[int] = set()

    def begin(self) -> int:
        """A number for a new job."""
        self._last += 1
        self._live.add(self._last)
        return self._last

    def is_live(self, number: int) -> bool:
        return number in self._live

    def end(self, number: int) -> None:
        """The job's last answer has come."""
        self._live.discard(number)

    def cancel(self, number: int) -> CancelJob:
        """Whatever the job still answers will be dropped."""
        self._live.discard(number)
        return CancelJob(number)
