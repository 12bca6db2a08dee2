"""Events: what a session reports to its client.

With `Input` and `Output` this is the whole vocabulary of a session: commands and engine results go in, events and jobs
come out. Commands are in the imperative, events in the past tense, and all of them are plain values. The wire codecs
translate commands and events; the driver carries out jobs. Positions are samples at 16 kHz since the session began.

`channel` is the index of the channel that a speaker is on, where channels are transcribed by themselves
(`SessionConfig.separate_channels`), and None elsewhere.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from realtime.errors import VoiceError
from realtime.session.commands import Command
from realtime.session.config import SessionConfig
from realtime.session.conversation import Item
from realtime.session.jobs import EngineResult, Job
from realtime.session.response_events import ResponseEvent
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
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Speech ended at `at`, which includes the silence after it."""

    item_id: str
    at: int
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class SilencePassed:
    """Nobody has spoken since the last turn for `TurnDetection.reported_silence`, which was over at `at`."""

    at: int
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class IdleTimeoutReached:
    """Nothing was said from `start` to `end`, the time after a response that is waited for; a response follows.

    `item_id` is the item that the silence becomes.
    """

    item_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AudioCommitted:
    """A turn of the user is over and is now an item of the conversation, after `previous_item_id`.

    `transcribed` and `answered` say, by the configuration in effect for this audio, whether its transcript follows, and
    whether a response follows that.
    """

    item_id: str
    previous_item_id: str | None = None
    transcribed: bool = True
    answered: bool = False
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class AudioCleared:
    """The audio since the last commit was dropped."""


@dataclass(frozen=True, slots=True)
class TranscriptExtended:
    """More text of an item was committed. Deltas are append-only and include the leading space of a word."""

    item_id: str
    delta: str = field(repr=False)
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class TranscriptRevised:
    """The newest partial of an item: committed words whose audio is still decoded, and the tentative tail.

    The tail may change with the next partial. Sent only when `SessionConfig.include_partials` is set; words may not
    have times yet. `audio_end` is the position up to which audio has been scored. With `SessionConfig.time_partials`,
    `trimmed` are the committed words of the item before these, whose audio is no longer decoded.
    """

    item_id: str
    committed: tuple[Word, ...] = field(repr=False)
    tentative: tuple[Word, ...] = field(repr=False)
    audio_end: int
    trimmed: tuple[Word, ...] = field(default=(), repr=False)
    channel: int | None = None


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
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    """The final transcript of an item could not be made; text committed before stays valid."""

    item_id: str
    error: VoiceError
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class RecordingTranscribed:
    """The recording in a part of an item that the client created has a transcript, or could not be transcribed."""

    item_id: str
    part: int
    transcript: TranscriptCompleted | TranscriptFailed


@dataclass(frozen=True, slots=True)
class TranscriptsSpoken:
    """With `SessionConfig.speak_transcripts`: all text that has been committed is spoken, and all of it was sent."""


@dataclass(frozen=True, slots=True)
class ItemAdded:
    """The client's item is in the conversation, after `previous_item_id` (None: it is the first)."""

    item: Item
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ItemDeleted:
    """The item is no longer in the conversation."""

    item_id: str


@dataclass(frozen=True, slots=True)
class ItemRetrieved:
    """The item as it is now."""

    item: Item


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    """What was not played is no longer in the conversation; the last two fields are the client's."""

    item_id: str
    content_index: int
    audio_end_ms: int


class RefusalReason(StrEnum):
    """Why a command was refused."""

    NOTHING_TO_COMMIT = "nothing_to_commit"
    """No audio has come since the last commit, or none of it belongs to a turn."""
    TOO_LITTLE_TO_COMMIT = "too_little_to_commit"
    """Without turn detection: less audio has come since the last commit than the command asks for."""
    RESPONSE_IN_PROGRESS = "response_in_progress"
    """A response can begin only when the one before has finished."""
    RESPONSE_NOT_ACTIVE = "response_not_active"
    """The response to cancel or to extend is not in progress."""
    UNKNOWN_ITEM = "unknown_item"
    """The conversation has no such item."""
    UNKNOWN_PREDECESSOR = "unknown_predecessor"
    """The conversation has no item that the new one could follow."""
    DUPLICATE_ITEM = "duplicate_item"
    """The conversation has an item of this id already."""
    NOT_SPOKEN = "not_spoken"
    """Only what the assistant said can be truncated."""


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command could not be carried out. The session goes on."""

    reason: RefusalReason
    command: Command
    response_id: str | None = None
    """The response in progress, where that is the reason."""
    item_id: str | None = None
    """The item that is missing or exists already, where that is the reason."""
    samples: int = 0
    """Length of the audio since the last commit, where that is the reason."""


ChannelEvent: TypeAlias = (
    SpeechStarted
    | SpeechStopped
    | SilencePassed
    | AudioCommitted
    | TranscriptExtended
    | TranscriptRevised
    | TranscriptCompleted
    | TranscriptFailed
)
"""What is reported of one channel."""

Event: TypeAlias = (
    SessionConfigured
    | SpeechStarted
    | SpeechStopped
    | SilencePassed
    | IdleTimeoutReached
    | AudioCommitted
    | AudioCleared
    | TranscriptExtended
    | TranscriptRevised
    | TranscriptCompleted
    | TranscriptFailed
    | RecordingTranscribed
    | TranscriptsSpoken
    | ItemAdded
    | ItemDeleted
    | ItemRetrieved
    | ItemTruncated
    | ResponseEvent
    | CommandRefused
)


Output: TypeAlias = Event | Job
"""What a session returns."""
