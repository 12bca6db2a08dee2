"""When a connection is opened again, and when that is hopeless."""

import random
from typing import Final

from clients.errors import ConnectionRefused, RealtimeError, ServerClosed

FIRST_SECONDS: Final = 0.5
"""Seconds before the first attempt, on average."""

LONGEST_SECONDS: Final = 8.0
"""Seconds between later attempts at most, on average; the server may ask for more (`Retry-After`)."""

_TEMPORARY_CODES: Final = frozenset({1001, 1005, 1006, 1011, 1012, 1013, 1014})
"""Close codes after which another session may succeed: those after which OpenAI's own clients reconnect, and 1014, with
which a proxy says that it does not reach the server."""

_TEMPORARY_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of refusals that may end: the server is full or loading, or a proxy does not reach it."""


def is_temporary(error: RealtimeError) -> bool:
    """Say whether it is worth opening another session after this error."""
    match error:
        case ServerClosed(code=code):
            return code in _TEMPORARY_CODES
        case ConnectionRefused(status=status):
            return status is None or status in _TEMPORARY_STATUSES
        case _:
            return False


class Attempts:
    """Attempts to connect again within `patience` seconds of a loss."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lost_at: float | None = None
        self._count = 0

    def succeed(self) -> None:
        """Take the next error for another loss, with all the time again."""
        self._lost_at, self._count = None, 0

    def lose(self, at: float) -> None:
        """Count the time from `at`, unless attempts have been made since an earlier loss."""
        if self._lost_at is None:
            self._lost_at = at

    def delay_after(self, error: RealtimeError, now: float) -> float | None:
        """Return the seconds to wait before the next attempt, None if there should be none."""
        self.lose(now)
        assert self._lost_at is not None
        delay = delay_before(self._count, error)
        if not is_temporary(error) or now + delay > self._lost_at + self._patience:
            return None
        self._count += 1
        return delay


def delay_before(attempt: int, error: RealtimeError) -> float:
    """Return the seconds to wait before an attempt, counted from 0, after this error.

    They are drawn at random, so that not all clients of a restarted server come back at once. A server that has said
    when to come again is not asked earlier.
    """
    mean = min(FIRST_SECONDS * 2.0 ** min(attempt, 10), LONGEST_SECONDS)
    asked = error.retry_after if isinstance(error, ConnectionRefused) and error.retry_after else 0.0
    if asked > mean:
        return asked * random.uniform(1.0, 1.2)  # noqa: S311
    return mean * random.uniform(0.5, 1.5)  # noqa: S311
