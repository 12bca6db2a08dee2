"""The connection between a session and its client: what is sent waits in an outbox, what arrives is received."""

import asyncio
import contextlib
from typing import Final

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime.edge.driver import Driver
from realtime.edge.outbox import Outbox, SlowReaderError
from realtime.edge.sender import Sender
from realtime.wire.codec import Close, Outgoing

CLOSE_TIMEOUT: Final = 1.0
"""Seconds allowed for the error and the close frame of a session that fails."""


class Link(Sender):
    """One websocket. The session ends with it."""

    def __init__(self, websocket: WebSocket, send_timeout: float) -> None:
        """Send through `websocket`; a client that takes nothing for `send_timeout` seconds is disconnected."""
        self._outbox = Outbox(send_timeout)
        super().__init__(self._outbox)
        self._websocket = websocket
        self._send_timeout = send_timeout

    def serve(self, driver: Driver, group: asyncio.TaskGroup) -> None:
        """Send what `driver` delivers, in tasks of `group`."""
        del driver
        self.join(group)

    async def put(self, frame: str | bytes | Close, revises: str | None = None) -> None:
        """Send a message after those before it; see `Outbox.put`."""
        await self._outbox.put(frame, revises)
        self.send_pending()

    async def receive(self, seconds: float) -> Message:
        """Return the next message.

        Raises `TimeoutError` after so many seconds without one, and `WebSocketDisconnect` when there will be none.
        """
        async with asyncio.timeout(seconds):
            message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        return message

    async def close(self, frames: Outgoing) -> None:
        """Send what still waits and the last messages, if the client still reads."""
        await send_last(self._websocket, [*self.unsent(), *frames])

    async def _send(self, frame: str | bytes | Close) -> None:
        try:
            async with asyncio.timeout(self._send_timeout):
                await send(self._websocket, frame)
        except TimeoutError:
            raise SlowReaderError("The client does not read its messages.") from None
        if isinstance(frame, Close):
            raise WebSocketDisconnect(frame.code)


async def send(websocket: WebSocket, frame: str | bytes | Close) -> None:
    """Send a message or close the websocket."""
    match frame:
        case str():
            await websocket.send_text(frame)
        case bytes():
            await websocket.send_bytes(frame)
        case Close(code, reason):
            await websocket.close(code, reason)


async def send_last(websocket: WebSocket, frames: Outgoing) -> None:
    """Send messages for at most `CLOSE_TIMEOUT` seconds, to a client that may have left or may not read."""
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(CLOSE_TIMEOUT):
            for frame in frames:
                await send(websocket, frame)
