"""Sends what is in an outbox, in a task that runs only while there is something to send."""

import asyncio
from abc import ABC, abstractmethod
from typing import Protocol

from realtime.edge.tasks import begin
from realtime.wire.codec import Close


class Pending(Protocol):
    """Messages that wait to be sent."""

    @property
    def ready(self) -> bool:
        """Whether one can be sent now."""

    def take(self) -> str | bytes | Close:
        """Take the next message, which must be ready."""


class Sender(ABC):
    """Sends the messages of one connection in order, in tasks of the group of the connection."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending
        self._group: asyncio.TaskGroup | None = None
        self._sending = False

    def join(self, group: asyncio.TaskGroup) -> None:
        """Run tasks in this group. Call it before any other method."""
        self._group = group

    @property
    def group(self) -> asyncio.TaskGroup:
        """The group of the connection."""
        assert self._group is not None
        return self._group

    def send_pending(self) -> None:
        """Send what is ready. Call it after anything that makes a message ready."""
        if self._pending.ready and not self._sending:
            self._sending = True
            begin(self.group, self._send_all())

    def unsent(self) -> list[str | bytes | Close]:
        """Take all that is ready, which no task sends any more."""
        messages = []
        while self._pending.ready:
            messages.append(self._pending.take())
        return messages

    async def _send_all(self) -> None:
        while self._pending.ready:
            await self._send(self._pending.take())
        self._sending = False

    @abstractmethod
    async def _send(self, frame: str | bytes | Close) -> None:
        """Send a message. Raises what ends the connection, also after a `Close`."""
