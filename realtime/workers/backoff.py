"""When a process that has failed is started again."""

import math
from typing import Final

MAX_BACKOFF: Final = 60.0
"""Most seconds between two starts of an engine whose processes fail."""


class Backoff:
    """When a process may be started again: at once after one failure, then 1, 2, 4 ... `MAX_BACKOFF` seconds later."""

    def __init__(self) -> None:
        self._failures = 0
        self._not_before = -math.inf

    def record_failure(self, now: float) -> None:
        """Record that a process could not be started, or has ended by itself."""
        delay = min(MAX_BACKOFF, 2.0 ** (self._failures - 1)) if self._failures else 0.0
        self._failures += 1
        self._not_before = now + delay

    def record_success(self) -> None:
        """Record that a job or a call was done."""
        self._failures = 0
        self._not_before = -math.inf

    def seconds_left(self, now: float) -> float:
        """Return the seconds until a process may be started, 0 if it may be now."""
        return max(0.0, self._not_before - now)
