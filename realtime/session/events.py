"""Events: what a session reports to its client.

With `Input` and `Output` this is the whole vocabulary of a session: commands and engine results go in, events and jobs
come out. Commands are in the imperative, events in the past tense, and all of them are plain values. The wire codecs
translate commands and events; the driver carries out jobs. Positions are samples at 16 kHz since the session began.
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
"""What `Session.receive` takes."""


@dataclass(frozen=True, slots=True)
class SessionConfigured:
    """The configuration is in effect for the audio that follows."""

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
    """Speech ended at `at`, which includes the silence after it."""

    item_id: str
    at: int


@dataclass(frozen=True, slots=True)
class AudioCommitted:
    """A turn of the user is over and is now the last item of the conversation; its transcript follows."""

    item_id: str


@dataclass(frozen=True, slots=True)
class AudioCleared:
    """The audio since the last commit was dropped."""


@dataclass(frozen=True, slots=True)
class TranscriptExtended:
    """More text of an item was committed. Deltas are append-only and include the leading space of a word."""

    item_id: str
    delta: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TranscriptRevised:
    """The newest partial of an item: committed words whose audio is still decoded, and the tentative tail.

    The tail may change with the next partial. Sent only when `SessionConfig.include_partials` is set; words may not
    have times yet. `audio_end` is the position up to which audio has been scored.
    """

    item_id: str
    committed: tuple[Word, ...] = field(repr=False)
    tentative: tuple[Word, ...] = field(repr=False)
    audio_end: int


@dataclass(frozen=True, slots=True)
class TranscriptCompleted:
    """The final transcript of an item; empty where nothing was said.

    The text is the concatenation of the deltas of the item without white space at its edges. `samples` is the length
    of the audio. `suppressed` has the reason for each segment whose text was suppressed. `commit_lags` has for each
    word with times the samples received between its end and its commitment; `erased` counts the tentative words that
    later partials changed or removed.
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
    """The final transcript of an item could not be made; text committed before stays valid."""

    item_id: str
    error: VoiceError


class ResponseStatus(StrEnum):
    """How far a response has come, in the words of OpenAI's protocol."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Response:
    """One spoken answer. `item_id` names its message, which joins the conversation if `in_conversation`."""

    id: str
    item_id: str
    in_conversation: bool
    output_format: AudioFormat
    voice: str
    metadata: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """A response began; nothing of it has been synthesized."""

    response: Response


@dataclass(frozen=True, slots=True)
class ResponseTextExtended:
    """The text of one phrase; its audio follows."""

    response: Response
    delta: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseAudioExtended:
    """More audio in the output format of the response; `offset` counts output samples since the response began."""

    response: Response
    data: bytes = field(repr=False)
    offset: int


@dataclass(frozen=True, slots=True)
class ResponseFinished:
    """The response is over. `text` is the part that was sent; `reason` says who cancelled it, `error` what failed."""

    response: Response
    status: ResponseStatus
    text: str = field(repr=False)
    reason: Literal["turn_detected", "client_cancelled"] | None = None
    error: VoiceError | None = None


class RefusalReason(StrEnum):
    """Why a command was refused."""

    NOTHING_TO_COMMIT = "nothing_to_commit"
    """No audio has come since the last commit, or none of it belongs to a turn."""
    RESPONSE_IN_PROGRESS = "response_in_progress"
    """A response can begin only when the one before has finished."""
    RESPONSE_NOT_ACTIVE = "response_not_active"
    """The response to cancel is not in progress."""


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command could not be carried out. The session goes on."""

    reason: RefusalReason
    request_id: str | None = None
    response_id: str | None = None
    """The response in progress, where that is the reason."""


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
"""What a session returns."""
