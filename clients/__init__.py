"""Captions, speech and conversations with a Vivavoce server; shares no code with the service.

`caption` captions a microphone, a file or any PCM, `converse` holds a conversation, and both open a lost session again
by themselves. `connect` opens a single session of the realtime protocol. `clients.microphone`, `clients.playback` and
`clients.loudspeaker` are sources and sinks of audio; `clients.cli` contains the commands of the terminal.
"""

from clients.aio import Session, connect
from clients.captions import Captions, caption
from clients.conversation import Conversation, Loudspeaker, converse
from clients.errors import ConnectionRefused, ErrorCode, ProtocolError, RealtimeError, RequestFailed, ServerClosed
from clients.events import (
    AudioChunk,
    Committed,
    Completed,
    Delta,
    Disconnected,
    Event,
    Failed,
    Interrupted,
    Other,
    Partial,
    Reconnected,
    ResponseCreated,
    ResponseDone,
    ResponseText,
    ServerError,
    SpeechStarted,
    SpeechStopped,
    Word,
)

__all__ = [
    "AudioChunk",
    "Captions",
    "Committed",
    "Completed",
    "ConnectionRefused",
    "Conversation",
    "Delta",
    "Disconnected",
    "ErrorCode",
    "Event",
    "Failed",
    "Interrupted",
    "Loudspeaker",
    "Other",
    "Partial",
    "ProtocolError",
    "RealtimeError",
    "Reconnected",
    "RequestFailed",
    "ResponseCreated",
    "ResponseDone",
    "ResponseText",
    "ServerClosed",
    "ServerError",
    "Session",
    "SpeechStarted",
    "SpeechStopped",
    "Word",
    "caption",
    "connect",
    "converse",
]
