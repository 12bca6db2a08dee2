"""An event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

_END: Final = object()


class LoopThread:
    """A thread that runs coroutines until `stop`. It does not keep the program from ending."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        """Run a coroutine, and return its result as a future of other threads."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """End the thread when it has nothing to run."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()


async def iterate_in_thread(source: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Iterate over a source that may block. If it still blocks when nobody waits any more, it is left behind."""
    pieces = iter(source)

    async def take() -> bytes | object:
        return next(pieces, _END)

    thread = LoopThread("vivavoce source")
    try:
        while isinstance(piece := await asyncio.wrap_future(thread.submit(take())), bytes | bytearray | memoryview):
            yield bytes(piece)
    finally:
        thread.stop()
