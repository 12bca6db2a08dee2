"""What decoding costs on this machine, who causes it, and how much more can be promised.

All figures are moving averages of the engine's time, measured: they follow the machine, the model and
whatever else runs beside them. From them follow who goes first (who got least), how often partials can be afforded
(`step`) and whether one more talker can be served (`has_room`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from realtime.events import Pace, Priority

HORIZON: Final = 15.0
"""Seconds over which averages are taken."""

PATIENCE: Final = 60.0
"""Seconds in which a session shows what it costs."""

UPLOADS: Final = 0.1
"""Of the engine's time, for uploads while live speech is in a hurry."""

CAPACITY: Final = 0.95
"""Of the engine's time, what the sessions admitted may be expected to take with a partial every `NOMINAL` seconds."""

QUICKEST: Final = 0.3
SLOWEST: Final = 2.0
"""Seconds between the partials of one talker, at least and at most; there are none where twice that is too often."""

UNHURRIED: Final = 0.5
"""Where partials can be had as often as that, there is time to spare."""

CONFIRMING: Final = 0.8
"""Where not, they come no sooner: before that none can confirm the last one (`realtime.agreement.SPAN`)."""

PRESSING: Final = 0.9
"""Where they come less often, there is too little time, and each must cost less."""

NOMINAL: Final = 1.0
"""How far apart they are in what is promised to a session."""

COMPANY: Final = 6
"""Decodes that are enough for a batch. What one costs is reckoned for a batch of so many."""

SHARED: Final = 3.0
"""A batch of n takes as long as n + `SHARED` times what one more adds to it."""

MAX_BATCH: Final = 8
"""What has gathered meanwhile goes along, up to so many."""

MEMORY: Final = 20
"""Partials over which their cost is averaged."""

TALKING: Final = 3.0
"""Whoever had a partial in the last so many seconds is expected to want another."""


class Owner(NamedTuple):
    """Whose work it is: the account that pays and its session, or its upload."""

    account: str = ""
    session: str = ""


NOBODY: Final = Owner()


@dataclass(slots=True)
class Average:
    """An exponentially decaying rate: units per second over the last `horizon` seconds."""

    rate: float = 0.0
    at: float = -math.inf
    horizon: float = HORIZON

    def add(self, amount: float, now: float) -> None:
        self.rate, self.at = self.read(now) + amount / self.horizon, now

    def read(self, now: float) -> float:
        return self.rate * math.exp(min(0.0, self.at - now) / self.horizon) if self.rate else 0.0


@dataclass(slots=True)
class Load:
    """The ledger of one model whose engine has `workers` threads."""

    workers: int
    _encoding: float
    _decoding: float
    """Engine seconds of each half of a partial, in the company it has under load; at first a guess."""
    capacity: float = CAPACITY
    busy: Average = field(default_factory=Average)
    _finals: Average = field(default_factory=Average)
    _uploads: Average = field(default_factory=Average)
    _received: dict[str, Average] = field(default_factory=dict)
    _promised: dict[str, Average] = field(default_factory=dict)
    _talked: dict[str, float] = field(default_factory=dict)

    # Sessions.

    def join(self, session: str, now: float) -> None:
        """A session is admitted; until it has shown what it costs, it is expected to cost what a talker does."""
        self._promised[session] = Average(self._expected, now, PATIENCE)

    def leave(self, session: str) -> None:
        self._promised.pop(session, None)

    @property
    def followed(self) -> bool:
        """Whether any session is promised anything."""
        return bool(self._promised)

    def has_room(self, now: float) -> bool:
        """Whether one more talker can be served without breaking what the others were promised; the first always is."""
        if not self._promised:
            return True
        promised = sum(average.read(now) for average in self._promised.values())
        return promised + self._expected <= self.capacity * self.workers

    @property
    def partial_cost(self) -> float:
        """Engine seconds of one partial, in the company it has under load."""
        return self._encoding + self._decoding

    @property
    def _expected(self) -> float:
        """Engine seconds per second that a talker costs: a partial every `NOMINAL` seconds, and the finals."""
        return self.partial_cost / NOMINAL

    # Work.

    def encoded(self, owner: Owner, priority: Priority, seconds: float, now: float) -> None:
        """The first half of a request took so long."""
        if priority is Priority.PARTIAL:
            self._talked[owner.session] = now
            self._encoding += (seconds - self._encoding) / MEMORY
        self._spend(owner, priority, seconds, seconds, now)

    def decoded(self, batch: Sequence[tuple[Owner, Priority]], seconds: float, now: float) -> None:
        """The second half of these requests took so long, together."""
        cost = seconds / len(batch)
        in_company = cost * (1 + SHARED / COMPANY) / (1 + SHARED / len(batch))
        for owner, priority in batch:
            if priority is Priority.PARTIAL:
                self._decoding += (in_company - self._decoding) / MEMORY
            self._spend(owner, priority, cost, in_company, now)

    def _spend(self, owner: Owner, priority: Priority, cost: float, in_company: float, now: float) -> None:
        """Book `cost` seconds, which would have been `in_company` under load."""
        self.busy.add(cost / self.workers, now)
        for name in owner:
            self._received.setdefault(name, Average()).add(cost, now)
        promised = self._promised.get(owner.session, Average())
        if priority is Priority.UPLOAD:
            self._uploads.add(cost, now)
        elif priority is Priority.FINAL:
            self._finals.add(in_company, now)
            promised.add(in_company, now)
        else:  # as if it had come at the promised distance from the last
            promised.add(in_company * (self.step(now) or SLOWEST) / NOMINAL, now)
        self._forget(now)

    def received(self, owner: Owner, now: float) -> tuple[float, float]:
        """What the account and the session were given lately: who has the least goes first."""
        account, session = (self._received.get(name, Average()).read(now) for name in owner)
        return account, session

    def step(self, now: float) -> float | None:
        """Seconds between the partials of one talker that can be afforded now; None: finals only."""
        left = self.workers - self._finals.read(now)
        needed = sum(now - at <= TALKING for at in self._talked.values()) * self.partial_cost
        if left <= 0 or needed > 2 * SLOWEST * left:
            return None
        step = needed / left
        return max(QUICKEST, step) if step <= UNHURRIED else min(SLOWEST, max(CONFIRMING, step))

    def pace(self, now: float) -> Pace:
        """How much time the engine has."""
        step = self.step(now)
        if step is None or step > PRESSING:
            return Pace.PRESSED
        return Pace.HURRIED if step > UNHURRIED else Pace.LEISURELY

    def takes_uploads(self, now: float) -> bool:
        """Whether uploads may have the engine while nothing else is due."""
        return self.pace(now) is Pace.LEISURELY or self._uploads.read(now) < UPLOADS * self.workers

    def _forget(self, now: float) -> None:
        """Keep nothing of those who have gone."""
        self._talked = {session: at for session, at in self._talked.items() if now - at <= TALKING}
        self._received = {name: got for name, got in self._received.items() if now - got.at <= 4 * HORIZON}
