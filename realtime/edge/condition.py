"""Conditions and events of one event loop, as those of asyncio without the queues that take 0.7 kB when empty."""

import asyncio


class Condition:
    """What tasks wait for until another one has changed something: `asyncio.Condition` without a lock."""

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


class Event:
    """What is set or not, and can be waited for: `asyncio.Event`."""

    __slots__ = ("_changed", "_set")

    def __init__(self) -> None:
        self._set = False
        self._changed = Condition()

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        self._changed.notify_all()

    def clear(self) -> None:
        self._set = False

    async def wait(self) -> None:
        """Wait until it is set."""
        while not self._set:
            await self._changed.wait()
