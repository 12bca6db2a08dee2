"""The scheduler: what a free worker of an engine does next. Time is an argument; nothing here waits.

Every request is encoded alone and then decoded with others: encoding costs the same in any company, decoding is several
times cheaper together. While a batch is decoded, the other workers encode what will go into the next, so that batches
grow with the load; only where there is nothing to encode do they decode what little there is, in a hurry after a while.

A ticket comes twice: first to be encoded, then `halfway`, to be decoded.

Finals go before partials, and both before uploaded files. Among equals whoever has received the least goes first,
account by account and then session by session: ten sessions of one account weigh no more than one of another. The
partials of a session come `Load.step` apart, so that they thin out under load, first of all and before anything else
suffers. While anybody is followed live, uploads go alone, and where there are several workers never take the last;
when live speech is in a hurry they have a tenth of the time.

The fairness is that of start-time fair queueing (Goyal, Vin and Cheng, 1997), with service measured, not predicted.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from realtime.events import Pace, Priority
from realtime.load import COMPANY, MAX_BATCH, NOBODY, QUICKEST, SLOWEST, Load, Owner
from realtime.transcript import TranscriptionRequest

Request = TypeVar("Request")

Tickets: TypeAlias = "Sequence[Ticket[TranscriptionRequest]]"

LINGER: Final = 0.3
"""Seconds that an encoded partial waits for others when there is a hurry, at most."""


@dataclass(frozen=True, slots=True)
class Halfway:
    """What an engine answers that has come halfway and wants to go on later, in other company."""

    state: Any


@dataclass(eq=False, slots=True)
class Ticket(Generic[Request]):
    """A request that waits. `request` says what it is; it is called when the engine is free."""

    request: Callable[[], Request]
    priority: Priority
    owner: Owner = NOBODY
    since: float = 0.0
    """When it was added, the last time."""
    halfway: Halfway | None = None


class Queue(Protocol[Request]):
    """Tickets in an order of its own; `now` is monotonic seconds."""

    def __len__(self) -> int: ...

    def add(self, ticket: Ticket[Request], now: float, /) -> None: ...

    def withdraw(self, ticket: Ticket[Request], now: float, /) -> None:
        """Forget a ticket, if it still waits."""

    def take(self, now: float, /) -> list[Ticket[Request]]:
        """The next batch for a free worker; empty where nothing is due."""

    def due(self, now: float, /) -> float | None:
        """When something that waits will be due, if only time is wanting."""

    def served(self, batch: Sequence[Ticket[Request]], seconds: float, now: float) -> None:
        """A batch is done; the engine took so long."""


class Arrivals(Generic[Request]):
    """First come, first served, as many as wait; uploads go alone, and only when nobody else is due.

    Batches begin `apart` seconds after one another, so that they grow with the number of streams; uploads go between.
    """

    def __init__(self, max_batch: int, apart: float = 0.0) -> None:
        self._max_batch = max_batch
        self._apart = apart
        self._next = -math.inf
        self._waiting: list[Ticket[Request]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, ticket: Ticket[Request], _: float) -> None:
        self._waiting.append(ticket)

    def withdraw(self, ticket: Ticket[Request], _: float) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)

    def take(self, now: float) -> list[Ticket[Request]]:
        uploads = [ticket for ticket in self._waiting if ticket.priority is Priority.UPLOAD]
        live = [ticket for ticket in self._waiting if ticket.priority < Priority.UPLOAD] if now >= self._next else []
        if live:
            self._next = now + self._apart
        batch = live[: self._max_batch] or uploads[:1]
        self._waiting = [ticket for ticket in self._waiting if ticket not in batch]
        return batch

    def due(self, now: float) -> float | None:
        return self._next if self._waiting and self._next > now else None

    def served(self, batch: Sequence[Ticket[Request]], seconds: float, now: float) -> None:
        """Whatever it took: there is nobody to choose between."""


class Scheduler:
    """The queue of a recognizer; see the module."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.partials_run = 0
        self.partials_shed = 0
        """Partials that a talker would have had without load: every `QUICKEST` seconds of waiting is one."""
        self._waiting: list[Ticket[TranscriptionRequest]] = []
        self._last_partial: dict[str, float] = {}
        self._batches_decoding = 0
        self._uploads = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, ticket: Ticket[TranscriptionRequest], now: float) -> None:
        ticket.since = now
        self._waiting.append(ticket)

    def withdraw(self, ticket: Ticket[TranscriptionRequest], now: float) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            if ticket.halfway is None:
                self._count(ticket, now, run=False)

    def take(self, now: float) -> list[Ticket[TranscriptionRequest]]:
        batch = [*self._next(now)]
        self._under_way(batch, 1)
        for ticket in batch:
            self._waiting.remove(ticket)
            if ticket.priority is Priority.PARTIAL and ticket.halfway is None:
                self._last_partial[ticket.owner.session] = now
                self._count(ticket, now, run=True)
        return batch

    def _next(self, now: float) -> Tickets:
        ranked = sorted(self._waiting, key=lambda ticket: (ticket.priority, self.load.received(ticket.owner, now)))
        live = [ticket for ticket in ranked if ticket.priority < Priority.UPLOAD]
        encoded = [ticket for ticket in live if ticket.halfway is not None]
        step = self.load.step(now)
        due = [ticket for ticket in live if ticket.halfway is None and self._is_due(ticket, step, now)]
        if encoded and self._enough(encoded, due, now):
            return encoded[:MAX_BATCH]
        if due and (len(encoded) < MAX_BATCH or due[0].priority is Priority.FINAL):
            return due[:1]
        return self._next_uploads(ranked[len(live) :]) if self.load.takes_uploads(now) else []

    def _next_uploads(self, waiting: Tickets) -> Tickets:
        """Many at a time where nobody is listened to; else one, and never with the last of several workers."""
        company, workers = (1, max(1, self.load.workers - 1)) if self.load.followed else (COMPANY, self.load.workers)
        if self._uploads >= workers:
            return []
        encoded = [ticket for ticket in waiting if ticket.halfway is not None][:company]
        others = [ticket for ticket in waiting if ticket.halfway is None]
        return others[:1] if others and len(encoded) < company else encoded

    def _enough(self, encoded: Tickets, due: Tickets, now: float) -> bool:
        """Whether to decode these now. Beside another batch a single partial waits: it would slow both down."""
        final = encoded[0].priority is Priority.FINAL
        if due and due[0].priority <= encoded[0].priority:  # there will be company at once
            return len(encoded) >= COMPANY and (final or not self._batches_decoding)
        return final or (len(encoded) > self._batches_decoding and now >= self._linger(encoded, now))

    def _linger(self, encoded: Tickets, now: float) -> float:
        """Until when encoded partials should wait for company: not at all when there is no hurry."""
        if len(encoded) >= COMPANY or self.load.pace(now) is Pace.LEISURELY:
            return 0.0
        return min(each.since for each in encoded) + LINGER

    def due(self, now: float) -> float | None:
        step = self.load.step(now)
        live = [ticket for ticket in self._waiting if ticket.priority < Priority.UPLOAD]
        encoded = [ticket for ticket in live if ticket.halfway is not None]
        times = [self._linger(encoded, now)] if encoded else []
        times += [
            # Without a step: to see whether there is room again.
            now + QUICKEST if step is None else self._next_partial(ticket, step, now)
            for ticket in live
            if ticket.priority is Priority.PARTIAL and ticket.halfway is None
        ]
        if len(live) < len(self._waiting) and not self.load.takes_uploads(now):
            times.append(now + QUICKEST)
        return min((at for at in times if at > now), default=None)

    def served(self, batch: Sequence[Ticket[TranscriptionRequest]], seconds: float, now: float) -> None:
        self._under_way(batch, -1)
        first = batch[0]
        if first.halfway is None:
            self.load.encoded(first.owner, first.priority, seconds, now)
        else:
            self.load.decoded([(ticket.owner, ticket.priority) for ticket in batch], seconds, now)
        self._last_partial = {session: at for session, at in self._last_partial.items() if now - at < SLOWEST}

    def _under_way(self, batch: Sequence[Ticket[TranscriptionRequest]], change: int) -> None:
        """One more batch of this kind is under way, or one less."""
        if batch and batch[0].priority is Priority.UPLOAD:
            self._uploads += change
        elif batch and batch[0].halfway is not None:
            self._batches_decoding += change

    def _is_due(self, ticket: Ticket[TranscriptionRequest], step: float | None, now: float) -> bool:
        if ticket.priority is Priority.FINAL:
            return True
        return step is not None and now >= self._next_partial(ticket, step, now)

    def _next_partial(self, ticket: Ticket[TranscriptionRequest], step: float, now: float) -> float:
        return self._last_partial.get(ticket.owner.session, now - step) + step

    def _count(self, ticket: Ticket[TranscriptionRequest], now: float, *, run: bool) -> None:
        if ticket.priority is Priority.PARTIAL:
            self.partials_run += run
            self.partials_shed += int((now - ticket.since) / QUICKEST)
