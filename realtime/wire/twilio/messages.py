"""Messages of Twilio's Media Streams as msgspec structs: what a call sends, and what is sent to it.

Field types are strict; unknown fields are ignored. msgspec converts the base64 of payloads.
Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from realtime.errors import BadMessage

MEDIA_ENCODING: Final = "audio/x-mulaw"
"""Twilio's name for the encoding of all its streams: G.711 mu-law at 8 kHz."""


class Event(Struct, frozen=True, tag_field="event"):
    """Base of all messages."""


class MediaFormat(Struct, frozen=True, rename="camel"):
    """Format of the audio in both directions."""

    encoding: str = MEDIA_ENCODING
    sample_rate: int = 8000
    channels: int = 1


class StartFields(Struct, frozen=True, rename="camel"):
    """The call of a stream. `custom_parameters` are those of the `<Parameter>` elements in the TwiML."""

    call_sid: str = ""
    custom_parameters: dict[str, str] = {}
    media_format: MediaFormat = MediaFormat()


class Connected(Event, frozen=True, tag="connected"):
    """The first message of a connection."""


class Start(Event, frozen=True, tag="start", rename="camel"):
    """The stream begins."""

    stream_sid: Annotated[str, Meta(min_length=1, max_length=200)]
    start: StartFields


class MediaFields(Struct, frozen=True):
    """Audio of one track: `inbound` is the caller's."""

    payload: bytes
    track: str = "inbound"


class Media(Event, frozen=True, tag="media"):
    """Audio of the call, 20 ms at a time."""

    media: MediaFields


class MarkFields(Struct, frozen=True):
    """The name that the mark was sent with."""

    name: str


class Mark(Event, frozen=True, tag="mark"):
    """The audio before a mark has been played, or cleared."""

    mark: MarkFields


class DigitFields(Struct, frozen=True):
    """One key of a telephone."""

    digit: Annotated[str, Meta(pattern="^[0-9A-D*#]$")]


class Digit(Event, frozen=True, tag="dtmf"):
    """The caller has pressed a key."""

    dtmf: DigitFields


class Stop(Event, frozen=True, tag="stop"):
    """The call is over, or the stream."""


Received: TypeAlias = Connected | Start | Media | Mark | Digit | Stop


class Speech(Struct, frozen=True):
    """Audio in the format of the stream; base64 on the wire."""

    payload: bytes


class Play(Event, frozen=True, tag="media", rename="camel"):
    """Audio to play after all that was sent before."""

    stream_sid: str
    media: Speech


class SetMark(Event, frozen=True, tag="mark", rename="camel"):
    """Ask for a `Mark` of the same name when all audio sent before has been played."""

    stream_sid: str
    mark: MarkFields


class Clear(Event, frozen=True, tag="clear", rename="camel"):
    """Drop all audio that has not been played."""

    stream_sid: str


_DECODER: Final = msgspec.json.Decoder(Received)


def parse(message: str | bytes) -> Received:
    """Parse one message. Raises `BadMessage` for whatever is not a message of a media stream."""
    try:
        received: Received = _DECODER.decode(message)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise BadMessage("This is not a message of a media stream.") from None
    return received


def write(event: Play | SetMark | Clear) -> str:
    """Return a message as JSON."""
    return msgspec.json.encode(event).decode()
