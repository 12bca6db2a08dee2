"""Run generators in threads and hand their chunks to coroutines."""

import asyncio
import math
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from itertools import count
from queue import PriorityQueue
from typing import Final, Generic, TypeVar

from realtime.errors import Overloaded

Answer = TypeVar("Answer")

MAX_CHUNKS_AHEAD: Final = 500
"""Chunks that a generator may produce before the first of them is consumed.

A phrase of 200 characters has 480 chunks of 0.1 s at the slowest speed: a client that takes its audio slowly must not
hold a thread that others wait for.
"""

FIRST_CHUNK_PAUSE: Final = 0.001
"""Seconds for which a generator pauses after its first chunk.

Of what is spoken, the first chunk is what somebody waits for. The event loop needs the GIL to send it, and gets it late
from a thread that goes on: the first audio of a sentence, of which the other chunks are ready too, is sent 1 ms later.
"""


class _Stream(Generic[Answer]):
    """One generator, the thread that runs it and the coroutine that consumes it."""

    def __init__(self, make: Callable[[], Iterator[Answer]]) -> None:
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[Answer | Exception | None] = asyncio.Queue()
        self._chunks_ahead = threading.Semaphore(MAX_CHUNKS_AHEAD - 1)
        self._cancelled = threading.Event()

    def run(self) -> None:
        """Run the generator and close it, in the worker's thread."""
        outcome: Exception | None = None
        try:
            if not self.cancelled:
                self._drive(self._make())
        except Exception as exc:  # noqa: BLE001 - raised again in the consumer
            outcome = exc
        # A consumer that is still there did not cancel: the worker is closing, and the stream is not complete.
        self._put(Overloaded("The voice model is being unloaded.") if self.cancelled else outcome)

    def _drive(self, chunks: Iterator[Answer]) -> None:
        try:
            for number, chunk in enumerate(chunks):
                self._put(chunk)
                if number == 0:
                    self._cancelled.wait(FIRST_CHUNK_PAUSE)
                self._chunks_ahead.acquire()
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
                self._chunks_ahead.release()
                yield chunk
        finally:
            self.cancel()

    def cancel(self) -> None:
        self._cancelled.set()
        self._chunks_ahead.release()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def _put(self, chunk: Answer | Exception | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)


class StreamWorker(Generic[Answer]):
    """`concurrency` threads that each run one generator at a time; at most `max_waiting` generators are queued.

    They are started in the order of their deadlines.
    """

    def __init__(self, name: str, *, concurrency: int, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._closing = False
        self._numbers = count()  # among equal deadlines, the oldest is the first
        self._queue: PriorityQueue[tuple[float, int, _Stream[Answer] | None]] = PriorityQueue()
        self._running: set[_Stream[Answer]] = set()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True) for index in range(concurrency)
        ]
        for thread in self._threads:
            thread.start()

    async def stream(
        self, make: Callable[[], Iterator[Answer]], deadline: float = -math.inf
    ) -> AsyncGenerator[Answer, None]:
        """Yield the chunks of the generator that `make` returns, which runs at most `MAX_CHUNKS_AHEAD` ahead.

        `deadline` is a time of any clock, the same for all. Closing the stream closes the generator, in its own thread.
        Raises `Overloaded` if too many generators are queued, and what the generator raised.
        """
        if self._closing or self._queue.qsize() >= self._max_waiting:
            raise Overloaded("Too many texts are queued for this voice model.")
        stream = _Stream(make)
        self._running.add(stream)
        self._queue.put((deadline, next(self._numbers), stream))
        try:
            async for chunk in stream.chunks():
                yield chunk
        finally:
            stream.cancel()
            self._running.discard(stream)

    def close(self) -> None:
        """Stop all generators and join the threads; consumers get `Overloaded`."""
        self._closing = True
        for stream in tuple(self._running):
            stream.cancel()
        for _ in self._threads:
            self._queue.put((math.inf, next(self._numbers), None))
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (stream := self._queue.get()[2]) is not None:
            stream.run()
