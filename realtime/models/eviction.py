"""Decide which loaded models to unload: a record of each model's use, and two policies over such records.

A model is leased by the sessions and requests that use it. One that is not leased is unloaded after an idle time, or
earlier, least recently used first, when another model needs its memory. Pinned models are never unloaded.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

NEVER: Final = 0.0
"""Idle time that switches expiry off, in place of seconds."""


class LoadedModel:
    """How a model in memory is used: `in_use` counts its leases, `last_used` is the time of the last use."""

    def __init__(self, name: str, *, pinned: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.pinned = pinned
        self.weight_bytes = 0
        self.in_use = 0
        self._clock = clock
        self.last_used = clock()

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Keep the model in memory until the block ends."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def acquire(self) -> None:
        """Begin a lease; `release` must follow."""
        self.in_use += 1
        self.touch()

    def release(self) -> None:
        """End a lease."""
        self.in_use -= 1
        self.touch()

    def touch(self) -> None:
        """Restart the idle time."""
        self.last_used = self._clock()

    @property
    def evictable(self) -> bool:
        """Whether the model may be unloaded."""
        return not self.pinned and not self.in_use


def expired(models: Iterable[LoadedModel], now: float, seconds: float) -> list[LoadedModel]:
    """Return the evictable models that have been idle for `seconds` or longer."""
    return [each for each in models if seconds != NEVER and each.evictable and now - each.last_used >= seconds]


def lru_victims(models: Iterable[LoadedModel], excess_bytes: int) -> list[LoadedModel] | None:
    """Return the least recently used evictable models that free `excess_bytes`; None if all of them are too few."""
    victims: list[LoadedModel] = []
    for each in sorted((each for each in models if each.evictable), key=lambda each: each.last_used):
        if excess_bytes <= 0:
            break
        victims.append(each)
        excess_bytes -= each.weight_bytes
    return victims if excess_bytes <= 0 else None
