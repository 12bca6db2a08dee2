"""Captions, speech and conversations with a Vivavoce server; shares no code with the service.

`caption` captions a microphone, a file or any PCM, `converse` holds a conversation, and both open a lost session again
by themselves. `speak` speaks a text; `transcribe` and `subtitles` are for recordings, `srt` and `vtt` for captions.
`clients.blocking` has the same for programs without asyncio. `connect` opens a single session of the protocol.
`clients.microphone`, `clients.playback` and `clients.loudspeaker` are sources and sinks of audio, `clients.cli` the
commands of the terminal.
"""

from clients.aio import Session, connect
from clients.captions import caption
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
from clients.http import models, subtitles, transcribe, voices
from clients.recordings import Segment, Transcript
from clients.speech import speak
from clients.subtitles import srt, vtt

__all__ = [
    "AudioChunk",
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
    "Segment",
    "ServerClosed",
    "ServerError",
    "Session",
    "SpeechStarted",
    "SpeechStopped",
    "Transcript",
    "Word",
    "caption",
    "connect",
    "converse",
    "models",
    "speak",
    "srt",
    "subtitles",
    "transcribe",
    "voices",
    "vtt",
]
