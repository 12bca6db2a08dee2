"""What decoding costs on this machine, who causes it, and how much more can be promised.

All figures are moving averages of the engine's time, measured: they follow the machine, the model and
whatever else runs beside them. From them follow who goes first (who got least), how often partials can be afforded
(`partial_interval`) and whether one more talker can be served (`can_admit`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from realtime.scheduling.cost import AVERAGING_SECONDS, BATCH_OVERHEAD, COST_SAMPLES, TARGET_BATCH_SIZE, DecayingRate
from realtime.scheduling.priority import ClientId, LoadLevel, Priority

COST_LEARNING_SECONDS: Final = 60.0
"""Seconds in which a session shows what it costs."""


UPLOAD_SHARE: Final = 0.1
"""Of the engine's time, for uploads while live speech is in a hurry."""


DEFAULT_LOAD_LIMIT: Final = 0.95
"""Share of the engine's time that admitted sessions may take, with a partial every `PROMISED_INTERVAL` seconds."""


MIN_PARTIAL_INTERVAL: Final = 0.3


MAX_PARTIAL_INTERVAL: Final = 2.0
"""Seconds between the partials of one talker, at least and at most; there are none where twice that is too often."""


NORMAL_MAX_INTERVAL: Final = 0.5
"""Where partials can be had as often as that, there is time to spare."""


BUSY_MIN_INTERVAL: Final = 0.8
"""Where not, they come no sooner: before that none can confirm the last one (`realtime.agreement.SPAN`)."""


CRITICAL_INTERVAL: Final = 0.9
"""Where they come less often, there is too little time, and each must cost less."""


PROMISED_INTERVAL: Final = 1.0
"""How far apart they are in what is promised to a session."""


ACTIVE_SECONDS: Final = 3.0
"""Whoever had a partial in the last so many seconds is expected to want another."""


@dataclass(slots=True)
class Load:
    """The ledger of one model whose engine has `workers` threads."""

    workers: int
    _encoding: float
    _decoding: float
    """Engine seconds of each half of a partial, in the company it has under load; at first a guess."""
    capacity: float = DEFAULT_LOAD_LIMIT
    busy: DecayingRate = field(default_factory=DecayingRate)
    _finals: DecayingRate = field(default_factory=DecayingRate)
    _uploads: DecayingRate = field(default_factory=DecayingRate)
    _service_received: dict[str, DecayingRate] = field(default_factory=dict)
    _promised: dict[str, DecayingRate] = field(default_factory=dict)
    _last_active: dict[str, float] = field(default_factory=dict)

    # Sessions.

    def add_session(self, session: str, now: float) -> None:
        """A session is admitted; until it has shown what it costs, it is expected to cost what a talker does."""
        self._promised[session] = DecayingRate(self._expected_cost, now, COST_LEARNING_SECONDS)

    def remove_session(self, session: str) -> None:
        self._promised.pop(session, None)

    @property
    def has_live_sessions(self) -> bool:
        """Whether any session is promised anything."""
        return bool(self._promised)

    def can_admit(self, now: float) -> bool:
        """Whether one more talker can be served without breaking what the others were promised; the first always is."""
        if not self._promised:
            return True
        promised = sum(average.read(now) for average in self._promised.values())
        return promised + self._expected_cost <= self.capacity * self.workers

    @property
    def partial_cost(self) -> float:
        """Engine seconds of one partial, in the company it has under load."""
        return self._encoding + self._decoding

    @property
    def _expected_cost(self) -> float:
        """Engine seconds per second that a session costs with a partial every `PROMISED_INTERVAL` seconds."""
        return self.partial_cost / PROMISED_INTERVAL

    # Work.

    def encoded(self, client_id: ClientId, priority: Priority, seconds: float, now: float) -> None:
        """The first half of a request took so long."""
        if priority is Priority.PARTIAL:
            self._last_active[client_id.session] = now
            self._encoding += (seconds - self._encoding) / COST_SAMPLES
        self._record(client_id, priority, seconds, seconds, now)

    def decoded(self, batch: Sequence[tuple[ClientId, Priority]], seconds: float, now: float) -> None:
        """The second half of these requests took so long, together."""
        cost = seconds / len(batch)
        batch_cost = cost * (1 + BATCH_OVERHEAD / TARGET_BATCH_SIZE) / (1 + BATCH_OVERHEAD / len(batch))
        for client_id, priority in batch:
            if priority is Priority.PARTIAL:
                self._decoding += (batch_cost - self._decoding) / COST_SAMPLES
            self._record(client_id, priority, cost, batch_cost, now)

    def _record(self, client_id: ClientId, priority: Priority, cost: float, batch_cost: float, now: float) -> None:
        """Book `cost` seconds, which would have been `batch_cost` under load."""
        self.busy.add(cost / self.workers, now)
        for name in client_id:
            self._service_received.setdefault(name, DecayingRate()).add(cost, now)
        promised = self._promised.get(client_id.session, DecayingRate())
        if priority is Priority.UPLOAD:
            self._uploads.add(cost, now)
        elif priority is Priority.FINAL:
            self._finals.add(batch_cost, now)
            promised.add(batch_cost, now)
        else:  # as if it had come at the promised distance from the last
            promised.add(batch_cost * (self.partial_interval(now) or MAX_PARTIAL_INTERVAL) / PROMISED_INTERVAL, now)
        self._forget_departed(now)

    def service_received(self, client_id: ClientId, now: float) -> tuple[float, float]:
        """What the account and the session were given lately: who has the least goes first."""
        account, session = (self._service_received.get(name, DecayingRate()).read(now) for name in client_id)
        return account, session

    def partial_interval(self, now: float) -> float | None:
        """Seconds between the partials of one talker that can be afforded now; None: finals only."""
        left = self.workers - self._finals.read(now)
        needed = sum(now - at <= ACTIVE_SECONDS for at in self._last_active.values()) * self.partial_cost
        if left <= 0 or needed > 2 * MAX_PARTIAL_INTERVAL * left:
            return None
        partial_interval = needed / left
        return (
            max(MIN_PARTIAL_INTERVAL, partial_interval)
            if partial_interval <= NORMAL_MAX_INTERVAL
            else min(MAX_PARTIAL_INTERVAL, max(BUSY_MIN_INTERVAL, partial_interval))
        )

    def level(self, now: float) -> LoadLevel:
        """How much time the engine has."""
        partial_interval = self.partial_interval(now)
        if partial_interval is None or partial_interval > CRITICAL_INTERVAL:
            return LoadLevel.CRITICAL
        return LoadLevel.BUSY if partial_interval > NORMAL_MAX_INTERVAL else LoadLevel.NORMAL

    def admits_uploads(self, now: float) -> bool:
        """Whether uploads may have the engine while nothing else is due."""
        return self.level(now) is LoadLevel.NORMAL or self._uploads.read(now) < UPLOAD_SHARE * self.workers

    def _forget_departed(self, now: float) -> None:
        """Keep nothing of those who have gone."""
        self._last_active = {session: at for session, at in self._last_active.items() if now - at <= ACTIVE_SECONDS}
        self._service_received = {
            name: got for name, got in self._service_received.items() if now - got.at <= 4 * AVERAGING_SECONDS
        }
