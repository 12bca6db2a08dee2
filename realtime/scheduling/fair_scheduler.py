"""The scheduler of a recognizer: what a free worker does next. It is a pure function of time: `now` is an argument.

Each request is encoded alone and then decoded in a batch: encoding costs the same in any batch, decoding is several
times cheaper together. While one worker decodes a batch, the others encode requests for the next, so that batches grow
with the load. A batch smaller than the target size is decoded only when there is nothing to encode, and above the load
level NORMAL only after `MAX_BATCH_DELAY`; a final waits there for partials that are due, no longer than
`MAX_FINAL_DELAY`. A ticket is taken once for each stage: to be encoded, then to be decoded.

Finals go before partials, and both before uploads. Within a priority the client that received the least engine time
goes first, account by account and then session by session: ten sessions of one account get no more than one session of
another. The partials of a session are at least `Cadence.partial_interval` apart, so that under load they become rarer
before anything else suffers. While a live session is admitted, uploads are decoded one at a time and never occupy the
last of several workers, and above the level NORMAL they get a tenth of the engine's time. Otherwise they are decoded in
batches of similar length: engines decode those of one length at once.

This is in the spirit of start-time fair queueing (Goyal, Vin and Cheng, 1997), without its start tags: clients are
ordered by the measured service that they received, which decays over 15 s.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from realtime.scheduling.cadence import MIN_PARTIAL_INTERVAL
from realtime.scheduling.cost import MAX_BATCH, TARGET_BATCH_SIZE
from realtime.scheduling.load import Load
from realtime.scheduling.priority import Priority
from realtime.scheduling.queue import Stage, Ticket
from realtime.scheduling.recent import RecentTimes
from realtime.speech.recognition import TranscriptionRequest

Tickets: TypeAlias = "Sequence[Ticket[TranscriptionRequest]]"


MAX_ENCODED_UPLOADS: Final = 2 * TARGET_BATCH_SIZE
"""Encoded parts of uploads from which on a batch is decoded although others could be encoded."""

MAX_BATCH_DELAY: Final = 0.2
"""Seconds that an encoded partial waits for its batch to fill, above the load level NORMAL."""

MAX_FINAL_DELAY: Final = 0.1
"""Seconds that an encoded final waits for partials that are due to be encoded, above the load level NORMAL.

