"""The vocabulary of a session: what goes in (commands and engine results) and what comes out (events and jobs).

Commands are imperative, events are in the past tense. Positions are samples at 16 kHz since the session's first sample.
Everything here is a value; the wire codecs translate commands and events, the driver carries out jobs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime.audio import AudioFormat, Encoding, Samples
from realtime.endpointing import TurnDetection
from realtime.errors import VoiceError
from realtime.evidence import Suppression
from realtime.transcript import Hypothesis, TranscriptionRequest, Word


class SessionKind(StrEnum):
    """What a session is for: only listening, or speaking too."""

    TRANSCRIPTION = "transcription"
    CONVERSATION = "realtime"


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Everything a client may set. `turn_detection` None means that the client commits by hand.

    `transcribe` says whether transcripts are wanted; `language` None means detect; `translate` asks for English instead
    of the language spoken, `include_partials` for revisable text (both extensions). `speed` is that of the voice.
    """

    kind: SessionKind = SessionKind.CONVERSATION
    input_format: AudioFormat = AudioFormat(Encoding.PCM16, 24_000)
    output_format: AudioFormat = AudioFormat(Encoding.PCM16, 24_000)
    turn_detection: TurnDetection | None = TurnDetection()
    interrupt_response: bool = True
    transcribe: bool = False
    recognizer: str = ""
    language: str | None = None
    translate: bool = False
    prompt: str = ""
    include_partials: bool = False
    instructions: str = ""
    voice: str = ""
    speed: float = 1.0


# Commands: what a client wants.


@dataclass(frozen=True, slots=True)
class Configure:
    """Replace the configuration; it has been validated as a whole."""

    config: SessionConfig


@dataclass(frozen=True, slots=True)
class AppendAudio:
    """One frame of microphone audio in the session's input format, any length."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CommitAudio:
    """The turn ends here, whatever the voice activity detector thinks."""

    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClearAudio:
    """Forget the audio since the last commit."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Speak `text` verbatim as one response. `in_conversation` False keeps it out of the conversation's items."""

    text: str = field(repr=False)
    in_conversation: bool = True
    voice: str | None = None
    speed: float | None = None
    output_format: AudioFormat | None = None
    metadata: dict[str, str] | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class CancelResponse:
    """Stop the response in progress."""

    response_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request the session has no part in: it hands it back in its turn, as an event, for the codec to answer."""

    request: object


Command: TypeAlias = Configure | AppendAudio | CommitAudio | ClearAudio | Speak | CancelResponse | WireRequest


# Jobs: what a session asks of the engines. Every job has a number; a result whose number is not live is dropped.


class Priority(IntEnum):
    """Who goes first when an engine is busy."""

    FINAL = 0
    PARTIAL = 1
    UPLOAD = 2


class Pace(Enum):
    """How much time an engine has: to spare, in a hurry just enough, and too little."""

    LEISURELY = "leisurely"
    HURRIED = "hurried"
    PRESSED = "pressed"


@dataclass(frozen=True, slots=True)
class ScoreWindows:
    """Score windows, shape (n, 512), after `state` (None: the stream begins)."""

    number: int
    windows: NDArray[np.float32] = field(repr=False)
    state: NDArray[np.float32] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Transcribe with the recognizer of this name.

    `request` says what: it is called when an engine is free, so that the newest audio is decoded, however late.
    """

    number: int
    recognizer: str
    request: Callable[[], TranscriptionRequest] = field(repr=False)
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
    """The answer to a `Transcribe`, and how busy its engine is."""

    number: int
    hypothesis: Hypothesis = field(repr=False)
    pace: Pace = Pace.LEISURELY


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
Input: TypeAlias = Command | EngineResult


# Events: what the client is told.


@dataclass(frozen=True, slots=True)
class SessionConfigured:
    """The configuration now in force."""

    config: SessionConfig


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began; `at` includes the pre-roll. `item_id` is the item this utterance will become."""

    item_id: str
    at: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Speech ended; `at` includes the silence that proved it."""

    item_id: str
    at: int


@dataclass(frozen=True, slots=True)
class AudioCommitted:
    """A turn of the user is complete and is now the last item of the conversation."""

    item_id: str


@dataclass(frozen=True, slots=True)
class AudioCleared:
    """The audio since the last commit is forgotten."""


@dataclass(frozen=True, slots=True)
class TranscriptExtended:
    """More committed text of an item: append-only, leading space included."""

    item_id: str
    delta: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TranscriptRevised:
    """What is believed of the audio being decoded: its committed words and the tentative tail, which may change.

    Sent only when `include_partials` is set. The words have no times yet.
    """

    item_id: str
    committed: tuple[Word, ...] = field(repr=False)
    tentative: tuple[Word, ...] = field(repr=False)
    audio_end: int


@dataclass(frozen=True, slots=True)
class TranscriptCompleted:
    """The final transcript of an item; empty where nothing was said.

    The text is what the deltas of the item add up to, but for white space at its edges. `samples` is the length of the
    audio, `suppressed` says for each stretch of it whose text was withheld on what evidence. `commit_lags` are the
    samples that had come after the end of each word when it was committed, and `erased` counts the tentative words that
    were taken back.
    """

    item_id: str
    text: str = field(repr=False)
    words: tuple[Word, ...] = field(repr=False)
    language: str
    samples: int
    suppressed: tuple[Suppression, ...] = ()
    commit_lags: tuple[int, ...] = field(default=(), repr=False)
    erased: int = 0


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    item_id: str
    error: VoiceError


class ResponseStatus(StrEnum):
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Response:
    """One spoken answer; `item_id` names its message, the last item of the conversation if it is in it."""

    id: str
    item_id: str
    in_conversation: bool
    output_format: AudioFormat
    voice: str
    metadata: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    response: Response


@dataclass(frozen=True, slots=True)
class ResponseTextExtended:
    """The text of the phrase whose audio comes next."""

    response: Response
    delta: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseAudioExtended:
    """More audio in the response's output format. `offset` counts output samples since the response began."""

    response: Response
    data: bytes = field(repr=False)
    offset: int


@dataclass(frozen=True, slots=True)
class ResponseFinished:
    """The response is over. `text` is what was sent of it; `reason` says who cancelled, `error` what failed."""

    response: Response
    status: ResponseStatus
    text: str = field(repr=False)
    reason: Literal["turn_detected", "client_cancelled"] | None = None
    error: VoiceError | None = None


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command could not be carried out; `code` is the protocol's word for why. The session goes on."""

    code: str
    message: str
    request_id: str | None = None
    param: str | None = None


Event: TypeAlias = (
    SessionConfigured
    | SpeechStarted
    | SpeechStopped
    | AudioCommitted
    | AudioCleared
    | TranscriptExtended
    | TranscriptRevised
    | TranscriptCompleted
    | TranscriptFailed
    | ResponseStarted
    | ResponseTextExtended
    | ResponseAudioExtended
    | ResponseFinished
    | CommandRefused
    | WireRequest
)
Output: TypeAlias = Event | Job
