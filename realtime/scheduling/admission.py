"""Which live sessions an engine can take on.

Each admitted session is promised finals, and partials while its user speaks: every `PROMISED_INTERVAL`, and more often
where one takes long, so that words are committed in time nevertheless. A new session is expected to cost what a user
who speaks all the time costs at this moment, or as many as it has channels transcribed by themselves; over a minute
that gives way to what the session costs in fact, so that quiet sessions make room for others. Another session is
admitted as long as all promises fit into the engine's time. Partials that come more often than promised count at the
promised rate.

The first partials of a turn are short and cheap. So sessions that have just begun count with the cost of partials of
the usual length: of many speakers who arrive within seconds, no more are admitted than fit when their partials have
grown.

What a session was measured to cost takes a minute to follow a machine that becomes slower, and does not see partials
that are not affordable at all. So what the sessions that are speaking need at this moment must fit into the engine's
time too, where it may take all of it.

`tests/support/simulated_load.py` with 160 speakers within 5 s on two cores at 1, 0.7 and 0.4 times the speed of the
benchmarks' machine: 45 to 47, 32 and 11 to 15 are admitted, with a p95 commit lag of 2.3 to 2.5 s; 1.4 times as many
have 3.0 to 3.1, 3.3 and 2.7 to 3.2 s.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from realtime.scheduling.cadence import BUSY_MIN_INTERVAL, Cadence
from realtime.scheduling.cost import DecayingRate, PartialCost

PROMISED_INTERVAL: Final = 1.2
"""Longest interval between the partials that a session is promised, in seconds."""

PROMISED_WAIT: Final = 1.55
"""Sum of the promised interval and `COST_WEIGHT` times the cost of a partial on a slow engine, in seconds."""

COST_WEIGHT: Final = 4.6
"""How much a partial delays its words, in units of its cost: others are encoded before it and decoded with it.

On simulated machines of 1, 0.7 and 0.4 times the speed, the most streams with a p95 commit lag of 3 s have intervals of
1.4, 1.25 and 0.9 s, and partials that cost 0.06, 0.09 and 0.15 s.
"""

COST_LEARNING_SECONDS: Final = 60.0
"""Time constant with which the estimate for a new session converges to its measured cost, in seconds."""

DEFAULT_LOAD_LIMIT: Final = 0.95
"""Share of the engine's time that may be promised to sessions."""


@dataclass(slots=True)
class Promise:
    """What one session is expected to cost: what new ones do, then what it was measured to cost."""

    speakers: int
    since: float
    """When it was made, in monotonic seconds."""
    measured: DecayingRate = field(default_factory=lambda: DecayingRate(horizon=COST_LEARNING_SECONDS))

    def read(self, now: float, speaker_rate: float) -> float:
        """Return the engine seconds per second, with those of a new speaker as they are now."""
        unknown = math.exp((self.since - now) / COST_LEARNING_SECONDS)
        return self.speakers * speaker_rate * unknown + self.measured.read(now)


class AdmissionControl:
    """The promises of one engine with `workers` threads."""

    def __init__(
        self, workers: int, cost: PartialCost, cadence: Cadence, load_limit: float = DEFAULT_LOAD_LIMIT
    ) -> None:
        self.workers = workers
        self._capacity = load_limit * workers
        self._peak_capacity = load_limit / DEFAULT_LOAD_LIMIT * workers
        self._cost = cost
        self._cadence = cadence
        self._promised: dict[str, Promise] = {}
        self.draft: Callable[[], AdmissionControl | None] = lambda: None
        """The control of the draft model, whose engine shares the machine: what it has promised counts here too."""

    def can_admit(self, now: float, speakers: int = 1) -> bool:
        """Whether the engine can keep its promises with another session; the first one is always admitted."""
        if not self._promised:
            return True
        expected = speakers * self._expected_rate
        return (
            self.promised_rate(now) + expected <= self._capacity and self.demand(now) + expected <= self._peak_capacity
        )

    def headroom(self, now: float, places: int) -> int:
        """Return how many further sessions would be admitted at once, at most `places`."""
        free = min(self._capacity - self.promised_rate(now), self._peak_capacity - self.demand(now))
        fitting = bisect_right(range(1, places + 1), free, key=lambda sessions: sessions * self._expected_rate)
        return fitting if self._promised else max(fitting, min(places, 1))

    def taken_share(self, now: float) -> float:
        """Return which share of the capacity is taken, by promises or at this moment; 1 and more is full."""
        return max(self.promised_rate(now) / self._capacity, self.demand(now) / self._peak_capacity)

    def add_session(self, session: str, now: float, speakers: int = 1) -> None:
        """Promise a session its share, or another one if it has other `speakers` now; `remove_session` must follow."""
        self._promised[session] = Promise(speakers, now)

    def remove_session(self, session: str) -> None:
        """Withdraw the promise to a session that has ended."""
        self._promised.pop(session, None)

    @property
    def sessions(self) -> int:
        """How many sessions are admitted."""
        return len(self._promised)

    @property
    def has_sessions(self) -> bool:
        """Whether any session is admitted."""
        return bool(self._promised)

    def record_final(self, session: str, seconds: float, now: float) -> None:
        """Count engine seconds spent on a final of a session."""
        if session in self._promised:
            self._promised[session].measured.add(seconds, now)

    def record_partial(self, session: str, seconds: float, interval: float, now: float) -> None:
        """Count engine seconds spent on a partial that came `interval` seconds after the one before."""
        if session in self._promised:
            self._promised[session].measured.add(seconds * interval / self._promised_interval, now)

    def promised_rate(self, now: float) -> float:
        """Return what the promises to all sessions take on average, in engine seconds per second."""
        speaker_rate = self.new_speaker_rate
        own = sum(promise.read(now, speaker_rate) for promise in self._promised.values())
        return own + self._of_draft(lambda draft: draft.promised_rate(now))

    def demand(self, now: float) -> float:
        """Return what keeping all promises takes at this moment, in engine seconds per second."""
        active = self._promised.keys() & self._cadence.active_sessions(now)  # without those that have ended
        own = self._cadence.finals_rate(now) + len(active) * self.speaker_rate
        return own + self._of_draft(lambda draft: draft.demand(now))

    @property
    def speaker_rate(self) -> float:
        """Seconds of this engine per second of a speaker, for partials as long as those of late."""
        return self._cost.seconds / self._promised_interval

    @property
    def new_speaker_rate(self) -> float:
        """Seconds of this engine per second of a new speaker, who may speak all the time."""
        return self._cost.usual_seconds / self._promised_interval

    def _of_draft(self, rate: "Callable[[AdmissionControl], float]") -> float:
        """Return a rate of the draft model's engine in seconds of this one, which may have other workers.

        All workers of either take the whole machine.
        """
        draft = self.draft()
        return 0.0 if draft is None else rate(draft) * self.workers / draft.workers

    @property
    def _expected_rate(self) -> float:
        """Engine seconds per second of a speaker who speaks all the time, with the part of the draft model."""
        return self.new_speaker_rate + self._of_draft(lambda draft: draft.new_speaker_rate)

    @property
    def _promised_interval(self) -> float:
        """Seconds between the partials that a session is promised by this engine; at least `BUSY_MIN_INTERVAL`."""
        patience = self._cadence.patience
        interval = PROMISED_WAIT - COST_WEIGHT * self._cost.usual_seconds / patience
        return patience * max(BUSY_MIN_INTERVAL, min(PROMISED_INTERVAL, interval))