In a batch, a final costs a third of what it does alone: with 16 streams of `whisper-base` there are 9 % more partials,
and finals come 0.03 s later.
"""


class Scheduler:
    """The queue of one recognizer; see the module for its rules."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.partials_run = 0
        self.partials_shed = 0
        """Partials that load has cost: one for each `MIN_PARTIAL_INTERVAL` seconds that a partial waited."""
        self.engine_seconds: dict[tuple[Priority, Stage], float] = defaultdict(float)
        """What the engine has spent on each kind of request, in each stage."""
        self._waiting: dict[Ticket[TranscriptionRequest], None] = {}
        """The tickets in order of arrival."""
        self._last_partial = RecentTimes(load.cadence.max_interval)
        self._batches_decoding = 0
        self._uploads = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, ticket: Ticket[TranscriptionRequest], now: float) -> None:
        ticket.since = now
        self._waiting[ticket] = None
        if ticket.priority < Priority.UPLOAD:
            self.load.cadence.add_queued(ticket.client_id.session)

    def cancel(self, ticket: Ticket[TranscriptionRequest], now: float) -> None:
        if ticket in self._waiting:
            self._remove(ticket, now)
            if ticket.stage is Stage.ENCODE:
                self._count(ticket, now, run=False)

    def take(self, now: float) -> list[Ticket[TranscriptionRequest]]:
        if not (batch := [*self._next(now)]):
            return []
        level = self.load.cadence.level(now)
        live = [ticket for ticket in batch if ticket.pull(level)]
        self._count_running(live, 1)
        for ticket in batch:
            self._remove(ticket, now)
            if ticket.payload is not None and ticket.stage is Stage.ENCODE:
                ticket.seconds = ticket.payload.seconds
            if ticket.priority is Priority.PARTIAL and ticket.stage is Stage.ENCODE:
                if ticket in live:
                    self._last_partial.note(ticket.client_id.session, now)
                self._count(ticket, now, run=ticket in live)
        return batch

    def _remove(self, ticket: Ticket[TranscriptionRequest], now: float) -> None:
        del self._waiting[ticket]
        if ticket.priority < Priority.UPLOAD:
            self.load.cadence.remove_queued(ticket.client_id.session, now)

    def _next(self, now: float) -> Tickets:
        partial_interval = self.load.cadence.partial_interval(now)
        live = [ticket for ticket in self._waiting if ticket.priority < Priority.UPLOAD]
        encoded = self._ranked((ticket for ticket in live if ticket.stage is Stage.DECODE), now)
        due = self._ranked(
            (ticket for ticket in live if ticket.stage is Stage.ENCODE and self._is_due(ticket, partial_interval, now)),
            now,
        )
        if encoded and self._batch_is_ready(encoded, due, now):
            return encoded[:MAX_BATCH]
        if due and (len(encoded) < MAX_BATCH or due[0].priority is Priority.FINAL):
            return due[:1]
        if len(live) == len(self._waiting) or not self.load.admits_uploads(now):
            return []
        return self._next_uploads(
            self._ranked((ticket for ticket in self._waiting if ticket.priority is Priority.UPLOAD), now)
        )

    def _ranked(self, tickets: Iterable[Ticket[TranscriptionRequest]], now: float) -> Tickets:
        """Return tickets in the order in which they are served."""
        received = self.load.service_received
        return sorted(tickets, key=lambda ticket: (ticket.priority, received(ticket.client_id, now)))

    def _next_uploads(self, waiting: Tickets) -> Tickets:
        """Return a batch, or with live sessions a single request that does not occupy the last of several workers."""
        if self.load.admission.has_sessions:
            batch_size, workers = 1, max(1, self.load.workers - 1)
        else:
            batch_size, workers = TARGET_BATCH_SIZE, self.load.workers
        if self._uploads >= workers:
            return []
        encoded = [ticket for ticket in waiting if ticket.stage is Stage.DECODE]
        others = [ticket for ticket in waiting if ticket.stage is Stage.ENCODE]
        if others and len(encoded) < (batch_size if batch_size == 1 else MAX_ENCODED_UPLOADS):
            return others[:1]
        return sorted(encoded, key=lambda ticket: abs(ticket.seconds - encoded[0].seconds))[:batch_size]

    def _batch_is_ready(self, encoded: Tickets, due: Tickets, now: float) -> bool:
        """Whether to decode these now.

        Partials wait for a running batch while there is more to encode, until their own batch is full: two that run
        together slow down. So does a single one. A final that is due is encoded before they are decoded.
        """
        final = encoded[0].priority is Priority.FINAL
        if due and due[0].priority <= encoded[0].priority:  # which will soon join the batch
            if self._batches_decoding and not final:
                return len(encoded) >= MAX_BATCH and due[0].priority is Priority.PARTIAL
            return len(encoded) >= TARGET_BATCH_SIZE
        if final:
            return not due or self._final_is_due(encoded, now)
        return len(encoded) > self._batches_decoding and now >= self._batch_due(encoded, now)

    def _batch_due(self, encoded: Tickets, now: float) -> float:
        """Return the time until which encoded partials wait for their batch to fill."""
        if not self._may_wait(encoded, now):
            return 0.0
        return min(each.since for each in encoded) + MAX_BATCH_DELAY

    def _final_is_due(self, encoded: Tickets, now: float) -> bool:
        """Whether an encoded final would wait too long for another partial to be encoded."""
        if not self._may_wait(encoded, now):
            return True
        first = min(each.since for each in encoded if each.priority is Priority.FINAL)
        return now + self.load.cost.encode_seconds > first + MAX_FINAL_DELAY

    def _may_wait(self, encoded: Tickets, now: float) -> bool:
        """Whether a batch may wait to fill: it is small, and the engine is busy."""
        return len(encoded) < TARGET_BATCH_SIZE and self.load.cadence.level(now).is_high

    def due(self, now: float) -> float | None:
        partial_interval = self.load.cadence.partial_interval(now)
        live = [ticket for ticket in self._waiting if ticket.priority < Priority.UPLOAD]
        encoded = [ticket for ticket in live if ticket.stage is Stage.DECODE]
        times = [self._batch_due(encoded, now)] if encoded else []
        times += [
            # While partials are not affordable: look again then.
            now + MIN_PARTIAL_INTERVAL
            if partial_interval is None
            else self._next_partial(ticket, partial_interval, now)
            for ticket in live
            if ticket.priority is Priority.PARTIAL and ticket.stage is Stage.ENCODE
        ]
        if len(live) < len(self._waiting) and not self.load.admits_uploads(now):
            times.append(now + MIN_PARTIAL_INTERVAL)
        return min((at for at in times if at > now), default=None)

    def record_service(self, batch: Sequence[Ticket[TranscriptionRequest]], seconds: float, now: float) -> None:
        self._count_running(batch, -1)
        first = batch[0]
        for ticket in batch:
            self.engine_seconds[ticket.priority, first.stage] += seconds / len(batch)
        if first.stage is Stage.ENCODE:
            self.load.record_encode(first.client_id, first.priority, seconds, now, first.seconds)
        else:
            self.load.record_decode([(ticket.client_id, ticket.priority) for ticket in batch], seconds, now)
        self._last_partial.names(now)

    def _count_running(self, batch: Sequence[Ticket[TranscriptionRequest]], change: int) -> None:
        """Add `change` to the number of batches of this kind that are running."""
        if batch and batch[0].priority is Priority.UPLOAD:
            self._uploads += change
        elif batch and batch[0].stage is Stage.DECODE:
            self._batches_decoding += change

    def _is_due(self, ticket: Ticket[TranscriptionRequest], partial_interval: float | None, now: float) -> bool:
        if ticket.priority is Priority.FINAL:
            return True
        return partial_interval is not None and now >= self._next_partial(ticket, partial_interval, now)

    def _next_partial(self, ticket: Ticket[TranscriptionRequest], partial_interval: float, now: float) -> float:
        return self._last_partial.get(ticket.client_id.session, now - partial_interval) + partial_interval

    def _count(self, ticket: Ticket[TranscriptionRequest], now: float, *, run: bool) -> None:
        if ticket.priority is Priority.PARTIAL:
            self.partials_run += run
            self.partials_shed += int((now - ticket.since) / MIN_PARTIAL_INTERVAL)
