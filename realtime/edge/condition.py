"""A condition of an event loop: some tasks wait until another has changed something."""

import asyncio


class Condition:
    """What tasks of one event loop wait for, as `asyncio.Condition` without a lock, which they do not need.

    Each session has several. One of asyncio's primitives takes 0.8 kB, most of it for a queue that is empty.
    """

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: tuple[asyncio.Future[None], ...] = ()

    def wait(self) -> asyncio.Future[None]:
        """Return what to await until the next call of `notify_all`. It says nothing: look again after that."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters = (*(each for each in self._waiters if not each.done()), waiter)  # without those cancelled
        return waiter

    def notify_all(self) -> None:
        """Wake all tasks that wait."""
        waiters, self._waiters = self._waiters, ()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
