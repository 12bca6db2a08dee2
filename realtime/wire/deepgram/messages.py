"""Deepgram's text messages: those of the client as values, those of the server as JSON."""

from typing import Final, TypeAlias, TypeVar

import msgspec

from realtime.errors import BadMessage
from realtime.wire.invalid_field import invalid_json_field

_MAX_QUOTED: Final = 200
"""Characters of an invalid message that are sent back."""

_ENCODER: Final = msgspec.json.Encoder()


class SchemaError(BadMessage):
    """A text message that is not one of the protocol. `quoted` is the beginning of it."""

    code = "schema_error"

    def __init__(self, message: str, quoted: str) -> None:
        super().__init__(message)
        self.quoted = quoted[:_MAX_QUOTED].encode(errors="replace").decode()


class KeepAlive(msgspec.Struct, tag=True, frozen=True):
    """Keeps the connection open while there is no audio."""


class Finalize(msgspec.Struct, tag=True, frozen=True):
    """Asks for the final result of the audio so far."""


class CloseStream(msgspec.Struct, tag=True, frozen=True):
    """Asks for the last results, after which the connection ends."""


class Configure(msgspec.Struct, tag=True, frozen=True):
    """Replaces the terms to expect. Other features that it names cannot be changed."""

    keyterms: list[str] | None = None


class Speak(msgspec.Struct, tag=True, frozen=True):
    """More text to speak."""

    text: str


class Flush(msgspec.Struct, tag=True, frozen=True):
    """Asks for the speech of all text so far."""


class Clear(msgspec.Struct, tag=True, frozen=True):
    """Drops the text and the speech that have not been sent."""


class CloseSpeech(msgspec.Struct, tag="Close", frozen=True):
    """Asks for the rest of the speech, after which the connection ends."""


ListenMessage: TypeAlias = KeepAlive | Finalize | CloseStream | Configure
SpeakMessage: TypeAlias = Speak | Flush | Clear | CloseSpeech | KeepAlive

LISTEN: Final[msgspec.json.Decoder[ListenMessage]] = msgspec.json.Decoder(ListenMessage)
SPEAK: Final[msgspec.json.Decoder[SpeakMessage]] = msgspec.json.Decoder(SpeakMessage)

_Message = TypeVar("_Message")


def parse(message: str, decoder: msgspec.json.Decoder[_Message]) -> _Message:
    """Parse a text message of the client. Raises `SchemaError`."""
    try:
        return decoder.decode(message)
    except msgspec.ValidationError as error:
        raise SchemaError(invalid_json_field(error, decoder.type, message).message, message) from None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise SchemaError("The message is not valid JSON, or is nested too deeply.", message) from None


def message_of(kind: str, **fields: object) -> str:
    """Write a message of the server."""
    return _ENCODER.encode({"type": kind, **fields}).decode()
