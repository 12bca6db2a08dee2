"""Every thread of the service: blocking engines on one side, awaiting coroutines on the other.

`BatchWorker` answers many small requests with few engine calls, in the order of its queue; `StreamWorker` runs
generators that take seconds and hands their chunks over as they come. Both refuse work beyond a bound instead of
queueing it, both forget work that nobody awaits any more, and what an engine raises reaches the one who asked.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from realtime.errors import Overloaded
from realtime.scheduling.queue import Continuation, Queue, Ticket

Request = TypeVar("Request")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Batch(Generic[Request, Answer]):
    """Tickets on their way through an engine, with what they turned out to ask, and in the end the outcomes."""

    tickets: Sequence[Ticket[Request]]
    requests: list[Request | Continuation | None]
    outcomes: list[Answer | Continuation | Exception] = field(default_factory=list)
    seconds: float = 0.0


class BatchWorker(Generic[Request, Answer]):
    """Threads that answer requests in batches, as `queue` puts them together. Belongs to one event loop."""

    def __init__(
        self,
        name: str,
        run: Callable[[Sequence[Any]], Sequence[Answer | Continuation]],
        queue: Queue[Request],
        *,
        threads: int = 1,
        max_waiting: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`run` answers a batch in its order, from this worker's threads.

        What it answers with `Continuation` goes back into the queue, and comes to `run` again as that.
        """
        self._run = run
        self._queue = queue
        self._max_waiting = max_waiting
        self._clock = clock
        self._futures: dict[Ticket[Request], asyncio.Future[Answer]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._idle = threads
        self._batches: SimpleQueue[_Batch[Request, Answer] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True) for index in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def submit(self, ticket: Ticket[Request]) -> Answer:
        """Await the answer. Cancelling withdraws the request while it waits; a request that is None cancels the task.

        Raises `Overloaded` when too many requests wait, and what `run` raised.
        """
        self._loop = asyncio.get_running_loop()
        if self._closing or len(self._queue) >= self._max_waiting:
            raise Overloaded("The engine has more work than it can do.")
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._futures[ticket] = future
        self._queue.add(ticket, self._clock())
        self._dispatch()
        try:
            return await future
        finally:
            del self._futures[ticket]
            self._queue.cancel(ticket, self._clock())

    def close(self) -> None:
        """Finish the batches at hand, withdraw the rest and end the threads. For another thread than the loop's."""
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
        """Give idle threads what is due, and look again when something will be."""
        now = self._clock()  # once: what is not due by it is due after it, and the alarm is set for then
        while self._idle and not self._closing and (tickets := self._queue.take(now)):
            for ticket in tickets:
                if ticket.payload is None:
                    self._futures[ticket].cancel()
            if live := [ticket for ticket in tickets if ticket.payload is not None]:
                self._idle -= 1
                self._batches.put(_Batch(live, [ticket.payload for ticket in live]))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._idle and self._loop is not None and (due := self._queue.due(now)) is not None:
            self._timer = self._loop.call_later(max(0.0, due - self._clock()), self._dispatch)

    def _settle(self, batch: _Batch[Request, Answer]) -> None:
        """Hand the answers to those who await them."""
        self._idle += 1
        self._queue.record_service(batch.tickets, batch.seconds, self._clock())
        for ticket, outcome in zip(batch.tickets, batch.outcomes, strict=True):
            future = self._futures.get(ticket)
            if future is None or future.done():
                continue
            match outcome:
                case Continuation():
                    ticket.continuation, ticket.payload = outcome, None
                    self._queue.add(ticket, self._clock())
                case Exception():
                    future.set_exception(outcome)
                case _:
                    future.set_result(outcome)
        self._dispatch()

    def _work(self) -> None:
        while (batch := self._batches.get()) is not None:
            began = time.monotonic()
            batch.outcomes = self._outcomes(batch.requests)
            batch.seconds = time.monotonic() - began
            assert self._loop is not None
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._settle, batch)

    def _outcomes(self, requests: Sequence[Request | Continuation | None]) -> list[Answer | Continuation | Exception]:
        """What the engine makes of each request; one bad request does not fail its neighbours."""
        try:
            return [answer for _, answer in zip(requests, self._run(requests), strict=True)]
        except Exception as exc:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            if len(requests) == 1:
                return [exc]
            return [outcome for request in requests for outcome in self._outcomes([request])]
