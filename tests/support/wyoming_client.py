"""A Wyoming client on a blocking socket, which sends and receives single events."""

import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from realtime.audio.formats import Encoding, Samples, encode
from realtime.wire.wyoming.framing import EventReader, WyomingEvent

TIMEOUT = 20.0


class WyomingClient:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._reader = EventReader(1_000_000)
        self._events: deque[WyomingEvent] = deque()

    def send(self, kind: str, payload: bytes = b"", /, **data: object) -> None:
        self.socket.sendall(WyomingEvent(kind, data, payload).frame())

    def send_command(self, samples: Samples, rate: int, **request: object) -> None:
        """Send audio as Home Assistant does, in chunks of 64 ms."""
        pcm, audio = {"rate": rate, "width": 2, "channels": 1}, encode(samples, Encoding.PCM16)
        self.send("transcribe", **request)
        self.send("audio-start", **pcm)
        size = 2 * (rate * 64 // 1000)
        for start in range(0, len(audio), size):
            self.send("audio-chunk", audio[start : start + size], **pcm)
        self.send("audio-stop")

    def receive(self) -> WyomingEvent | None:
        """Return the next event; None when the server has closed the connection."""
        while not self._events:
            data = self.socket.recv(65_536)
            if not data:
                return None
            self._events.extend(self._reader.feed(data))
        return self._events.popleft()

    def until(self, *kinds: str) -> list[WyomingEvent]:
        """Return all events up to the next one of these types."""
        events: list[WyomingEvent] = []
        while not events or events[-1].type not in kinds:
            event = self.receive()
            assert event is not None, f"closed after {[each.type for each in events]}"
            events.append(event)
        return events

    def wait_for(self, kind: str) -> WyomingEvent:
        return self.until(kind)[-1]


@contextmanager
def wyoming_client(port: int) -> Iterator[WyomingClient]:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        yield WyomingClient(connection)
