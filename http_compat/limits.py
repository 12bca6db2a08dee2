"""What every request gets: an id, a hearing, a place, a body with bounds, and an answer, or an end to the work."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.types import Message

from http_compat.errors import BodyTimeout, QueueFull
from realtime.errors import TooLarge


class ConcurrencyLimit:
    """Limit on the requests of one kind that are in progress. Unlike a semaphore, it refuses instead of waiting."""

    def __init__(self, count: int, message: str) -> None:
        """Allow `count` requests; `message` is the error for any more."""
        self._free = count
        self._message = message

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Occupy a slot until the block ends. Raises `QueueFull`."""
        if self._free <= 0:
            raise QueueFull(self._message)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(frozen=True, slots=True)
class MinimumRate:
    """How slow a body may be: `bytes_per_second` on average, not counting its first `grace` seconds."""

    bytes_per_second: float
    grace: float

    def due(self, received: int) -> float:
        """Seconds after the beginning when there must be more than `received` bytes."""
        return self.grace + received / self.bytes_per_second


MIN_UPLOAD_RATE: Final = MinimumRate(bytes_per_second=16_000, grace=30.0)
"""Half of what speech takes uncompressed."""


def bounded(
    request: Request, max_bytes: int, idle_timeout_seconds: float, pace: MinimumRate = MIN_UPLOAD_RATE
) -> Request:
    """Return the request with a bounded body: its size, the time between two parts, and its rate.

    Raises `TooLarge` for a body that says it is; reading the body raises `TooLarge` or `BodyTimeout` where it is
    otherwise. The bytes are counted because a `Content-Length` may be absent. The connection stays open: with
    `Connection: close` Node's client reports a network error instead of the 413.
    """
    too_large = TooLarge(f"Maximum content size limit ({max_bytes}) exceeded.")
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise too_large
    received, began = 0, time.monotonic()

    async def receive() -> Message:
        nonlocal received
        left = began + pace.due(received) - time.monotonic()
        try:
            async with asyncio.timeout(min(idle_timeout_seconds, left)):
                message = await request.receive()
        except TimeoutError:
            raise BodyTimeout(
                f"Nothing more of the body has come for {idle_timeout_seconds:g} seconds."
                if idle_timeout_seconds <= left
                else f"The body comes more slowly than {pace.bytes_per_second:g} bytes a second."
            ) from None
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise too_large
        return message

    return Request(request.scope, receive)
