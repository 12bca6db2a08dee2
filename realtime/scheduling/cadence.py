"""How often each live session gets a partial, and the load level that follows from it.

The interval is what the engine can sustain: the partials of all active sessions within the time that finals leave.
Below the longest interval that counts as normal it is used as it is; above, a minimum applies, because LocalAgreement
cannot confirm a hypothesis sooner. The level tells the session how much each decode may cost.

| sustainable interval | interval used | level |
|---|---|---|
| up to 0.15 s (`LOW_MAX_INTERVAL`) | 0.3 s | LOW |
| up to 0.3 s (`MIN_PARTIAL_INTERVAL`) | 0.3 s | NORMAL |
| up to 0.5 s (`NORMAL_MAX_INTERVAL`) | as sustainable | NORMAL |
| up to 0.8 s (`BUSY_MIN_INTERVAL`) | 0.8 s | BUSY |
| up to 0.9 s (`CRITICAL_INTERVAL`) | as sustainable | BUSY |
| up to 2 s (`MAX_PARTIAL_INTERVAL`) | as sustainable | CRITICAL |
| up to 4 s | 2 s | CRITICAL |
| over 4 s, or finals take all the time | none: finals only | CRITICAL |

All intervals are multiplied by the `patience` of the cadence, which is more than 1 where a draft model has the words
sooner.
"""

import math
from collections import Counter
from collections.abc import Set
from typing import Final

from realtime.scheduling.cost import DecayingRate, PartialCost
from realtime.scheduling.priority import LoadLevel
from realtime.scheduling.recent import RecentTimes

MIN_PARTIAL_INTERVAL: Final = 0.3
"""Shortest interval between the partials of a session, in seconds."""

MAX_PARTIAL_INTERVAL: Final = 2.0
"""Longest interval between the partials of a session, in seconds."""

LOW_MAX_INTERVAL: Final = 0.15
"""Longest sustainable interval at the level LOW, in seconds: partials could come twice as often as they do.

Around it the level may alternate, because partials cost more at the level LOW."""

NORMAL_MAX_INTERVAL: Final = 0.5
"""Longest sustainable interval at the level NORMAL, in seconds."""

BUSY_MIN_INTERVAL: Final = 0.8
"""Shortest interval above the level NORMAL, in seconds; just over the audio that must lie between two hypotheses before
one can confirm the other (`realtime.speech.certainty.MIN_SPAN`)."""

CRITICAL_INTERVAL: Final = 0.9
"""Longest sustainable interval below the level CRITICAL, in seconds."""

ACTIVE_SECONDS: Final = 3.0
"""A session that had or wanted a partial within this time is expected to want another."""

DRAFTED_PATIENCE: Final = 3.0
"""Factor of all intervals where a draft model has the words sooner.

With whisper-tiny.en for whisper-base, words of one reader are committed after 1.1, 1.1 and 1.8 s (median) with 2, 3 and
6, and after 1.0 s by whisper-base alone; at five times its costs after 1.3, 1.5 and 2.2 s, for 1.26, 1.15 and 0.83 s of
CPU time per second, and after 2.0 to 2.8 s by itself.
"""


class Cadence:
    """The sustainable interval of partials for one engine with `workers` threads."""

    def __init__(self, workers: int, cost: PartialCost, patience: float = 1.0) -> None:
        """Multiply all intervals of the table by `patience`."""
        self._workers = workers
        self._cost = cost
        self.patience = patience
        self._finals = DecayingRate()
        self._last_active = RecentTimes(ACTIVE_SECONDS * patience)
        """Sessions without a queued request."""
        self._queued: Counter[str] = Counter()

    def add_queued(self, session: str) -> None:
        """Count a session as active for as long as a request of it is queued; `remove_queued` must follow.

        Otherwise sessions whose partials are never affordable would seem to be silent, and the engine idle.
        """
        self._queued[session] += 1
        self._last_active.drop(session)

    def remove_queued(self, session: str, now: float) -> None:
        """Note that a request has left the queue; the session stays active for `ACTIVE_SECONDS`."""
        self._queued[session] -= 1
        if not self._queued[session]:
            del self._queued[session]
            self._last_active.note(session, now)

    def record_partial(self, session: str, now: float) -> None:
        """Count a session as active."""
        if session not in self._queued:
            self._last_active.note(session, now)

    def record_final(self, seconds: float, now: float) -> None:
        """Count engine seconds spent on a final."""
        self._finals.add(seconds, now)

    def finals_rate(self, now: float) -> float:
        """Return the engine seconds per second that finals took recently."""
        return self._finals.read(now)

    def active_sessions(self, now: float) -> Set[str]:
        """Return the sessions that are expected to want a partial."""
        return self._last_active.names(now) | self._queued.keys()

    def partial_interval(self, now: float) -> float | None:
        """Return the seconds between the partials of one session; None means finals only."""
        sustainable = self._sustainable_interval(now)
        if sustainable > 2 * MAX_PARTIAL_INTERVAL:
            return None
        if sustainable <= NORMAL_MAX_INTERVAL:
            return self.patience * max(MIN_PARTIAL_INTERVAL, sustainable)
        return self.patience * min(MAX_PARTIAL_INTERVAL, max(BUSY_MIN_INTERVAL, sustainable))

    def _sustainable_interval(self, now: float) -> float:
        """Return the seconds in which the engine can decode a partial of each session, without `patience`."""
        available = (self._workers - self.finals_rate(now)) * self.patience
        active = len(self._last_active.names(now)) + len(self._queued)  # no session is in both
        return active * self._cost.seconds / available if available > 0 else math.inf

    @property
    def max_interval(self) -> float:
        """Longest interval between the partials of a session, in seconds."""
        return MAX_PARTIAL_INTERVAL * self.patience

    def level(self, now: float) -> LoadLevel:
        """Return the load level."""
        sustainable = self._sustainable_interval(now)
        if sustainable > CRITICAL_INTERVAL:
            return LoadLevel.CRITICAL
        if sustainable > NORMAL_MAX_INTERVAL:
            return LoadLevel.BUSY
        return LoadLevel.NORMAL if sustainable > LOW_MAX_INTERVAL else LoadLevel.LOW
