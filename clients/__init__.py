"""Clients of the realtime protocol, which share no code with the service.

`connect` opens a session; iterate over it to receive its events. `clients.cli` contains the commands `vivavoce listen`
and `vivavoce say`; `clients.playback` and `clients.microphone` are their audio sources.
"""

from clients.aio import Session, connect
from clients.errors import ConnectionRefused, ProtocolError, RealtimeError, RequestFailed, ServerClosed
from clients.events import (
    AudioChunk,
    Committed,
    Completed,
    Delta,
    Event,
    Failed,
    Other,
    Partial,
    ResponseCreated,
    ResponseDone,
    ServerError,
    SpeechStarted,
    SpeechStopped,
    Word,
)

__all__ = [
    "AudioChunk",
    "Committed",
    "Completed",
    "ConnectionRefused",
    "Delta",
    "Event",
    "Failed",
    "Other",
    "Partial",
    "ProtocolError",
    "RealtimeError",
    "RequestFailed",
    "ResponseCreated",
    "ResponseDone",
    "ServerClosed",
    "ServerError",
    "Session",
    "SpeechStarted",
    "SpeechStopped",
    "Word",
    "connect",
]
