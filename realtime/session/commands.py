"""Commands: what a client asks of its session. All of them are plain values."""

from dataclasses import dataclass, field
from typing import TypeAlias

from realtime.audio.formats import AudioFormat
from realtime.session.config import SessionConfig


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
    """End the turn here, whatever the voice activity detector says."""

    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClearAudio:
    """Drop the audio since the last commit."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Speak `text` verbatim as one response.

    In the conversation the speech is sent at the rate at which it is played, and the user may interrupt it; out of it,
    as fast as it is made. None for voice, speed and format means those of the configuration.
    """

    text: str = field(repr=False)
    in_conversation: bool = True
    voice: str | None = None
    speed: float | None = None
    output_format: AudioFormat | None = None
    metadata: dict[str, str] | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class CancelResponse:
    """Cancel the response in progress; with `response_id`, only if it is that one."""

    response_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class WireRequest:
    """Return `request` as an event, in order: the codec answers it without the session."""

    request: object


Command: TypeAlias = Configure | AppendAudio | CommitAudio | ClearAudio | Speak | CancelResponse | WireRequest
