"""Every thread of the service: blocking engines on one side, awaiting coroutines on the other.

`BatchWorker` answers many small requests with few engine calls, in the order of its queue; `StreamWorker` runs
generators that take seconds and hands their chunks over as they come. Both refuse work beyond a bound instead of
queueing it, both forget work that nobody awaits any more, and what an engine raises reaches the one who asked.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final, Generic, ParamSpec, TypeVar

import anyio

from realtime.errors import Overloaded
from realtime.scheduler import Halfway, Queue, Ticket

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Parameters = ParamSpec("Parameters")

CREDIT: Final = 8
"""Chunks a generator may be ahead of the one who takes them."""


@dataclass(slots=True)
class _Batch(Generic[Request, Answer]):
    """Tickets on their way through an engine, with what they turned out to ask, and in the end the outcomes."""

    tickets: Sequence[Ticket[Request]]
    requests: list[Request | Halfway]
    outcomes: list[Answer | Halfway | Exception] = field(default_factory=list)
    seconds: float = 0.0


class BatchWorker(Generic[Request, Answer]):
    """Threads that answer requests in batches, as `queue` puts them together. Belongs to one event loop."""

    def __init__(
        self,
        name: str,
        run: Callable[[Sequence[Any]], Sequence[Answer | Halfway]],
        queue: Queue[Request],
        *,
        threads: int = 1,
        max_waiting: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`run` answers a batch in its order, from this worker's threads.

        What it answers with `Halfway` goes back into the queue, and comes to `run` again as that.
        """
        self._run = run
        self._queue = queue
        self._max_waiting = max_waiting
        self._clock = clock
        self._futures: dict[Ticket[Request], asyncio.Future[Answer]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._closing = False
        self._idle = threads
        self._batches: SimpleQueue[_Batch[Request, Answer] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True) for index in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def submit(self, ticket: Ticket[Request]) -> Answer:
        """Await the answer. Cancelling withdraws the request while it waits.

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
            self._queue.withdraw(ticket, self._clock())

    def close(self) -> None:
        """Finish the batches at hand, withdraw the rest and end the threads. For another thread than the loop's."""
        self._closing = True
        for _ in self._threads:
            self._batches.put(None)
        for thread in self._threads:
            thread.join()
        if self._loop is not None and not self._loop.is_closed():  # after the answers of those batches
            self._loop.call_soon_threadsafe(self._withdraw_all)

    def _withdraw_all(self) -> None:
        for future in self._futures.values():
            future.cancel()

    def _dispatch(self) -> None:
        """Give idle threads what is due, and look again when something will be."""
        now = self._clock()  # once: what is not due by it is due after it, and the alarm is set for then
        while self._idle and not self._closing and (tickets := self._queue.take(now)):
            self._idle -= 1
            self._batches.put(_Batch(tickets, [ticket.halfway or ticket.request() for ticket in tickets]))
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._idle and self._loop is not None and (due := self._queue.due(now)) is not None:
            self._alarm = self._loop.call_later(max(0.0, due - self._clock()), self._dispatch)

    def _settle(self, batch: _Batch[Request, Answer]) -> None:
        """Hand the answers to those who await them."""
        self._idle += 1
        self._queue.served(batch.tickets, batch.seconds, self._clock())
        for ticket, outcome in zip(batch.tickets, batch.outcomes, strict=True):
            future = self._futures.get(ticket)
            if future is None or future.done():
                continue
            match outcome:
                case Halfway():
                    ticket.halfway = outcome
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

    def _outcomes(self, requests: Sequence[Request | Halfway]) -> list[Answer | Halfway | Exception]:
        """What the engine makes of each request; one bad request does not fail its neighbours."""
        try:
            return [answer for _, answer in zip(requests, self._run(requests), strict=True)]
        except Exception as exc:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            if len(requests) == 1:
                return [exc]
            return [outcome for request in requests for outcome in self._outcomes([request])]


class _Stream(Generic[Answer]):
    """One generator on its way through a `StreamWorker`."""

    def __init__(self, make: Callable[[], Iterator[Answer]]) -> None:
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[Answer | Exception | None] = asyncio.Queue()
        self._credit = threading.Semaphore(CREDIT - 1)
        self._cancelled = threading.Event()

    def run(self) -> None:
        """Drive the generator, in the worker's thread; it is closed in the same thread."""
        outcome: Exception | None = None
        try:
            if not self.cancelled:
                self._drive(self._make())
        except Exception as exc:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            outcome = exc
        # Whoever still takes chunks did not cancel: the worker is closing, and must not seem to have finished.
        self._put(Overloaded("The voice is being unloaded.") if self.cancelled else outcome)

    def _drive(self, chunks: Iterator[Answer]) -> None:
        try:
            for chunk in chunks:
                self._put(chunk)
                self._credit.acquire()
                if self.cancelled:
                    return
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    async def chunks(self) -> AsyncGenerator[Answer, None]:
        try:
            while True:
                chunk = await self._chunks.get()
                if chunk is None:
                    return
                if isinstance(chunk, Exception):
                    raise chunk
                self._credit.release()
                yield chunk
        finally:
            self.cancel()

    def cancel(self) -> None:
        self._cancelled.set()
        self._credit.release()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def _put(self, chunk: Answer | Exception | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)


class StreamWorker(Generic[Answer]):
    """Threads that each run one generator at a time."""

    def __init__(self, name: str, *, concurrency: int, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._closing = False
        self._queue: SimpleQueue[_Stream[Answer] | None] = SimpleQueue()
        self._running: set[_Stream[Answer]] = set()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True) for index in range(concurrency)
        ]
        for thread in self._threads:
            thread.start()

    async def stream(self, make: Callable[[], Iterator[Answer]]) -> AsyncGenerator[Answer, None]:
        """The chunks of the generator that `make` returns, at most `CREDIT` ahead of whoever takes them.

        Closing this closes the generator, in its own thread. Raises `Overloaded` when too many generators wait, and
        what the generator raised.
        """
        if self._closing or self._queue.qsize() >= self._max_waiting:
            raise Overloaded("The voice has more work than it can do.")
        stream = _Stream(make)
        self._running.add(stream)
        self._queue.put(stream)
        try:
            async for chunk in stream.chunks():
                yield chunk
        finally:
            stream.cancel()
            self._running.discard(stream)

    def close(self) -> None:
        """Stop all generators and end the threads; whoever awaits a chunk gets `Overloaded`."""
        self._closing = True
        for stream in tuple(self._running):
            stream.cancel()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (stream := self._queue.get()) is not None:
            stream.run()


class BlockingCalls:
    """A bounded number of threads for calls that block: decoding a file, loading a model."""

    def __init__(self, limit: int) -> None:
        self._limiter = anyio.CapacityLimiter(limit)

    async def run(
        self, function: Callable[Parameters, Answer], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Answer:
        """Await `function(*args, **kwargs)` in a thread; the call goes on if the one who awaits is cancelled."""
        return await anyio.to_thread.run_sync(
            lambda: function(*args, **kwargs), abandon_on_cancel=True, limiter=self._limiter
        )
