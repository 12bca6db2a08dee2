"""Run generators in threads and hand their chunks to coroutines."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

from realtime.errors import Overloaded

Answer = TypeVar("Answer")

MAX_CHUNKS_AHEAD: Final = 8
"""Chunks a generator may be ahead of the one who takes them."""


class _Stream(Generic[Answer]):
    """One generator on its way through a `StreamWorker`."""

    def __init__(self, make: Callable[[], Iterator[Answer]]) -> None:
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[Answer | Exception | None] = asyncio.Queue()
        self._chunks_ahead = threading.Semaphore(MAX_CHUNKS_AHEAD - 1)
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
        """The chunks of the generator that `make` returns, at most `MAX_CHUNKS_AHEAD` ahead of whoever takes them.

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
