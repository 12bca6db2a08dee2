"""Events that report responses: what they are, how they grow and how they end."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from realtime.audio.formats import AudioFormat
from realtime.errors import VoiceError
from realtime.session.config import Modality
from realtime.session.conversation import Item, Message
from realtime.session.generation import ChatUsage
from realtime.speech.speech_timing import SpokenWord


class ResponseStatus(StrEnum):
    """How far a response has come, in the words of OpenAI's protocol."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class EndReason(StrEnum):
    """Why a response was cancelled or is incomplete."""

    TURN_DETECTED = "turn_detected"
    """The user began to speak."""
    CLIENT_CANCELLED = "client_cancelled"
    MAX_OUTPUT_TOKENS = "max_output_tokens"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Its items join the conversation if `in_conversation`."""

    id: str
    in_conversation: bool
    modality: Modality
    output_format: AudioFormat
    voice: str
    metadata: dict[str, str] | None
    max_output_tokens: int | None = None
    voice_unknown: bool = False
    """Whether another voice was asked for, which the server does not have."""


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """A response began; nothing of it has been generated or synthesized."""

    response: Response


@dataclass(frozen=True, slots=True)
class ResponseItemAdded:
    """A message or a tool call of a response began; in the conversation it follows `previous_item_id`.

    A message has no text yet, a call no arguments.
    """

    response: Response
    index: int
    item: Item
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ResponseTextExtended:
    """More text of a message; in a spoken response the text of one phrase, whose audio follows."""

    response: Response
    index: int
    item_id: str
    delta: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseAudioExtended:
    """More audio in the output format of the response; `offset` counts output samples since the response began."""

    response: Response
    index: int
    item_id: str
    data: bytes = field(repr=False)
    offset: int


@dataclass(frozen=True, slots=True)
class ResponseWordsTimed:
    """When the words of a phrase are played, in output samples since the response began.

    Sent once the phrase is synthesized, and only when `SessionConfig.time_speech` is set.
    """

    response: Response
    index: int
    item_id: str
    timed: tuple[SpokenWord, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseFlushed:
    """All audio of the text before a flush has been sent."""

    response: Response


@dataclass(frozen=True, slots=True)
class ResponseItemFinished:
    """The item is complete, or will not be; its text is that which was sent."""

    response: Response
    index: int
    item: Item
    previous_item_id: str | None


@dataclass(frozen=True, slots=True)
class ResponseFinished:
    """The response is over. `items` is what was sent; `reason` says why it is not complete, `error` what failed.

    `unspoken_languages` are the codes of the languages of its text that the voice does not speak.
    """

    response: Response
    status: ResponseStatus
    items: tuple[Item, ...] = ()
    reason: EndReason | None = None
    error: VoiceError | None = None
    usage: ChatUsage | None = None
    unspoken_languages: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that was sent."""
        return "".join(item.content.text for item in self.items if isinstance(item.content, Message))


ResponseEvent: TypeAlias = (
    ResponseStarted
    | ResponseItemAdded
    | ResponseTextExtended
    | ResponseAudioExtended
    | ResponseWordsTimed
    | ResponseFlushed
    | ResponseItemFinished
    | ResponseFinished
)
