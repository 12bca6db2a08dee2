"""The bounded queue of messages to one client."""

import asyncio
from typing import Final

from realtime.edge.condition import Condition
from realtime.errors import VoiceError
from realtime.wire.codec import Close

MAX_FRAMES: Final = 64
"""Messages that may wait for a slow reader. When full, the session waits up to `send_timeout_seconds`, then ends."""


class SlowReaderError(VoiceError):
    """The client does not read its messages fast enough, as on a bad network. It may connect again."""

    code = "slow_reader"
    close_code = 1013


class Outbox:
    """Messages to one client in order; of consecutive revisions of a transcript only the newest waits."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._frames: list[tuple[str | bytes | Close, str | None]] = []
        self._taken = Condition()

    @property
    def ready(self) -> bool:
        """Whether there is a message to send."""
        return bool(self._frames)

    async def put(self, frame: str | bytes | Close, revises: str | None = None) -> None:
        """Append a message, or replace the last one if both revise the same item.

        Raises `SlowReaderError` if the queue stays full for `timeout` seconds.
        """
        if revises is not None and self._frames and self._frames[-1][1] == revises:
            self._frames.pop()
        if len(self._frames) >= MAX_FRAMES:
            await self._wait_for_room()
        self._frames.append((frame, revises))

    def take(self) -> str | bytes | Close:
        """Take the next message; there must be one."""
        self._taken.notify_all()
        return self._frames.pop(0)[0]

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                while len(self._frames) >= MAX_FRAMES:
                    await self._taken.wait()
        except TimeoutError:
            raise SlowReaderError("The client does not read its messages.") from None
