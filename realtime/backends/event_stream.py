"""Parse the body of a chat completion into JSON objects, as servers really send it.

The format is server-sent events (WHATWG HTML, section 9.2) with one JSON object as the data of each, and `[DONE]` at
the end. Also understood: events that are not separated by empty lines, the line `error: {...}`, newline-delimited JSON,
and a single JSON object, from servers that do not stream.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from realtime.session.generation import ChatInterrupted

MAX_EVENT_BYTES: Final = 1 << 20
"""Longest event in bytes. One delta takes about 250 bytes; a whole answer in one event some ten thousand."""

MAX_STREAM_BYTES: Final = 1 << 24
"""Longest body in bytes, enough for deltas of some 60,000 tokens."""

MAX_ATTEMPTS: Final = 256
"""Lines after which one object is tried to be parsed: those that end with a brace or a quotation mark. The whole answer
of a server that does not stream has some 50 of them."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class EventStream:
    """The JSON objects of one body, which arrives in pieces.

    The first line decides the format: one that begins with a brace is JSON without events. All methods raise
    `ChatInterrupted` for a body that is too long, and for data that is not a JSON object.
    """

    def __init__(self) -> None:
        self.done = False
        """Whether `[DONE]` has arrived; what follows it is ignored."""
        self._line = bytearray()
        self._data = bytearray()
        self._attempts = 0
        self._failed = False
        self._bare: bool | None = None
        self._received = 0

    def feed(self, data: bytes) -> Iterator[Mapping[str, object]]:
        """Take the next bytes; yield the objects that are complete."""
        self._received += len(data)
        if self._received > MAX_STREAM_BYTES:
            raise ChatInterrupted(f"the answer of the chat backend is longer than {MAX_STREAM_BYTES >> 20} MiB")
        lines = data.splitlines(keepends=True)
        for line in lines:
            self._line += line
            if len(self._line) > MAX_EVENT_BYTES:
                raise ChatInterrupted(f"an event of the chat backend is longer than {MAX_EVENT_BYTES >> 10} KiB")
            if line.endswith((b"\n", b"\r")):  # a line feed after the carriage return makes an empty line
                yield from self._end_line()

    def finish(self) -> Iterator[Mapping[str, object]]:
        """End the body; yield the object that its end completes."""
        yield from self._end_line()
        if self._data and not self.done:
            raise ChatInterrupted("the answer of the chat backend is no chat completion")

    def _end_line(self) -> Iterator[Mapping[str, object]]:
        line = bytes(self._line).removeprefix(_BYTE_ORDER_MARK).rstrip(b"\r\n")
        self._line.clear()
        if self.done or not line:
            return
        if self._bare is None:
            self._bare = line.lstrip().startswith(b"{")
        if self._bare:
            yield from self._add_data(line)
            return
        name, _, value = line.partition(b":")
        value = value.strip()
        match name:
            case b"data":
                yield from self._add_data(value)
            case b"event":
                self._failed = value == b"error"
            case b"error":
                self._failed = True
                yield from self._add_data(value)
            case _:  # comments, which keep the connection alive, and other fields
                pass

    def _add_data(self, line: bytes) -> Iterator[Mapping[str, object]]:
        """Append a line of data; yield the object if it is complete. One object may take several lines."""
        if line.strip() == b"[DONE]":
            self.done = True
            return
        self._data += line
        if len(self._data) > MAX_EVENT_BYTES:
            raise ChatInterrupted(f"an event of the chat backend is longer than {MAX_EVENT_BYTES >> 10} KiB")
        if not line.rstrip().endswith((b"}", b'"')):
            return
        self._attempts += 1
        if self._attempts > MAX_ATTEMPTS:
            raise ChatInterrupted("the answer of the chat backend is no chat completion")
        try:
            value = json.loads(self._data.decode(errors="replace"))
        except (ValueError, RecursionError):
            return
        self._data.clear()
        self._attempts = 0
        failed, self._failed = self._failed, False
        if failed:
            yield value if isinstance(value, dict) and "error" in value else {"error": value}
        elif isinstance(value, dict):
            yield value
