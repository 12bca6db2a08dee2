"""The scheduler: what a free worker of an engine does next. Time is an argument; nothing here waits.

Every request is encoded alone and then decoded with others: encoding costs the same in any company, decoding is several
times cheaper together. While a batch is decoded, the other workers encode what will go into the next, so that batches
grow with the load; only where there is nothing to encode do they decode what little there is, in a hurry after a while.

A ticket comes twice: first to be encoded, then `continuation`, to be decoded.

Finals go before partials, and both before uploaded files. Among equals whoever has received the least goes first,
account by account and then session by session: ten sessions of one account weigh no more than one of another. The
partials of a session come `Load.partial_interval` apart, so that they thin out under load before anything else suffers.
While any session is live, uploads go alone, and where there are several workers never take the last; under load they
get a tenth of the time.

The fairness is that of start-time fair queueing (Goyal, Vin and Cheng, 1997), with service measured, not predicted.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from realtime.scheduling.cadence import MAX_PARTIAL_INTERVAL, MIN_PARTIAL_INTERVAL, Load
from realtime.scheduling.cost import MAX_BATCH, TARGET_BATCH_SIZE
from realtime.scheduling.priority import LoadLevel, Priority
from realtime.scheduling.queue import Ticket
from realtime.speech.recognition import TranscriptionRequest

Tickets: TypeAlias = "Sequence[Ticket[TranscriptionRequest]]"


MAX_BATCH_DELAY: Final = 0.3
"""Seconds that an encoded partial waits for others when there is a hurry, at most."""


class Scheduler:
    """The queue of a recognizer; see the module."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.partials_run = 0
        self.partials_shed = 0
        """Partials a session would have had without load: one for each `MIN_PARTIAL_INTERVAL` seconds of waiting."""
        self._waiting: list[Ticket[TranscriptionRequest]] = []
        self._last_partial: dict[str, float] = {}
        self._batches_decoding = 0
        self._uploads = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, ticket: Ticket[TranscriptionRequest], now: float) -> None:
        ticket.since = now
        self._waiting.append(ticket)

    def cancel(self, ticket: Ticket[TranscriptionRequest], now: float) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            if ticket.continuation is None:
                self._count(ticket, now, run=False)

    def take(self, now: float) -> list[Ticket[TranscriptionRequest]]:
        if not (batch := [*self._next(now)]):
            return []
        level = self.load.level(now)
        live = [ticket for ticket in batch if ticket.pull(level)]
        self._count_running(live, 1)
        for ticket in batch:
            self._waiting.remove(ticket)
            if ticket.priority is Priority.PARTIAL and ticket.continuation is None:
                if ticket in live:
                    self._last_partial[ticket.client_id.session] = now
                self._count(ticket, now, run=ticket in live)
        return batch

    def _next(self, now: float) -> Tickets:
        ranked = sorted(
            self._waiting, key=lambda ticket: (ticket.priority, self.load.service_received(ticket.client_id, now))
        )
        live = [ticket for ticket in ranked if ticket.priority < Priority.UPLOAD]
        encoded = [ticket for ticket in live if ticket.continuation is not None]
        partial_interval = self.load.partial_interval(now)
        due = [ticket for ticket in live if ticket.continuation is None and self._is_due(ticket, partial_interval, now)]
        if encoded and self._batch_is_ready(encoded, due, now):
            return encoded[:MAX_BATCH]
        if due and (len(encoded) < MAX_BATCH or due[0].priority is Priority.FINAL):
            return due[:1]
        return self._next_uploads(ranked[len(live) :]) if self.load.admits_uploads(now) else []

    def _next_uploads(self, waiting: Tickets) -> Tickets:
        """Many at a time where nobody is listened to; else one, and never with the last of several workers."""
        company, workers = (
            (1, max(1, self.load.workers - 1))
            if self.load.has_live_sessions
            else (TARGET_BATCH_SIZE, self.load.workers)
        )
        if self._uploads >= workers:
            return []
        encoded = [ticket for ticket in waiting if ticket.continuation is not None][:company]
        others = [ticket for ticket in waiting if ticket.continuation is None]
        return others[:1] if others and len(encoded) < company else encoded

    def _batch_is_ready(self, encoded: Tickets, due: Tickets, now: float) -> bool:
        """Whether to decode these now. Beside another batch a single partial waits: it would slow both down."""
        final = encoded[0].priority is Priority.FINAL
        if due and due[0].priority <= encoded[0].priority:  # there will be company at once
            return len(encoded) >= TARGET_BATCH_SIZE and (final or not self._batches_decoding)
        return final or (len(encoded) > self._batches_decoding and now >= self._batch_due(encoded, now))

    def _batch_due(self, encoded: Tickets, now: float) -> float:
        """Until when encoded partials should wait for company: not at all when there is no hurry."""
        if len(encoded) >= TARGET_BATCH_SIZE or self.load.level(now) is LoadLevel.NORMAL:
            return 0.0
        return min(each.since for each in encoded) + MAX_BATCH_DELAY

    def due(self, now: float) -> float | None:
        partial_interval = self.load.partial_interval(now)
        live = [ticket for ticket in self._waiting if ticket.priority < Priority.UPLOAD]
        encoded = [ticket for ticket in live if ticket.continuation is not None]
        times = [self._batch_due(encoded, now)] if encoded else []
        times += [
            # Without a step: to see whether there is room again.
            now + MIN_PARTIAL_INTERVAL
            if partial_interval is None
            else self._next_partial(ticket, partial_interval, now)
            for ticket in live
            if ticket.priority is Priority.PARTIAL and ticket.continuation is None
        ]
        if len(live) < len(self._waiting) and not self.load.admits_uploads(now):
            times.append(now + MIN_PARTIAL_INTERVAL)
        return min((at for at in times if at > now), default=None)

    def record_service(self, batch: Sequence[Ticket[TranscriptionRequest]], seconds: float, now: float) -> None:
        self._count_running(batch, -1)
        first = batch[0]
        if first.continuation is None:
            self.load.encoded(first.client_id, first.priority, seconds, now)
        else:
            self.load.decoded([(ticket.client_id, ticket.priority) for ticket in batch], seconds, now)
        self._last_partial = {
            session: at for session, at in self._last_partial.items() if now - at < MAX_PARTIAL_INTERVAL
        }

    def _count_running(self, batch: Sequence[Ticket[TranscriptionRequest]], change: int) -> None:
        """One more batch of this kind is under way, or one less."""
        if batch and batch[0].priority is Priority.UPLOAD:
            self._uploads += change
        elif batch and batch[0].continuation is not None:
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
