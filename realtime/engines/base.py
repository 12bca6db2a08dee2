"""The protocols of engines: blocking calls on arrays and values, from one thread at a time except for recognizers."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis

VadState = NDArray[np.float32]
"""The recurrent state of a voice activity detector for one stream; opaque, and owned by the session."""


State = TypeVar("State")
"""A request between its two stages, in the recognizer's own form: opaque to callers, and never a `Hypothesis`."""


class Recognizer(Protocol[State]):
    """Speech to text in two stages."""

    capabilities: Capabilities
    """What it can do according to its weights; the catalogue may be wrong, or not know the model."""
    workers: int
    """Threads that may call `encode` and `decode` at the same time."""
    partial_seconds: float
    """Engine seconds of one partial, both stages; estimated when the model is loaded."""

    def encode(self, request: TranscriptionRequest) -> State:
        """Encode one request. Raises `EngineError`, and `ClientError` for a language that the model does not know."""

    def decode(self, states: Sequence[State]) -> list[Hypothesis | State]:
        """Decode a batch and return one answer for each state, in order: its hypothesis, or a state to decode again.

        Raises `EngineError`.
        """

    def close(self) -> None: ...


class Detector(Protocol):
    """Voice activity detection."""

    def initial_state(self) -> VadState:
        """Return the state of a new stream."""

    def score(self, requests: Sequence[tuple[NDArray[np.float32], VadState]]) -> list[tuple[list[float], VadState]]:
        """Score the windows of many streams in one batch.

        A request is an array of shape (n, 512) at 16 kHz, and the state after the window before it. Its answer is the
        speech probability of each window, 0 to 1, and the state after the last. Raises `EngineError`.
        """

    def close(self) -> None: ...


class EndOfTurnModel(Protocol):
    """Whether a speaker who pauses has finished."""

    def score(self, turn: Samples) -> float:
        """Return the probability that the speaker has finished, 0 to 1.

        `turn` is the audio of the turn at 16 kHz with the beginning of the pause; only the last 8 s count. Raises
        `EngineError`.
        """

    def close(self) -> None: ...


class Synthesizer(Protocol):
    """Text to speech."""

    capabilities: Capabilities
    """What it can do. One that declares `instructions` or `cloning` needs parameters for them in `synthesize`."""
    sample_rate: int
    voices: tuple[str, ...]
    """Names of the voices, the default first."""

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        """Yield mono chunks at `sample_rate` in order.

        `voice` is one of `voices`. `speed` 1.0 is normal; others come as far as `Capabilities` say that it speaks at
        them. Closing the iterator stops the synthesis. Raises `EngineError`.
        """

    def close(self) -> None: ...


class ProcessEngine(Protocol):
    """An engine that runs in a process of its own, one job at a time; `workers/engine_process.py` calls it.

    Its constructor takes the arguments of the `EngineProgram` and a callback for the stages of loading. What its jobs
    are is between it and the handle that sends them.
    """

    description: Mapping[str, Any]
    """What it says of itself once it is loaded, as a JSON object."""

    def run(self, job: Mapping[str, Any], samples: Samples) -> Generator[tuple[dict[str, Any], Samples], None, None]:
        """Yield the parts of the result of a job. Closing the generator stops it. Raises `VoiceError`."""

    def interrupt(self) -> None:
        """Make the job stop soon; called from another thread. The parts that still come are dropped."""


class CalledEngine(Protocol):
    """An engine that runs in a process of its own and answers calls; made as a `ProcessEngine`."""

    description: Mapping[str, Any]
    """What it says of itself once it is loaded, as a JSON object."""

    def call(self, name: str, data: Sequence[bytes | bytearray | memoryview]) -> bytes:
        """Return the answer to a call. What names and data mean is between it and the handle. Raises `VoiceError`."""


@dataclass(frozen=True, slots=True)
class EngineProgram:
    """How to run an engine in processes of its own.

    Attributes:
        name: The name of the model, for errors and the log.
        engine: The `ProcessEngine` or `CalledEngine`, as `module:Class`, or a function that makes one.
        arguments: Its arguments, as a JSON object.
        python: The Python interpreter that has its libraries.
        environment: Variables that are set for the process, besides those that are passed on.
        instances: Most processes, each of which loads the model.
        max_memory_bytes: Most bytes of memory that a process may allocate; 0 for no limit.
        stall_timeout: Seconds after which a process that has sent nothing for its job is killed; for a call, more
            seconds are added that its audio explains.
        cancel_timeout: Seconds in which it must have ended a cancelled job, or else it is killed. An engine looks for a
            cancellation between two tokens or chunks, which take a second and more on a slow CPU.
        rest_seconds: Seconds without work after which a process returns the memory that it has freed.
    """

    name: str
    engine: str
    arguments: Mapping[str, Any]
    python: str
    environment: Mapping[str, str] = field(default_factory=dict)
    instances: int = 1
    max_memory_bytes: int = 0
    stall_timeout: float = 120.0
    cancel_timeout: float = 5.0
    rest_seconds: float = 10.0


class LanguageIdentifier(Protocol):
    """The language of written text. May be called from any thread."""

    def language(self, text: str, spoken: Collection[str]) -> str | None:
        """Return the language of a text; None where it is uncertain.

        It is one of `spoken`, the languages of the voice, only if that is nearly certain, and another one only if it is
        none of them. Text in Latin letters of less than a few words is uncertain. The codes are Whisper's where it has
        one.
        """

    def among(self, text: str, languages: Collection[str]) -> str | None:
        """Return which of two or more languages a text is in; None where it is uncertain, or in none of them.

        Of those that cannot be told apart, such as Chinese and Cantonese, it is the first. Of text in Latin letters,
        two or three words are often enough.
        """
