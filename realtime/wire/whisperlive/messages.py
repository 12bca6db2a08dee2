"""Messages of WhisperLive as msgspec structs. Unknown fields are ignored.

Source: https://github.com/collabora/WhisperLive, `whisper_live/client.py` and `whisper_live/server.py` of version 0.10
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from realtime.errors import BadMessage
from realtime.wire.invalid_field import invalid_json_field

END_OF_AUDIO = b"END_OF_AUDIO"
"""The binary message after the last audio."""

Uid: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
SampleFormat: TypeAlias = Literal["float32", "int16", "uint8"]


class Options(Struct, frozen=True):
    """The first message of a client. `uid` is its own name, which all messages to it carry."""

    uid: Uid
    language: str | None = None
    task: Literal["transcribe", "translate"] = "transcribe"
    initial_prompt: str | None = None
    hotwords: str | None = None
    send_last_n_segments: Annotated[int, Meta(ge=1)] = 10
    audio_format: SampleFormat = "float32"


class Ready(Struct, frozen=True):
    """The client may send audio. The client reads segments by the name of the backend."""

    uid: str
    message: str = "SERVER_READY"
    backend: str = "faster_whisper"


class Language(Struct, frozen=True):
    """The language that was detected."""

    uid: str | None
    language: str


class Segment(Struct, frozen=True):
    """Some text; `start` and `end` are seconds since the audio began, as text. All but the last are `completed`."""

    start: str
    end: str
    text: str
    completed: bool


class Segments(Struct, frozen=True):
    """The newest segments."""

    uid: str | None
    segments: list[Segment]


class Status(Struct, frozen=True):
    """An error: `ERROR` ends the connection, `WARNING` does not."""

    uid: str | None
    status: Literal["ERROR", "WARNING"]
    message: str


class _Named(Struct, frozen=True):
    uid: Uid


def find_uid(message: str | bytes) -> str | None:
    """Return the `uid` of a first message, whatever else there is in it; None where it has none."""
    try:
        return msgspec.json.decode(message, type=_Named).uid
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def parse(message: str | bytes) -> Options:
    """Parse the first message. Raises `BadMessage` for whatever is not one."""
    try:
        return msgspec.json.decode(message, type=Options)
    except msgspec.ValidationError as error:
        raise BadMessage(invalid_json_field(error, Options, message).message) from None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise BadMessage("The first message must be JSON with a `uid` and valid options.") from None


def write(message: Ready | Language | Segments | Status) -> str:
    """Return a message as JSON."""
    return msgspec.json.encode(message).decode()
