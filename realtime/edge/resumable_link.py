"""The connection of a session that outlives its websocket.

When the websocket is lost, the session is *parked*: what it produces waits in the outbox, its clock stands still, and
so does the speech that it sends. A client that comes back in time brings another websocket, and first receives what it
has missed. The tasks of the session never notice: they belong to the handler of the first websocket, and the handlers
of the others only wait until theirs is detached.
"""

import asyncio
import time
from typing import Final, Protocol

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime.edge.condition import Event
from realtime.edge.driver import Driver
from realtime.edge.link import send, send_last
from realtime.edge.resumable_outbox import ResumableOutbox
from realtime.edge.sender import Sender
from realtime.edge.tasks import begin
from realtime.settings import Settings
from realtime.wire.codec import Close, Outgoing, Resumption

LOST: Final = frozenset({1001, 1006, 1011, 1014})
"""Close codes of a client, or of a proxy before it, that may come back: it is going away, or something failed."""

NO_CLOSE_FRAME: Final = frozenset({1005, 1006})
"""Codes that uvicorn reports for a connection that has ended without a close frame. For a close frame that has no code
it also reports 1005, but with a reason, which is empty."""

SUPERSEDED: Final = Close(4409, "superseded")
"""Ends a websocket whose session has another one."""

SLOW_READER: Final = Close(1013, "slow_reader")
"""Ends a websocket whose client does not read. It may come back."""


ACKNOWLEDGEMENT_SECONDS: Final = 1.0
"""Least seconds between two messages that say how much has been received. Until then the client keeps it."""

_RECEIVED: Final = ""
"""What these messages revise: of several that wait, the newest is sent. No item has this id."""


class Parking(Protocol):
    """Where links say that their sessions are parked."""

    def park(self, link: "ResumableLink") -> None:
        """Count the session as parked."""

    def unpark(self, link: "ResumableLink") -> None:
        """Count the session as parked no longer."""


