"""The vocabulary of a session: what goes in (commands and engine results) and what comes out (events and jobs).

Commands are imperative, events are in the past tense. Positions are samples at 16 kHz since the session's first sample.
Everything here is a value; the wire codecs translate commands and events, the driver carries out jobs.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from realtime.audio.formats import AudioFormat
from realtime.errors import VoiceError
from realtime.session.commands import Command, WireRequest
from realtime.session.config import SessionConfig
from realtime.session.jobs import EngineResult, Job
from realtime.speech.suppression import Suppression
from realtime.speech.transcript import Word

Input: TypeAlias = Command | EngineResult


# Events: what the client is told.


@dataclass(frozen=True, slots=True)
class SessionConfigured:
    """The configuration now in force."""

    config: SessionConfig


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at `at`, which includes the prefix padding; `item_id` is the item the turn will become.

    `interrupts` says whether it cancels a response in progress, by the configuration in effect for this audio.
    """

    item_id: str
    at: int
    interrupts: bool = True


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
