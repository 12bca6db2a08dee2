"""How many requests may be queued for one engine; more are refused."""

from typing import Final

from realtime.settings import Settings

WAITING_PER_SESSION: Final = 8
"""Requests that may be queued for one engine, for each session that a server admits: one or two of each channel."""

WAITING_PER_UPLOAD: Final = 12
"""The same for each upload: its segments that are with the recognizer at the same time."""

MAX_WAITING: Final = 256
"""Requests that may be queued for one engine where no sessions are counted, or few."""


def max_waiting(settings: Settings) -> int:
    """Return how many requests may be queued for an engine: those of as many sessions and uploads as are admitted."""
    of_sessions = max(MAX_WAITING, WAITING_PER_SESSION * settings.max_sessions)
    return of_sessions + WAITING_PER_UPLOAD * settings.max_concurrent_uploads
