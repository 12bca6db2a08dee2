"""Answer many small requests with few calls of a blocking engine.

A `BatchWorker` runs the engine in its own threads, on the batches that its queue makes. It refuses requests beyond a
bound, drops those whose caller has gone, and raises what the engine raised in the caller.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

from realtime.errors import Overloaded
from realtime.scheduling.queue import Encoded, Queue, Stage, Ticket

Payload = TypeVar("Payload")
Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class _Batch(Generic[Payload, Answer]):
    """Tickets on their way through the engine, with one payload and then one outcome each."""

    tickets: Sequence[Ticket[Payload]]
    payloads: Sequence[Payload]
    began: float
    outcomes: list[Answer | Encoded[Payload] | Exception] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def stage(self) -> Stage:
        return self.tickets[0].stage


class BatchWorker(Generic[Payload, Answer]):
    """Threads that answer requests in the batches that `queue` makes. Belongs to one event loop."""

    def __init__(
        self,
        name: str,
        run: Callable[[Stage, Sequence[Payload]], Sequence[Answer | Encoded[Payload]]],
        queue: Queue[Payload],
        *,
        threads: int = 1,
        max_waiting: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the threads, which call `run` with the payloads of a batch and return its outcomes in the same order.

        A request whose outcome is `Encoded` goes back into the queue, to be decoded from that state.
        """
        self._run = run
        self._queue = queue
        self._max_waiting = max_waiting
        self._clock = clock
        self._futures: dict[Ticket[Payload], asyncio.Future[Answer]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        """When the timer dispatches."""
        self._closing = False
        self._idle = threads
        self._running: set[_Batch[Payload, Answer]] = set()
        self._batches: SimpleQueue[_Batch[Payload, Answer] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True) for index in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def submit(self, ticket: Ticket[Payload]) -> Answer:
        """Queue a request and return its answer.

        Cancelling removes the request from the queue; a request that withdraws itself (see `Ticket.request`) cancels
        the caller. Raises `Overloaded` if too many requests are queued, and what `run` raised.
        """
        self._loop = asyncio.get_running_loop()
        if self._closing or len(self._queue) >= self._max_waiting:
            raise Overloaded("Too many requests are queued for this model.")
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._futures[ticket] = future
        self._queue.add(ticket, self._clock())
        self._dispatch()
        try:
            return await future
        finally:
            del self._futures[ticket]
            self._queue.cancel(ticket, self._clock())

    @property
    def seconds_running(self) -> float:
        """Seconds for which the engine has been at work on the batch that it took first, of those it still has."""
        return max((self._clock() - batch.began for batch in self._running), default=0.0)

    def close(self) -> None:
        """Finish the running batches, cancel the queued requests and join the threads. Blocks: call it in a thread."""
        self._closing = True
        for _ in self._threads:
            self._batches.put(None)
        for thread in self._threads:
            thread.join()
        if self._loop is not None and not self._loop.is_closed():  # after the answers of those batches
            self._loop.call_soon_threadsafe(self._cancel_all)

    def _cancel_all(self) -> None:
        for future in self._futures.values():
            future.cancel()

    def _dispatch(self) -> None:
        """Give due batches to idle threads, and set a timer for the next one."""
        now = self._clock()  # read once, so that a ticket is either taken now or due later
        while self._idle and not self._closing and (tickets := self._queue.take(now)):
            for ticket in tickets:
                if ticket.payload is None:
                    self._futures[ticket].cancel()
            if live := [ticket for ticket in tickets if ticket.payload is not None]:
                self._idle -= 1
                batch: _Batch[Payload, Answer] = _Batch(
                    live, [ticket.payload for ticket in live if ticket.payload is not None], now
                )
                self._running.add(batch)
                self._batches.put(batch)
        due = self._queue.due(now) if self._idle else None
        if due != self._due:
            self._set_timer(due)

    def _set_timer(self, due: float | None) -> None:
        """Dispatch at this time, and not at the one that was set before."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due = due
        if due is not None and self._loop is not None:
            self._timer = self._loop.call_later(max(0.0, due - self._clock()), self._dispatch_due)

    def _dispatch_due(self) -> None:
        self._due = self._timer = None
        self._dispatch()

    def _finish(self, batch: _Batch[Payload, Answer]) -> None:
        """Return the answers to the callers, and queue what needs another stage."""
        self._idle += 1
        self._running.remove(batch)
        self._queue.record_service(batch.tickets, batch.seconds, self._clock())
        for ticket, outcome in zip(batch.tickets, batch.outcomes, strict=True):
            future = self._futures.get(ticket)
            if future is None or future.done():
                continue
            match outcome:
                case Encoded(state):
                    ticket.requeue(state)
                    self._queue.add(ticket, self._clock())
                case Exception():
                    future.set_exception(outcome)
                case _:
                    future.set_result(outcome)
        self._dispatch()

    def _work(self) -> None:
        while (batch := self._batches.get()) is not None:
            began = time.monotonic()
            batch.outcomes = self._outcomes(batch.stage, batch.payloads)
            batch.seconds = time.monotonic() - began
            assert self._loop is not None
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._finish, batch)

    def _outcomes(self, stage: Stage, payloads: Sequence[Payload]) -> list[Answer | Encoded[Payload] | Exception]:
        """Run a batch; if it fails for another reason than load, run its requests one by one: a bad one fails alone."""
        try:
            return [answer for _, answer in zip(payloads, self._run(stage, payloads), strict=True)]
        except Overloaded as exc:  # there is no engine, for one request as little as for all
            return [exc] * len(payloads)
        except Exception as exc:  # noqa: BLE001 - raised again in the caller of the request
            if len(payloads) == 1:
                return [exc]
            return [outcome for payload in payloads for outcome in self._outcomes(stage, [payload])]
