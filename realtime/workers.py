"""Every thread of the service: blocking engines on one side, awaiting coroutines on the other.

`BatchWorker` answers many small requests with few engine calls, the urgent ones first; `StreamWorker` runs generators
that take seconds and hands their chunks over as they come. Both refuse work beyond a bound instead of queueing it, both
forget work that nobody awaits any more, and what an engine raises reaches the one who asked.
"""

import asyncio
import heapq
import itertools
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, ParamSpec, TypeVar

import anyio

from realtime.errors import Overloaded

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Parameters = ParamSpec("Parameters")

CREDIT: Final = 8
"""Chunks a generator may be ahead of the one who takes them."""


@dataclass(order=True, slots=True)
class _Waiting(Generic[Request, Answer]):
    """A request in the queue of a `BatchWorker`, ordered by urgency and age."""

    priority: int
    age: int
    request: Request = field(compare=False)
    future: "asyncio.Future[Answer]" = field(compare=False)
    loop: asyncio.AbstractEventLoop = field(compare=False)


class BatchWorker(Generic[Request, Answer]):
    """One thread that answers requests in batches, by priority and then by age."""

    def __init__(
        self,
        name: str,
        run: Callable[[Sequence[Request]], list[Answer]],
        *,
        max_batch: int,
        max_waiting: int,
        alone_from: int,
    ) -> None:
        """`run` answers a batch in its order; it is called from this worker's thread only.

        Requests of priority `alone_from` and beyond get a batch of their own, so that nobody waits for more than one.
        """
        self._alone_from = alone_from
        self._run = run
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._heap: list[_Waiting[Request, Answer]] = []
        self._ages = itertools.count()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def submit(self, request: Request, priority: int = 0) -> Answer:
        """Await the answer; lower priorities go first. Cancelling withdraws the request while it waits.

        Raises `Overloaded` when too many requests wait, and what `run` raised.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        with self._changed:
            if self._closing or len(self._heap) >= self._max_waiting:
                raise Overloaded("The engine has more work than it can do.")
            waiting = _Waiting(priority, next(self._ages), request, future, loop)
            heapq.heappush(self._heap, waiting)
            self._changed.notify()
        try:
            return await future
        except asyncio.CancelledError:
            self._withdraw(waiting)
            raise

    def close(self) -> None:
        """Finish the batch at hand, withdraw the rest and end the thread."""
        with self._changed:
            self._closing = True
            for waiting in self._heap:
                waiting.loop.call_soon_threadsafe(waiting.future.cancel)
            self._heap.clear()
            self._changed.notify()
        self._thread.join()

    def _withdraw(self, unwanted: _Waiting[Request, Answer]) -> None:
        """Make room for another request, unless this one has left the queue."""
        with self._changed:
            self._heap = [waiting for waiting in self._heap if waiting is not unwanted]
            heapq.heapify(self._heap)

    def _take(self) -> list[_Waiting[Request, Answer]]:
        """Wait for work; an empty list means that the worker is closing."""
        batch: list[_Waiting[Request, Answer]] = []
        with self._changed:
            while not batch and not self._closing:
                while self._heap and len(batch) < self._max_batch:
                    if batch and self._heap[0].priority >= self._alone_from:
                        break
                    waiting = heapq.heappop(self._heap)
                    if not waiting.future.cancelled():
                        batch.append(waiting)
                    if waiting.priority >= self._alone_from and batch:
                        break
                if not batch:
                    self._changed.wait()
        return batch

    def _work(self) -> None:
        while batch := self._take():
            self._answer(batch)

    def _answer(self, batch: list[_Waiting[Request, Answer]]) -> None:
        try:
            answered = list(zip(batch, self._run([waiting.request for waiting in batch]), strict=True))
        except Exception as exc:  # noqa: BLE001 - whatever it is, it belongs to the one who asked
            if len(batch) > 1:  # one bad request must not fail its neighbours
                for waiting in batch:
                    self._answer([waiting])
            else:
                _settle(batch[0], exc)
            return
        for waiting, answer in answered:
            _settle(waiting, answer)


def _settle(waiting: _Waiting[Request, Answer], outcome: Answer | Exception) -> None:
    """Hand the outcome to the event loop that awaits it."""

    def settle() -> None:
        if waiting.future.done():
            return
        if isinstance(outcome, Exception):
            waiting.future.set_exception(outcome)
        else:
            waiting.future.set_result(outcome)

    waiting.loop.call_soon_threadsafe(settle)


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
        self._queue: queue.SimpleQueue[_Stream[Answer] | None] = queue.SimpleQueue()
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
