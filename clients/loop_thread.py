"""An event loop in a thread of its own."""

import asyncio
import itertools
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class LoopThread:
    """A thread that runs coroutines until `stop`. It does not keep the program from ending."""

    def __init__(self, name: str) -> None:
        self._stopped = asyncio.Event()
        self._stopping = False
        self._order = threading.Lock()  # what is submitted before `stop` is cancelled by it
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name=name, daemon=True)
        self._thread.start()
        self._loop = started.result()

    def submit(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        """Run a coroutine, and return its result as a future of other threads. Raises `RuntimeError` after `stop`."""
        with self._order:
            if not self._stopping:
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        raise RuntimeError("the block has ended")

    def call(self, function: Callable[[], object]) -> None:
        """Call a function that does not block, unless the thread is stopped."""
        with self._order:
            if not self._stopping:
                self._loop.call_soon_threadsafe(function)

    def stop(self) -> None:
        """Cancel what is running, and end the thread."""
        self.call(self._stopped.set)
        with self._order:
            self._stopping = True

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended after `stop`."""
        self._thread.join(seconds)

    def _run(self, started: "Future[asyncio.AbstractEventLoop]") -> None:
        with asyncio.Runner() as runner:
            started.set_result(runner.get_loop())
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        await self._stopped.wait()


async def iterate_in_thread(source: Iterable[Item]) -> AsyncGenerator[Item, None]:
    """Iterate over a source that may block. If it still blocks when nobody waits any more, it is left behind."""
    items = iter(source)

    async def take() -> tuple[Item, ...]:
        return tuple(itertools.islice(items, 1))

    thread = LoopThread("vivavoce source")
    try:
        while item := await asyncio.wrap_future(thread.submit(take())):
            yield item[0]
    finally:
        thread.stop()
