"""Commands: what a client asks of its session. All of them are plain values."""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from realtime.audio.formats import AudioFormat
from realtime.session.config import Modality, SessionConfig
from realtime.session.conversation import ItemContent
from realtime.session.generation import ChatTool, ChatToolChoice
from realtime.speech.style import ReferenceClip


@dataclass(frozen=True, slots=True)
class Configure:
    """Replace the configuration, which has been validated as a whole.

    The user's side changes when all audio before has been scored (`SessionConfigured`); responses that begin after the
    command use the new one.
    """

    config: SessionConfig


@dataclass(frozen=True, slots=True)
class AppendAudio:
    """Append one frame of microphone audio in the session's input format, of any length."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CommitAudio:
    """End the turn here, whatever the voice activity detector says.

    Without a turn it is refused, unless `if_any`. Without turn detection, so is a turn of less than `min_samples` at
    16 kHz, which goes on.
    """

    request_id: str | None = None
    if_any: bool = False
    min_samples: int = 0


@dataclass(frozen=True, slots=True)
class ClearAudio:
    """Drop the audio since the last commit."""


@dataclass(frozen=True, slots=True)
class CreateItem:
    """Add an item to the conversation: after the item `after`, at the front if that is `FRONT`, at the end if None."""

    content: ItemContent
    item_id: str | None = None
    """None: the session chooses one."""
    after: str | None = None
    request_id: str | None = None
    audio: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)
    """Recordings to transcribe, in the format of the input, each with the index of its `AudioPart` in the message."""


FRONT: Final = ""
"""Value of `CreateItem.after` for the place before all other items."""


@dataclass(frozen=True, slots=True)
class DeleteItem:
    """Remove an item from the conversation."""

    item_id: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class RetrieveItem:
    """Report an item of the conversation as it is now."""

    item_id: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class TruncateItem:
    """Keep of a spoken item only what the client has played: its first `audio_end_ms` milliseconds."""

    item_id: str
    audio_end_ms: int
    content_index: int = 0
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ItemReference:
    """An item of the conversation as input of one response."""

    item_id: str


@dataclass(frozen=True, slots=True)
class CreateResponse:
    """Answer the conversation, or `input` instead of it, as one response.

    The chat backend generates the answer, unless `input` ends with a message of the assistant, which is spoken as it
    is written. Without a backend, a text that the client gave is spoken; see `Responses`. In the conversation the
    speech is sent at the rate at which it is played, and the user may interrupt it; out of it, as fast as it is made.
    None for an option means that of the configuration.
    """

    in_conversation: bool = True
    input: tuple[ItemContent | ItemReference, ...] | None = None
    instructions: str | None = field(default=None, repr=False)
    modality: Modality | None = None
    voice: str | None = None
    voice_unknown: bool = False
    """Whether a voice was asked for that the server does not have."""
    speed: float | None = None
    clip: ReferenceClip | None = field(default=None, repr=False)
    """Recording of a voice that speaks instead; None where a voice is named means none."""
    output_format: AudioFormat | None = None
    tools: tuple[ChatTool, ...] | None = None
    tool_choice: ChatToolChoice | None = None
    max_output_tokens: int | None = None
    metadata: dict[str, str] | None = None
    text_follows: bool = False
    """Whether it says what `ExtendSpeech` adds, after the message of the assistant at the end of `input`, if any."""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Speak:
    """Speak `text` verbatim as one response; unless it is `complete`, `ExtendSpeech` adds to it.

    It is sent like a `CreateResponse`, and None for an option means the same.
    """

    text: str = field(repr=False)
    in_conversation: bool = True
    voice: str | None = None
    speed: float | None = None
    output_format: AudioFormat | None = None
    metadata: dict[str, str] | None = None
    request_id: str | None = None
    complete: bool = True
    response_id: str | None = None
    """None: the session chooses one."""


@dataclass(frozen=True, slots=True)
class ExtendSpeech:
    """Add text to the newest `Speak` or `CreateResponse` that takes more, and perhaps complete it.

    `flush` speaks what has been given so far without waiting for the end of a phrase; `ResponseFlushed` follows the
    last of its audio.
    """

    text: str = field(default="", repr=False)
    flush: bool = False
    complete: bool = False
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class CancelResponse:
    """Cancel the response in progress in the conversation; with `response_id`, that one, wherever it is."""

    response_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Conclude:
    """End what is in progress, because the service is about to end the session.

    The turn in progress ends here and is transcribed; audio that follows is dropped. Each response in progress ends
    with the phrase that is being sent, and no other one begins.
    """


@dataclass(frozen=True, slots=True)
class Rest:
    """Free what further audio needs and is soon made again: the client has sent nothing for a while."""


ItemCommand: TypeAlias = CreateItem | DeleteItem | RetrieveItem | TruncateItem
Command: TypeAlias = (
    Configure
    | AppendAudio
    | CommitAudio
    | ClearAudio
    | Rest
    | ItemCommand
    | CreateResponse
    | Speak
    | ExtendSpeech
    | CancelResponse
    | Conclude
)
