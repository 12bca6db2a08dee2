"""Which loaded models may go: a record of who holds each, and two rules over such records.

A model is held by the live sessions that speak to it and by requests under way. One that nobody holds goes when it has
not been used for a while, or, the longest unused first, when another needs its memory. Some are kept whatever happens.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

NEVER: Final = 0.0
"""Instead of seconds: no model goes for not being used."""


class LoadedModel:
    """A model in memory, with its number of users (`in_use`); a `pinned` one is never evicted."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.pinned = False
        self.weight_bytes = 0
        self.in_use = 0
        self._clock = clock
        self.last_used = clock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the model in memory meanwhile."""
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
            self.touch()

    def touch(self) -> None:
        """Somebody is interested in the model now."""
        self.last_used = self._clock()

    @property
    def evictable(self) -> bool:
        """Whether it may go."""
        return not self.pinned and not self.in_use

    def close(self) -> None:
        """Give up threads and memory; blocks."""
        raise NotImplementedError


def expired(models: Iterable[LoadedModel], now: float, seconds: float) -> list[LoadedModel]:
    """Those to let go because nobody has used them for so long."""
    return [each for each in models if seconds != NEVER and each.evictable and now - each.last_used >= seconds]


def lru_victims(models: Iterable[LoadedModel], excess_bytes: int) -> list[LoadedModel] | None:
    """Those to let go so that `excess_bytes` become free; None where all that may go would not be enough."""
    victims: list[LoadedModel] = []
    for each in sorted((each for each in models if each.evictable), key=lambda each: each.last_used):
        if excess_bytes <= 0:
            break
        victims.append(each)
        excess_bytes -= each.weight_bytes
    return victims if excess_bytes <= 0 else None
