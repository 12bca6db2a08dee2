"""A client of `ext=resume` on the level of messages, written from docs/protocol.md."""

import base64
import contextlib
import json
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect

from realtime.audio.formats import Encoding, Samples, encode
from tests.support.realtime_service import RATE, SILENT, Message

TIMEOUT: Final = 20.0
"""Seconds to wait for a message, also on a busy machine."""

ATTEMPTS: Final = 50
"""Attempts to come back, each of which the fault may end again."""

LOST: Final = (ConnectionClosed, InvalidHandshake, EOFError, OSError)
"""Errors of a connection that breaks, also during the handshake."""

WAITED_FOR: Final = (CloseCode.GOING_AWAY, CloseCode.ABNORMAL_CLOSURE, CloseCode.INTERNAL_ERROR)
"""Close codes of the client after which the server waits for it."""


class ResumingClient:
    """Sends messages until the server says that it has them, and comes back when its connection is lost.

    Attributes:
        events: Numbered events, in the order in which they were received.
        numbers: Their numbers.
        audio: Binary messages.
        resumed: How often it has come back.
    """

    def __init__(self, url: str, query: str, key: str = "") -> None:
        self._url = url
        self._open, self._abandoned = contextlib.ExitStack(), contextlib.ExitStack()
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._unacknowledged: deque[str | bytes] = deque()
        self._acknowledged = 0
        self._token = ""
        self.last = 0
        self.session_id = ""
        self.events: list[Message] = []
        self.numbers: list[int] = []
        self.audio: list[bytes] = []
        self.resumed = 0
        self.socket = self._connect(query)
        try:
            while not self._token:
                self._take(self.socket.recv(timeout=TIMEOUT))
        except BaseException:
            self.close()
            raise

    def _connect(self, query: str, **headers: str) -> ClientConnection:
        connection = connect(
            f"{self._url}?{query}",
            compression=None,
            logger=SILENT,
            additional_headers=self._headers | headers,
            close_timeout=1,
        )
        return self._open.enter_context(connection)

    @property
    def token(self) -> str:
        return self._token

    def send(self, message: str | bytes) -> None:
        self._unacknowledged.append(message)
        try:
            self.socket.send(message)
        except ConnectionClosed:
            self.resume()

    def send_event(self, event_type: str, **fields: Any) -> None:
        self.send(json.dumps({"type": event_type, **fields}))

    def send_audio(self, samples: Samples, *, binary: bool = False) -> None:
        """Send audio at `RATE` in frames of 100 ms."""
        data = encode(samples, Encoding.PCM16)
        for start in range(0, len(data), RATE // 5):
            frame = data[start : start + RATE // 5]
            if binary:
                self.send(frame)
            else:
                self.send_event("input_audio_buffer.append", audio=base64.b64encode(frame).decode())

    def receive(self) -> Message | bytes:
        """Return the next numbered message."""
        while True:
            try:
                message = self.socket.recv(timeout=TIMEOUT)
            except ConnectionClosed:
                self.resume()
            else:
                if (taken := self._take(message)) is not None:
                    return taken

    def until(self, event_type: str) -> list[Message]:
        """Receive up to the next event of this type; return the events."""
        first = len(self.events)
        while True:
            message = self.receive()
            if not isinstance(message, bytes) and message["type"] == event_type:
                return self.events[first:]

    def resume(self) -> None:
        """Come back, and send again what the server does not have."""
        for _ in range(ATTEMPTS):
            self.close()
            try:
                self.socket = self._connect(
                    f"resume={self.session_id}&last_event={self.last}", **{"x-resume-token": self._token}
                )
                first = json.loads(self.socket.recv(timeout=TIMEOUT))
                assert first["type"] == "x.session.resumed", first
                assert first["next_sequence"] == self.last + 1
                self._acknowledge(first["messages"])
                for message in list(self._unacknowledged):
                    self.socket.send(message)
            except InvalidStatus:
                raise
            except LOST:
                continue
            self.resumed += 1
            return
        raise ConnectionError

    def close(self) -> None:
        """Close the connection."""
        self._open.close()

    def end(self) -> None:
        """End the session, if it goes on: the server must receive the close frame."""
        self.close()
        while self.socket.close_code in WAITED_FOR:
            try:
                self.resume()
            except InvalidStatus:
                break
            self.close()
        self._abandoned.close()

    def abandon(self) -> ClientConnection:
        """Leave the connection open and use it no longer; return it."""
        self._abandoned.push(self._open.pop_all())
        return self.socket

    def _take(self, message: str | bytes) -> Message | bytes | None:
        if isinstance(message, bytes):
            self.last += 1
            self.audio.append(message)
            return message
        event: Message = json.loads(message)
        if event["type"] == "x.session.received":
            self._acknowledge(event["messages"])
            return None
        assert event["x_sequence"] == self.last + 1, (event, self.last)
        self.last += 1
        if event["type"] == "x.session.resumable":
            self._token, self.session_id = event["token"], event["session_id"]
        self.events.append(event)
        return event

    def _acknowledge(self, messages: int) -> None:
        while self._acknowledged < messages:
            self._unacknowledged.popleft()
            self._acknowledged += 1


@contextlib.contextmanager
def resuming_client(port: int, query: str = "", key: str = "") -> Iterator[ResumingClient]:
    """Open a session with `ext=resume`, clear its input, and end it when the block ends. The answers must arrive."""
    client = ResumingClient(f"ws://127.0.0.1:{port}/v1/realtime", f"ext=resume,binary&{query}", key)
    try:
        client.send_event("input_audio_buffer.clear")
        client.until("input_audio_buffer.cleared")
        yield client
    finally:
        client.end()
