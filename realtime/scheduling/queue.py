"""The requests that wait for an engine, and the order in which a worker takes them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeVar

from realtime.scheduling.priority import ANONYMOUS, ClientId, LoadLevel, Priority

Payload = TypeVar("Payload")
State = TypeVar("State")


class Stage(Enum):
    """What the engine does next with a request; engines without a decoder know only the first stage."""

    ENCODE = "encode"
    DECODE = "decode"


class RequestProgress(Enum):
    """What happens to a request between its first stage and its answer, possibly more than once."""

    ENCODED = "encoded"
    """It has returned to the queue and waits for a batch."""
    DECODING = "decoding"
    """An engine has taken it to be decoded."""
    PROCESS_ENDED = "process_ended"
    """A process of its engine ended while it had the request; it is reported with the answer."""


@dataclass(frozen=True, slots=True)
class Encoded(Generic[State]):
    """The outcome of a stage without an answer yet: the request returns to the queue, to be decoded from `state`."""

    state: State


@dataclass(eq=False, slots=True)
class Ticket(Generic[Payload]):
    """A request in a queue."""

    request: Callable[[LoadLevel], Payload | None]
    """Called once, with the load of the engine when it is free; returns what to run, or None to withdraw it."""
    priority: Priority
    client_id: ClientId = ANONYMOUS
    since: float = 0.0
    """When the ticket was queued last, in monotonic seconds."""
    stage: Stage = Stage.ENCODE
    payload: Payload | None = None
    """What the engine runs next; None before the ticket is taken, and if the request is withdrawn."""
    on_progress: Callable[[RequestProgress], None] | None = None
    """Called for traces, in the event loop."""
    seconds: float = 0.0
    """Seconds of its audio, once it has been taken to be encoded."""

    def pull(self, load: LoadLevel) -> bool:
        """Fix what the engine runs next, and return whether there is anything to run."""
        if self.stage is Stage.ENCODE:
            self.payload = self.request(load)
        elif self.on_progress is not None:
            self.on_progress(RequestProgress.DECODING)
        return self.payload is not None

    def requeue(self, state: Payload) -> None:
        """Prepare the ticket for its next stage: decoding from `state`."""
        self.stage, self.payload = Stage.DECODE, state
        if self.on_progress is not None:
            self.on_progress(RequestProgress.ENCODED)


class Queue(Protocol[Payload]):
    """Tickets, and the policy that makes batches of them; `now` is monotonic seconds."""

    def __len__(self) -> int: ...

    def add(self, ticket: Ticket[Payload], now: float, /) -> None: ...

    def cancel(self, ticket: Ticket[Payload], now: float, /) -> None:
        """Remove a ticket if it is still queued."""

    def take(self, now: float, /) -> list[Ticket[Payload]]:
        """Pull the next batch for a free worker, all of one stage; empty if nothing is due.

        Tickets without a payload are withdrawn: they cost nothing and are not recorded as served.
        """

    def due(self, now: float, /) -> float | None:
        """Return the time at which a queued ticket becomes due by itself; None if it takes another event."""

    def record_service(self, batch: Sequence[Ticket[Payload]], seconds: float, now: float) -> None:
        """Account for a batch that took `seconds` of a worker."""


class FifoQueue(Generic[Payload]):
    """Live requests in order of arrival, up to `max_batch` together; uploads one by one when no live request is due.

    Batches start at least `batch_interval` seconds apart, so that they grow with the number of streams; uploads are
    taken in between.
    """

    def __init__(self, max_batch: int, batch_interval: float = 0.0) -> None:
        self._max_batch = max_batch
        self._batch_interval = batch_interval
        self._next = -math.inf
        self._live: list[Ticket[Payload]] = []
        self._uploads: list[Ticket[Payload]] = []

    def __len__(self) -> int:
        return len(self._live) + len(self._uploads)

    def add(self, ticket: Ticket[Payload], _: float) -> None:
        (self._uploads if ticket.priority is Priority.UPLOAD else self._live).append(ticket)

    def cancel(self, ticket: Ticket[Payload], _: float) -> None:
        waiting = self._uploads if ticket.priority is Priority.UPLOAD else self._live
        if ticket in waiting:
            waiting.remove(ticket)

    def take(self, now: float) -> list[Ticket[Payload]]:
        if self._live and now >= self._next:
            self._next = now + self._batch_interval
            batch = [ticket for ticket in self._live if ticket.stage is self._live[0].stage][: self._max_batch]
            taken = set(batch)
            self._live = [ticket for ticket in self._live if ticket not in taken]
        else:
            batch, self._uploads = self._uploads[:1], self._uploads[1:]
        for ticket in batch:
            ticket.pull(LoadLevel.NORMAL)
        return batch

    def due(self, now: float) -> float | None:
        return self._next if len(self) and self._next > now else None

    def record_service(self, batch: Sequence[Ticket[Payload]], seconds: float, now: float) -> None:
        """Do nothing: arrival order needs no accounting."""
