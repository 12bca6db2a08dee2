"""Bounded queue of messages to one client."""

import asyncio
from collections import deque
from typing import Final

from realtime.errors import VoiceError

MAX_FRAMES: Final = 64
"""Messages that may wait for a slow reader; when full, the session waits, and after `send_timeout_seconds` it ends."""


class SlowReaderError(VoiceError):
    """The client does not take what it is sent."""

    code = "slow_reader"
    close_code = 1008


class Outbox:
    """Messages on their way to the client: bounded, in order; of tentative text only the newest waits."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._frames: deque[tuple[str | bytes, str | None]] = deque()
        self._filled = asyncio.Event()
        self._taken = asyncio.Event()

    async def put(self, frame: str | bytes, revises: str | None = None) -> None:
        """Add a message; one that `revises` the same thing as the last message takes its place.

        Raises `SlowReaderError` when there has been no room for `timeout` seconds.
        """
        if revises is not None and self._frames and self._frames[-1][1] == revises:
            self._frames.pop()
        try:
            async with asyncio.timeout(self._timeout):
                while len(self._frames) >= MAX_FRAMES:
                    self._taken.clear()
                    await self._taken.wait()
        except TimeoutError:
            raise SlowReaderError("The client does not read.") from None
        self._frames.append((frame, revises))
        self._filled.set()

    async def get(self) -> str | bytes:
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        self._taken.set()
        return self._frames.popleft()[0]
