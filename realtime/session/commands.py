"""Commands: what a client asks of its session."""

from dataclasses import dataclass, field
from typing import TypeAlias

from realtime.audio.formats import AudioFormat
from realtime.session.config import SessionConfig

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
