"""When a connection is opened again, and when that is hopeless."""

import random
from typing import Final

from clients.errors import ConnectionRefused, RealtimeError, ServerClosed

FIRST_SECONDS: Final = 0.5
"""Seconds before the first attempt, on average."""

LONGEST_SECONDS: Final = 8.0
"""Seconds between later attempts at most, on average; the server may ask for more (`Retry-After`)."""

_TEMPORARY_CODES: Final = frozenset({1001, 1005, 1006, 1011, 1012, 1013})
"""Close codes after which another session may succeed: those after which OpenAI's own clients reconnect."""

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


def delay_before(attempt: int, error: RealtimeError) -> float:
    """Return the seconds to wait before an attempt, counted from 0, after this error.

    They are drawn at random, so that not all clients of a restarted server come back at once. A server that has said
    when to come again is not asked earlier.
    """
    mean = min(FIRST_SECONDS * 2.0 ** min(attempt, 10), LONGEST_SECONDS)
    asked = error.retry_after if isinstance(error, ConnectionRefused) and error.retry_after else 0.0
    return max(mean, asked) * random.uniform(1.0, 1.5) if asked > mean else mean * random.uniform(0.5, 1.5)  # noqa: S311
