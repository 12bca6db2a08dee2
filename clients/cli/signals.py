"""Signals of a command, on the event loop."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any


def run_until_stopped(work: Coroutine[Any, Any, int]) -> int:
    """Run a command on an event loop, and return its exit code, or that of the signal that has ended it.

    Ctrl-C and SIGTERM cancel it, so that it can print what it has and give the terminal back.
    """

    async def run() -> int:
        task = asyncio.current_task()
        assert task is not None
        # While it has a handler, any signal wakes the event loop, also one that comes just before it begins to wait.
        with on_signal("SIGTERM", task.cancel):
            return await work

    try:
        return asyncio.run(run())
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM


@contextmanager
def on_signal(name: str, action: Callable[[], object], *, once: bool = False) -> Iterator[None]:
    """Run `action` on the event loop whenever this signal arrives, or once, until the block ends.

    With `once`, a second signal does what it did before the block. Call it in the main thread. Where the operating
    system has no such signal (`SIGWINCH`), nothing happens.
    """
    number = getattr(signal, name, None)
    if number is None:
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(number)

    def restore() -> None:
        with suppress(NotImplementedError):
            loop.remove_signal_handler(number)
        signal.signal(number, before)

    def act() -> None:
        if once:
            restore()
        action()

    try:
        loop.add_signal_handler(number, act)
    except NotImplementedError:  # on Windows, where signals wake the event loop anyway
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))
    try:
        yield
    finally:
        restore()
