r"""The framing of Wyoming: a header of one line of JSON, then data in JSON, then a payload of bytes.

    {"type": "audio-chunk", "version": "1.10.2", "data_length": 42, "payload_length": 2048}\n
    {"rate": 16000, "width": 2, "channels": 1}
    <2048 bytes>

Data and payload may be missing, and follow each other without anything in between. The header may hold data too, as in
early versions of the protocol; of data in both places, those behind the header count.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar

import msgspec

from realtime.errors import BadMessage, TooLarge
from realtime.wire.invalid_field import invalid_json_field

MAX_HEADER_BYTES: Final = 64 * 1024
"""Bytes of a header at most: as many as the `wyoming` package reads, whose limit is that of `asyncio.StreamReader`."""

_VERSION: Final = "1.10.2"
"""The version of the `wyoming` package whose events this dialect has."""

Decoded = TypeVar("Decoded")

_Length = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class WyomingEvent:
    """One event as it stands on the wire: its type, its data, and its payload, which is audio."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    payload: bytes = field(default=b"", repr=False)

    def frame(self) -> bytes:
        """Return the event as bytes."""
        data = msgspec.json.encode(self.data) if self.data else b""
        header: dict[str, str | int] = {"type": self.type, "version": _VERSION}
        if data:
            header["data_length"] = len(data)
        if self.payload:
            header["payload_length"] = len(self.payload)
        return b"".join((msgspec.json.encode(header), b"\n", data, self.payload))


class _Header(msgspec.Struct):
    type: str
    data: dict[str, Any] | None = None
    data_length: _Length | None = None
    payload_length: _Length | None = None


class EventReader:
    """Cuts the bytes of one connection into events; they may be fed in pieces of any length.

    It holds a header, or data and payload of `max_bytes` in all, and what was fed last.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._searched = 0
        """Bytes of the buffer that have no end of line."""
        self._header: _Header | None = None

    def feed(self, data: bytes) -> Iterator[WyomingEvent]:
        """Yield the events that are complete.

        After an error the reader cannot find the next event, so the connection has to end.

        Raises:
            BadMessage: A header or the data behind it are not a JSON object, or a field has the wrong type.
            TooLarge: The header is longer than `MAX_HEADER_BYTES`, or what follows it than `max_bytes`.
        """
        self._buffer += data
        while (event := self._next()) is not None:
            yield event

    def _next(self) -> WyomingEvent | None:
        header = self._header = self._header or self._read_header()
        if header is None:
            return None
        payload_at = header.data_length or 0
        end = payload_at + (header.payload_length or 0)
        if len(self._buffer) < end:
            return None
        data, payload = bytes(self._buffer[:payload_at]), bytes(self._buffer[payload_at:end])
        del self._buffer[:end]
        self._header = None
        more = _decode(data, dict[str, Any]) if data else {}
        return WyomingEvent(header.type, {**(header.data or {}), **more}, payload)

    def _read_header(self) -> _Header | None:
        end = self._buffer.find(b"\n", self._searched)
        if (end if end >= 0 else len(self._buffer)) > MAX_HEADER_BYTES:
            raise TooLarge(f"The header of an event is longer than {MAX_HEADER_BYTES} bytes.")
        if end < 0:
            self._searched = len(self._buffer)
            return None
        header = _decode(bytes(self._buffer[:end]), _Header)
        if (header.data_length or 0) + (header.payload_length or 0) > self._max_bytes:
            raise TooLarge(f"The event is longer than {self._max_bytes} bytes.")
        del self._buffer[: end + 1]
        self._searched = 0
        return header


def _decode(data: bytes, kind: type[Decoded]) -> Decoded:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise BadMessage(f"The event is invalid: {invalid_json_field(error, kind, data).message}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadMessage("An event must begin with a JSON object on one line, in UTF-8.") from error
