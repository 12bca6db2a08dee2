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


class Tenant:
    """A model in memory: `holders` use it now, and the last of them let go at `last_used`. It may have to be `kept`."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.kept = False
        self.weight_bytes = 0
        self.holders = 0
        self._clock = clock
        self.last_used = clock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the model in memory meanwhile."""
        self.holders += 1
        try:
            yield
        finally:
            self.holders -= 1
            self.touch()

    def touch(self) -> None:
        """Somebody is interested in the model now."""
        self.last_used = self._clock()

    @property
    def free(self) -> bool:
        """Whether it may go."""
        return not self.kept and not self.holders

    def close(self) -> None:
        """Give up threads and memory; blocks."""
        raise NotImplementedError


def unused(tenants: Iterable[Tenant], now: float, seconds: float) -> list[Tenant]:
    """Those to let go because nobody has used them for so long."""
    return [each for each in tenants if seconds != NEVER and each.free and now - each.last_used >= seconds]


def to_make_room(tenants: Iterable[Tenant], excess_bytes: int) -> list[Tenant] | None:
    """Those to let go so that `excess_bytes` become free; None where all that may go would not be enough."""
    going: list[Tenant] = []
    for each in sorted((each for each in tenants if each.free), key=lambda each: each.last_used):
        if excess_bytes <= 0:
            break
        going.append(each)
        excess_bytes -= each.weight_bytes
    return going if excess_bytes <= 0 else None
