"""The data of the events that clients send, as far as this service uses them. Unknown members are ignored."""

from typing import TypeVar

import msgspec

from realtime.errors import BadMessage
from realtime.wire.invalid_field import invalid_field
from realtime.wire.wyoming.framing import WyomingEvent

Data = TypeVar("Data")


class Transcribe(msgspec.Struct):
    """How to transcribe the audio that follows."""

    name: str | None = None
    """Name of the model."""
    language: str | None = None
    transcript_names: list[str] | None = None
    """Names to expect."""
    transcript_terms: list[str] | None = None
    """Other words to expect, which matter less than the names."""


class PcmFormat(msgspec.Struct):
    """Format of the audio of `audio-start` and `audio-chunk`: signed integers, little-endian, channels interleaved."""

    rate: int | None = None
    """Samples per second."""
    width: int | None = None
    """Bytes of a sample."""
    channels: int | None = None


class Voice(msgspec.Struct):
    """The voice to speak with: its name, or a language for any voice of that."""

    name: str | None = None
    language: str | None = None


class Synthesize(msgspec.Struct):
    """A text to speak, whole."""

    text: str
    voice: Voice | None = None
    text_format: str | None = None
    """`text` or `ssml`."""


class SynthesizeStart(msgspec.Struct):
    """The beginning of a text that is sent in parts."""

    voice: Voice | None = None
    text_format: str | None = None


class SynthesizeChunk(msgspec.Struct):
    """A part of a text."""

    text: str


class Ping(msgspec.Struct):
    """A question whether the server is there."""

    text: str | None = None


def data_of(event: WyomingEvent, kind: type[Data]) -> Data:
    """Return the data of an event as an object. Raises `BadMessage` if a member is missing or has the wrong type."""
    try:
        return msgspec.convert(event.data, kind)
    except msgspec.ValidationError as error:
        reason = invalid_field(error, kind, event.data).message
        raise BadMessage(f"The event {event.type} is invalid: {reason}") from error