class Attachment:
    """A websocket, for as long as it is the one of a session."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._waits: list[asyncio.Timeout] = []
        self._detached = Event()
        self._close: Close | None = None

    @property
    def detached(self) -> bool:
        return self._detached.is_set()

    async def receive(self, seconds: float) -> Message:
        """Return the next message. Raises `TimeoutError` after so many seconds, or when the websocket is detached."""
        async with asyncio.timeout(seconds) as wait:
            self._waits.append(wait)
            try:
                return await self._websocket.receive()
            finally:
                self._waits.remove(wait)

    async def send(self, frame: str | bytes | Close, seconds: float) -> None:
        """Send a message. Raises `TimeoutError` as `receive`, and `WebSocketDisconnect` if the client has left."""
        async with asyncio.timeout(seconds) as wait:
            self._waits.append(wait)
            try:
                await send(self._websocket, frame)
            finally:
                self._waits.remove(wait)

    def detach(self, close: Close | None = None) -> None:
        """Use the websocket no longer; close it with this code, if the client has not left."""
        if self.detached:
            return
        self._close = close
        self._detached.set()
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(asyncio.get_running_loop().time())

    async def hold(self) -> None:
        """Keep the websocket open until it is detached."""
        await self._detached.wait()
        if self._close is not None:
            await self.send_last([self._close])

    async def send_last(self, frames: Outgoing) -> None:
        """Send the last messages, if the client still reads."""
        await send_last(self._websocket, frames)


class ResumableLink(Sender):
    """The websockets of a session, one after another; used as `Link`."""

    def __init__(self, websocket: WebSocket, resumption: Resumption, parking: Parking, settings: Settings) -> None:
        """Begin with `websocket`. `resumption` writes the messages about resuming."""
        self.outbox = ResumableOutbox(
            resumption.numbered, settings.resume_buffer_bytes, settings.resume_timeout_seconds
        )
        super().__init__(self.outbox)
        self._send_timeout = settings.send_timeout_seconds
        self._resumption = resumption
        self._parking = parking
        self._attachment = self._first = Attachment(websocket)
        self._attached = Event()
        self._given_up = False
        self._driver: Driver | None = None
        self._acknowledged_at = time.monotonic()
        self._begun = False
        """Whether the client has sent anything. Until then it loses nothing if the session ends with its connection."""

    @property
    def open(self) -> bool:
        """Whether the session goes on, parked or not."""
        return self._driver is not None and not self._given_up

    @property
    def parked(self) -> bool:
        """Whether the session waits for its client to come back."""
        return self.outbox.held

    def serve(self, driver: Driver, group: asyncio.TaskGroup) -> None:
        """Send what `driver` delivers, in tasks of `group`, and pause it while the session is parked."""
        self._driver = driver
        self.join(group)

    async def put(self, frame: str | bytes | Close, revises: str | None = None) -> None:
        """Send a message after those before it; see `ResumableOutbox.put`."""
        await self.outbox.put(frame, revises)
        self.send_pending()

    def attach(self, websocket: WebSocket, number: int) -> Attachment:
        """Go on with another websocket, whose client has the messages up to this number.

        The session must be `open`, and the outbox must cover the number.
        """
        assert self._driver is not None
        self._detach(SUPERSEDED)
        self._attachment = Attachment(websocket)
        self._attached.set()
        self.outbox.resume(number, self._resumption.resumed(number + 1))
        self.send_pending()
        self._parking.unpark(self)
        self._driver.resume()
        return self._attachment

    def give_up(self) -> None:
        """End the session: nobody waits for its client any longer."""
        self._given_up = True
        begin(self.group, _end())

    def end(self) -> None:
        """Let go of the websocket when the session has ended."""
        self._given_up = True
        self._attachment.detach()
        self._parking.unpark(self)

    async def receive(self, seconds: float) -> Message:
        """Return the next message of whichever websocket there is.

        Raises `TimeoutError` after so many seconds without one, and `WebSocketDisconnect` when the client has closed
        the connection.
        """
        await self._acknowledge()
        self.outbox.acknowledge(self._resumption.delivered)
        while True:
            while self._attachment.detached:
                self._attached.clear()
                async with asyncio.timeout(seconds):
                    await self._attached.wait()
            attachment = self._attachment
            try:
                message = await attachment.receive(seconds)
            except TimeoutError:
                if attachment.detached:
                    continue
                raise
            if attachment.detached:  # the client will send it again
                continue
            if message["type"] != "websocket.disconnect":
                self._begun = True
                return message
            if not (self._begun and _lost(message)):
                raise WebSocketDisconnect(message["code"])
            self._park()
            attachment.detach()

    async def close(self, frames: Outgoing) -> None:
        """Send what still waits and the last messages, if the client still reads. No other one can take over now."""
        self._given_up = True
        await self._attachment.send_last([*self.unsent(), *frames])

    async def _acknowledge(self) -> None:
        """Say how much has been received, unless that was said less than `ACKNOWLEDGEMENT_SECONDS` ago."""
        now = time.monotonic()
        if now >= self._acknowledged_at + ACKNOWLEDGEMENT_SECONDS:
            self._acknowledged_at = now
            await self.outbox.put(self._resumption.received(), _RECEIVED, numbered=False)
            self.send_pending()

    async def _send(self, frame: str | bytes | Close) -> None:
        """Send a message, or park the session. Raises `WebSocketDisconnect` after a `Close`."""
        attachment = self._attachment
        try:
            await attachment.send(frame, self._send_timeout)
        except TimeoutError:
            if not attachment.detached:
                self._park()
                self._detach(SLOW_READER)
        except WebSocketDisconnect:
            if not attachment.detached:
                self._park()  # how the client has left is found by `receive`, after the messages before that
        else:
            if isinstance(frame, Close):
                raise WebSocketDisconnect(frame.code)

    def _park(self) -> None:
        """Wait for the client to come back."""
        assert self._driver is not None
        if not self.parked:
            self.outbox.hold()
            self._driver.pause()
            self._parking.park(self)

    def _detach(self, close: Close) -> None:
        """Use the present websocket no longer. The first one has no handler of its own that closes it."""
        self._attachment.detach(close)
        if self._attachment is self._first:
            begin(self.group, self._first.hold())


async def _end() -> None:
    raise WebSocketDisconnect(1006)


def _lost(message: Message) -> bool:
    """Return whether a connection has ended although the client may want to go on."""
    code = message["code"]
    return code in LOST or (code in NO_CLOSE_FRAME and "reason" not in message)
