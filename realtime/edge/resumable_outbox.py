"""The messages to a client whose session can be resumed: numbered, and kept for a while after they were sent."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from realtime.edge.condition import Condition
from realtime.edge.outbox import MAX_FRAMES
from realtime.wire.codec import Close

ACKNOWLEDGEMENT_PATIENCE: Final = 5.0
"""Seconds for which a full outbox waits for the client to say what it has received; then the oldest is forgotten.

Our clients say so for every 64 KiB, which is received in time at 13 kB/s. Other clients may never say so: they wait
once, with 2 MiB on their way, which are 40 s of speech.
"""


@dataclass(slots=True)
class _Message:
    """A message. `number` is 0 until it is first sent; messages that are not `numbered` are never sent again."""

    content: str | bytes | Close = field(repr=False)
    revises: str | None = None
    numbered: bool = True
    number: int = 0
    sent_at: float = 0.0

    @property
    def size(self) -> int:
        return 0 if isinstance(self.content, Close) else len(self.content)


class ResumableOutbox:
    """Messages to one client in order, like `Outbox`, that are sent again to a client that has missed them.

    What was sent is kept for `seconds` at the most, and until the client has acknowledged it. As long as it does so, no
    more is sent than fits into `max_bytes` with what waits; else the oldest messages are forgotten that do not fit.
    While the outbox is held nothing is sent or forgotten.
    """

    def __init__(
        self,
        stamp: Callable[[str, int], str],
        max_bytes: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`stamp` adds its number to a text message; binary messages are numbered by those around them."""
        self._stamp = stamp
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._clock = clock
        self._waiting: list[_Message] = []
        self._sent: list[_Message] = []
        self._bytes = 0
        self._last_number = 0
        self._taken = Condition()
        self._acknowledges = True
        self.held = False

    async def put(self, frame: str | bytes | Close, revises: str | None = None, *, numbered: bool = True) -> None:
        """Append a message, or replace the last one that waits if both revise the same item; wait for room."""
        last = self._waiting[-1] if self._waiting else None
        if last is not None and revises is not None and last.revises == revises and not last.number:
            self._bytes -= self._waiting.pop().size
        while self._full(numbered=numbered):
            try:
                async with asyncio.timeout(None if self.held else ACKNOWLEDGEMENT_PATIENCE):
                    await self._taken.wait()
            except TimeoutError:
                self._acknowledges = False
        message = _Message(frame, revises, numbered)
        self._waiting.append(message)
        self._bytes += message.size

    @property
    def ready(self) -> bool:
        """Whether there is a message to send, and it may be sent."""
        return bool(self._waiting) and not self.held

    def take(self) -> str | bytes | Close:
        """Take the next message to send, which must be ready."""
        message = self._waiting.pop(0)
        if message.numbered:
            self._keep(message)
        else:
            self._bytes -= message.size
        self._taken.notify_all()
        return message.content

    def acknowledge(self, number: int) -> None:
        """Forget the messages up to this number, which the client has."""
        known = sum(1 for _ in takewhile(lambda each: each.number <= number, self._sent))
        if known:
            self._bytes -= sum(each.size for each in self._sent[:known])
            del self._sent[:known]
            self._acknowledges = True
            self._taken.notify_all()

    def hold(self) -> None:
        """Send nothing until `resume`."""
        self.held = True
        self._taken.notify_all()

    def covers(self, number: int) -> bool:
        """Return whether every message after the one with this number is still here."""
        first = min((each.number for each in (*self._sent, *self._waiting) if each.number), default=None)
        return number <= self._last_number and number + 1 >= (self._last_number + 1 if first is None else first)

    def resume(self, number: int, announcement: str) -> None:
        """Send an announcement, every message after the one with this number, and go on.

        The client must have all messages up to that number, and they must be covered (`covers`).
        """
        missed = [each for each in (*self._sent, *self._waiting) if each.numbered and not 0 < each.number <= number]
        self._sent.clear()
        self._waiting = [_Message(announcement, numbered=False), *missed]
        self._bytes = sum(each.size for each in self._waiting)
        self._acknowledges = True
        self.held = False
        self._taken.notify_all()

    def _full(self, *, numbered: bool) -> bool:
        """Return whether a message has to wait; one without a number, which is not kept, needs no acknowledgement."""
        if not self.held and len(self._waiting) >= MAX_FRAMES:
            return True
        return (self.held or (self._acknowledges and numbered)) and self._bytes >= self._max_bytes

    def _keep(self, message: _Message) -> None:
        """Keep a message that is being sent, and forget the oldest ones that were."""
        now = self._clock()
        if not message.number:
            self._last_number += 1
            message.number = self._last_number
            if isinstance(message.content, str):
                size = message.size
                message.content = self._stamp(message.content, message.number)
                self._bytes += message.size - size
        message.sent_at = now
        self._sent.append(message)
        too_many = not self._acknowledges and self._bytes > self._max_bytes
        while self._sent and (too_many or self._sent[0].sent_at < now - self._seconds):
            self._bytes -= self._sent.pop(0).size
            too_many = too_many and self._bytes > self._max_bytes
