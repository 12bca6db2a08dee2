"""Tickets and the queue of a worker."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from realtime.scheduling.priority import ANONYMOUS, ClientId, LoadLevel, Priority

Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class Continuation:
    """What an engine answers that has come halfway and wants to go on later, in other company."""

    state: Any


@dataclass(eq=False, slots=True)
class Ticket(Generic[Request]):
    """A request in a queue."""

    request: Callable[[LoadLevel], Request | None]
    """Called once, with the load of the engine when it is free: what to run, or None where that is withdrawn."""
    priority: Priority
    client_id: ClientId = ANONYMOUS
    since: float = 0.0
    """When it was added, the last time."""
    continuation: Continuation | None = None
    payload: Request | Continuation | None = None
    """What the engine runs next; None before the ticket is taken, and where the request is withdrawn."""

    def pull(self, load: LoadLevel) -> bool:
        """Fix what the engine runs next; return whether there is anything to run."""
        self.payload = self.continuation or self.request(load)
        return self.payload is not None


class Queue(Protocol[Request]):
    """Tickets in an order of its own; `now` is monotonic seconds."""

    def __len__(self) -> int: ...

    def add(self, ticket: Ticket[Request], now: float, /) -> None: ...

    def cancel(self, ticket: Ticket[Request], now: float, /) -> None:
        """Forget a ticket, if it still waits."""

    def take(self, now: float, /) -> list[Ticket[Request]]:
        """Pull the next batch for a free worker; empty where nothing is due.

        Tickets without a payload are withdrawn: they cost nothing and are not recorded as served.
        """

    def due(self, now: float, /) -> float | None:
        """When something that waits will be due, if only time is wanting."""

    def record_service(self, batch: Sequence[Ticket[Request]], seconds: float, now: float) -> None:
        """A batch is done; the engine took so long."""


class FifoQueue(Generic[Request]):
    """First come, first served, as many as wait; uploads go alone, and only when nobody else is due.

    Batches begin `batch_interval` seconds after one another, so that they grow with the number of streams; uploads go
    between.
    """

    def __init__(self, max_batch: int, batch_interval: float = 0.0) -> None:
        self._max_batch = max_batch
        self._batch_interval = batch_interval
        self._next = -math.inf
        self._waiting: list[Ticket[Request]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, ticket: Ticket[Request], _: float) -> None:
        self._waiting.append(ticket)

    def cancel(self, ticket: Ticket[Request], _: float) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)

    def take(self, now: float) -> list[Ticket[Request]]:
        uploads = [ticket for ticket in self._waiting if ticket.priority is Priority.UPLOAD]
        live = [ticket for ticket in self._waiting if ticket.priority < Priority.UPLOAD] if now >= self._next else []
        if live:
            self._next = now + self._batch_interval
        batch = live[: self._max_batch] or uploads[:1]
        self._waiting = [ticket for ticket in self._waiting if ticket not in batch]
        for ticket in batch:
            ticket.pull(LoadLevel.NORMAL)
        return batch

    def due(self, now: float) -> float | None:
        return self._next if self._waiting and self._next > now else None

    def record_service(self, batch: Sequence[Ticket[Request]], seconds: float, now: float) -> None:
        """Whatever it took: there is nobody to choose between."""
