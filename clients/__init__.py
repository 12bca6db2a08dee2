"""Clients of the realtime protocol. They share no code with the service they talk to.

`connect` opens a session; iterate over it for its events. `clients.aio` is the module behind it, `clients.cli` has the
programs `vivavoce listen` and `vivavoce say`, `clients.replay` and `clients.microphone` their sources of audio.
"""

from clients.aio import (
    AudioChunk,
    Committed,
    Completed,
    ConnectionRefused,
    Delta,
    Event,
    Failed,
    Other,
    Partial,
    ProtocolError,
    RealtimeError,
    RequestFailed,
    ResponseCreated,
    ResponseDone,
    ServerClosed,
    ServerError,
    Session,
    SpeechStarted,
    SpeechStopped,
    Word,
    connect,
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
