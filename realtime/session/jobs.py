"""Jobs and their results: what a session asks of the engines, and what comes back.

A job has a number, unique in its session, and is *live* from the output that starts it to its last result or its
cancellation (`Jobs`). Results of jobs that are not live are dropped by `Session.receive`, so an engine may answer late.

===============  ==============================================  ===========
job              results                                         last result
===============  ==============================================  ===========
`ScoreWindows`   `WindowsScored`, or `JobFailed`                 the only one
`ScoreTurn`      `TurnScored`, or `JobFailed`                    the only one
`Transcribe`     `Transcribed`, or `JobFailed`                   the only one
`Synthesize`     any number of `SpeechSynthesized`, then         the latter
                 `SynthesisFinished` or `JobFailed`
`Generate`       any number of `Generated`, then `Generated`     the latter
                 with `ChatFinished` or `JobFailed`
`CancelJob`      none
===============  ==============================================  ===========

All of them are plain values.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.catalogue.table import ModelEntry
from realtime.errors import VoiceError
from realtime.scheduling.priority import Priority
from realtime.session.generation import ChatDelta, ChatRequest
from realtime.speech.style import ReferenceClip
from realtime.speech.transcript import Hypothesis


@dataclass(frozen=True, slots=True)
class ScoreWindows:
    """Score windows of audio, shape (n, 512), that follow `state`; None is the beginning of the stream.

    `channel` is that of the microphone, None for audio that the client put into an item.
    """

    number: int
    windows: NDArray[np.float32] = field(repr=False)
    state: NDArray[np.float32] | None = field(repr=False)
    channel: int | None = 0


@dataclass(frozen=True, slots=True)
class ScoreTurn:
    """Score whether the speaker has finished, by the last audio of the turn, at 16 kHz, and the pause after it."""

    number: int
    samples: Samples = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Transcribe with this recognizer.

    The job carries no audio: when an engine is free, `Session.request_for` returns the request, so that the newest
    audio is decoded, however long the job has waited.
    """

    number: int
    recognizer: ModelEntry
    priority: Priority
    draft: bool = False
    """Whether the recognizer is the draft model of the session's own."""


@dataclass(frozen=True, slots=True)
class Synthesize:
    """Speak one phrase; an empty `voice` is the default one, `seconds_ahead` and `clip` are those of `SpeechStyle`."""

    number: int
    text: str = field(repr=False)
    voice: str
    speed: float
    seconds_ahead: float = 0.0
    clip: ReferenceClip | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Generate:
    """Ask the chat backend for the next answer."""

    number: int
    request: ChatRequest = field(repr=False)


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Stop a job whose results are no longer wanted."""

    number: int


Job: TypeAlias = ScoreWindows | ScoreTurn | Transcribe | Synthesize | Generate | CancelJob


@dataclass(frozen=True, slots=True)
class WindowsScored:
    """The speech probability of each window, and the state of the detector after the last one."""

    number: int
    probabilities: list[float] = field(repr=False)
    state: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TurnScored:
    """The probability that the speaker has finished."""

    number: int
    probability: float


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The answer to the request of a `Transcribe` job; word times count from the start of the request's samples."""

    number: int
    hypothesis: Hypothesis = field(repr=False)


@dataclass(frozen=True, slots=True)
class SpeechSynthesized:
    """The next audio of a phrase, mono."""

    number: int
    samples: Samples = field(repr=False)
    sample_rate: int
    positions: Sequence[float] = field(default=(), repr=False)
    """For each character of what is said, the place in the phrase that it stands for (`SpokenText`); empty if what is
    said is the phrase as it is written."""


@dataclass(frozen=True, slots=True)
class SynthesisFinished:
    """All audio of a phrase has been delivered."""

    number: int
    unspoken_language: str = ""
    """Code of the language of the phrase if the voice does not speak it; empty if it does, or that is not known."""


@dataclass(frozen=True, slots=True)
class Generated:
    """The next part of an answer; `ChatFinished` is the last one."""

    number: int
    delta: ChatDelta = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The engine could not do the job, or was too busy to accept it."""

    number: int
    error: VoiceError


ListeningResult: TypeAlias = WindowsScored | TurnScored | Transcribed | JobFailed
"""What comes of the jobs of the user's side."""

ResponseResult: TypeAlias = SpeechSynthesized | SynthesisFinished | Generated | JobFailed
"""What comes of the jobs of a response."""

EngineResult: TypeAlias = ListeningResult | ResponseResult


class Jobs:
    """Numbers the jobs of one session and knows which of them are live."""

    _live: frozenset[int] = frozenset()

    def __init__(self) -> None:
        self._last = 0

    def begin(self) -> int:
        """Return the number of a new live job."""
        self._last += 1
        self._live |= {self._last}
        return self._last

    def is_live(self, number: int) -> bool:
        """Return whether results of this job are wanted."""
        return number in self._live

    def end(self, number: int) -> None:
        """Record the last result of a job."""
        self._live -= {number}

    def cancel(self, number: int) -> CancelJob:
        """End a job before its last result, and return the output that stops it."""
        self._live -= {number}
        return CancelJob(number)
