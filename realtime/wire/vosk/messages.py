"""Messages of vosk-server as msgspec structs.

Unknown fields are ignored, and numbers may be text, as for the server. Source:
https://github.com/alphacep/vosk-server/blob/master/websocket/asr_server.py
"""

from typing import TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from realtime.errors import BadMessage
from realtime.wire.invalid_field import invalid_field


class Config(Struct, frozen=True):
    """How to listen, as far as the client says so."""

    sample_rate: float | None = None
    words: bool | None = None
    phrase_list: list[str] | None = None
    max_alternatives: int | None = None


class Request(Struct, frozen=True):
    """A text message of the client: one of these."""

    config: Config | None = None
    eof: bool = False
    """Whether no more audio follows."""
    reset: bool = False
    """Whether to end the utterance here."""


class WordResult(Struct, frozen=True):
    """A word; `start` and `end` in seconds since the audio began."""

    conf: float
    end: float
    start: float
    word: str


class Partial(Struct, frozen=True):
    """The utterance so far."""

    partial: str


class Result(Struct, frozen=True):
    """The end of an utterance."""

    text: str
    result: list[WordResult] | UnsetType = UNSET


class Alternative(Struct, frozen=True):
    """One of several texts, of which we have one."""

    confidence: float
    text: str
    result: list[WordResult] | UnsetType = UNSET


class Alternatives(Struct, frozen=True):
    """The end of an utterance, for a client that wants several texts."""

    alternatives: list[Alternative]


class Failure(Struct, frozen=True):
    """An error. vosk-server has no message for it and breaks the connection off."""

    error: str


Response: TypeAlias = Partial | Result | Alternatives | Failure


def parse(message: str) -> Request:
    """Parse one text message. Raises `BadMessage` for whatever is not one."""
    try:
        value = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise BadMessage("Send a config, eof or reset as JSON, or audio as binary messages.") from None
    try:
        return msgspec.convert(value, Request, strict=False)
    except msgspec.ValidationError as error:
        raise BadMessage(invalid_field(error, Request, value).message) from None


def write(response: Response) -> str:
    """Return a message as JSON."""
    return msgspec.json.encode(response).decode()
