"""Signals on the event loop, on every operating system: asyncio's own handlers do not exist on Windows."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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

    def act(*_: object) -> None:
        if once:
            signal.signal(number, before)
        loop.call_soon_threadsafe(action)

    before = signal.signal(number, act)
    try:
        yield
    finally:
        signal.signal(number, before)
