"""Limits shared by the endpoints: concurrent requests, the size of a body and the rate at which it arrives."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.types import Message

from http_compat.errors import BodyTimeout, QueueFull, UnsupportedMediaType
from realtime.errors import TooLarge
from realtime.settings import Settings

MAX_SPEECH_REQUESTS: Final = 32
"""Texts that are spoken at the same time at each endpoint for speech. How much load they are is not known before."""


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


def speech_limit(settings: Settings) -> ConcurrencyLimit:
    """Return the limit of an endpoint for speech: `MAX_SPEECH_REQUESTS` or `max_sessions`, whichever is less."""
    count = min(MAX_SPEECH_REQUESTS, settings.max_sessions)
    return ConcurrencyLimit(count, "Too many speech requests are in progress.")


@dataclass(frozen=True, slots=True)
class MinimumRate:
    """The slowest rate at which a body may arrive: `bytes_per_second` on average, after `grace` seconds."""

    bytes_per_second: float
    grace: float

    def deadline(self, received: int) -> float:
        """Return the seconds after the start by which more than `received` bytes must have arrived."""
        return self.grace + received / self.bytes_per_second


MIN_UPLOAD_RATE: Final = MinimumRate(bytes_per_second=16_000, grace=30.0)
"""Half the rate of uncompressed speech at 16 kHz."""


_COMPRESSIONS: Final = frozenset({"br", "compress", "deflate", "gzip", "x-compress", "x-gzip", "zstd"})
"""Content encodings that change the body (RFC 9110, 8.4.1); some programs write `utf-8` there, which does not."""


def bounded(
    request: Request, max_bytes: int, idle_timeout_seconds: float, min_rate: MinimumRate = MIN_UPLOAD_RATE
) -> Request:
    """Return the request with limits on its body: the size, the time between two chunks, and the rate.

    Reading the body raises `TooLarge` or `BodyTimeout`. The bytes are counted because `Content-Length` may be absent.
    The connection stays open: with `Connection: close`, Node's client reports a network error instead of the 413.

    Raises:
        TooLarge: `Content-Length` exceeds `max_bytes`.
        UnsupportedMediaType: The body is compressed.
    """
    if (encoding := request.headers.get("content-encoding", "").strip().lower()) in _COMPRESSIONS:
        raise UnsupportedMediaType(f"Send the body uncompressed, without `Content-Encoding: {encoding}`.")
    too_large = TooLarge(f"Maximum content size limit ({max_bytes}) exceeded.")
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise too_large
    received, started = 0, time.monotonic()

    async def receive() -> Message:
        nonlocal received
        left = started + min_rate.deadline(received) - time.monotonic()
        try:
            async with asyncio.timeout(min(idle_timeout_seconds, left)):
                message = await request.receive()
        except TimeoutError:
            raise BodyTimeout(
                f"Timed out after {idle_timeout_seconds:g} seconds without data while reading the request body."
                if idle_timeout_seconds <= left
                else f"The request body arrives more slowly than {min_rate.bytes_per_second:,.0f} bytes per second."
            ) from None
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise too_large
        return message

    return Request(request.scope, receive)
