"""Which live sessions an engine can take on.

Each admitted session is promised finals, and a partial every `PROMISED_INTERVAL` while its user speaks. A new session
is expected to cost what a user who speaks all the time does; the estimate then converges to what the session costs in
fact, so that quiet sessions make room for others. Another session is admitted as long as all promises fit into the
engine's time. Partials that come more often than promised count at the promised rate.
"""

from typing import Final

from realtime.scheduling.cost import DecayingRate, PartialCost

PROMISED_INTERVAL: Final = 1.0
"""Seconds between the partials that a session is promised."""

COST_LEARNING_SECONDS: Final = 60.0
"""Time constant with which the estimate for a new session converges to its measured cost, in seconds."""

DEFAULT_LOAD_LIMIT: Final = 0.95
"""Share of the engine's time that may be promised to sessions."""


class AdmissionControl:
    """The promises of one engine with `workers` threads."""

    def __init__(self, workers: int, cost: PartialCost, load_limit: float = DEFAULT_LOAD_LIMIT) -> None:
        self._capacity = load_limit * workers
        self._cost = cost
        self._promised: dict[str, DecayingRate] = {}

    def can_admit(self, now: float) -> bool:
        """Whether the engine can keep its promises with another session; the first one is always admitted."""
        if not self._promised:
            return True
        promised = sum(rate.read(now) for rate in self._promised.values())
        return promised + self._expected_rate <= self._capacity

    def add_session(self, session: str, now: float) -> None:
        """Promise a session its share; `remove_session` must follow."""
        self._promised[session] = DecayingRate(self._expected_rate, now, COST_LEARNING_SECONDS)

    def remove_session(self, session: str) -> None:
        """Withdraw the promise to a session that has ended."""
        self._promised.pop(session, None)

    @property
    def has_sessions(self) -> bool:
        """Whether any session is admitted."""
        return bool(self._promised)

    def record_final(self, session: str, seconds: float, now: float) -> None:
        """Count engine seconds spent on a final of a session."""
        if session in self._promised:
            self._promised[session].add(seconds, now)

    def record_partial(self, session: str, seconds: float, interval: float, now: float) -> None:
        """Count engine seconds spent on a partial that came `interval` seconds after the one before."""
        if session in self._promised:
            self._promised[session].add(seconds * interval / PROMISED_INTERVAL, now)

    @property
    def _expected_rate(self) -> float:
        """Engine seconds per second of a session whose user speaks all the time."""
        return self._cost.seconds / PROMISED_INTERVAL
