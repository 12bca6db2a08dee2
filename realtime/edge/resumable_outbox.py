"""The messages to a client whose session can be resumed: numbered, and kept for a while after they were sent."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from realtime.edge.outbox import MAX_FRAMES
from realtime.wire.codec import Close


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

    What was sent is kept for `seconds`, and no longer than all messages together take `max_bytes`. While the outbox is
    held nothing is sent or forgotten, and as many messages may wait as fit into `max_bytes`.
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
        self._waiting: deque[_Message] = deque()
        self._sent: deque[_Message] = deque()
        self._bytes = 0
        self._last_number = 0
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self.held = False

    async def put(self, frame: str | bytes | Close, revises: str | None = None, *, numbered: bool = True) -> None:
        """Append a message, or replace the last one that waits if both revise the same item; wait for room."""
        last = self._waiting[-1] if self._waiting else None
        if last is not None and revises is not None and last.revises == revises and not last.number:
            self._bytes -= self._waiting.pop().size
        while self._full():
            self._taken.clear()
            await self._taken.wait()
        message = _Message(frame, revises, numbered)
        self._waiting.append(message)
        self._bytes += message.size
        self._changed.set()

    async def get(self) -> str | bytes | Close:
        """Take the next message to send."""
        while self.held or not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        message = self._waiting.popleft()
        if message.numbered:
            self._keep(message)
        else:
            self._bytes -= message.size
        self._taken.set()
        return message.content

    def hold(self) -> None:
        """Send nothing until `resume`."""
        self.held = True
        self._taken.set()

    def covers(self, number: int) -> bool:
        """Return whether every message after the one with this number is still here."""
        first = min((each.number for each in (*self._sent, *self._waiting) if each.number), default=None)
        return number <= self._last_number and number + 1 >= (self._last_number + 1 if first is None else first)

    def resume(self, number: int, announcement: str) -> None:
        """Send an announcement, every message after the one with this number, and go on.

        The client must have all messages up to that number, and they must be covered (`covers`).
        """
        self._waiting = deque(each for each in (*self._sent, *self._waiting) if each.numbered)
        while self._waiting and 0 < self._waiting[0].number <= number:
            self._waiting.popleft()
        self._sent.clear()
        self._waiting.appendleft(_Message(announcement, numbered=False))
        self._bytes = sum(each.size for each in self._waiting)
        self.held = False
        self._changed.set()
        self._taken.set()

    def _full(self) -> bool:
        return self._bytes >= self._max_bytes if self.held else len(self._waiting) >= MAX_FRAMES

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
        while self._sent and (self._bytes > self._max_bytes or self._sent[0].sent_at < now - self._seconds):
            self._bytes -= self._sent.popleft().size
