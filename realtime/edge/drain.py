"""The orderly end of the service: new work is refused, and what is in progress ends by itself as long as there is time.

Half of the time (`NATURAL_SHARE`) is for turns and responses to end as they would have. A session in which something is
in progress after that is concluded: the turn ends where it is and is transcribed, and each response ends with the
phrase that is being sent. What is left when the time is over is cut off by the server.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from realtime.edge.driver import Driver
from realtime.errors import RETRY_LATER, Overloaded
from realtime.session.commands import Conclude
from realtime.wire.codec import Close

NATURAL_SHARE: Final = 0.5
"""Share of the time before a session is concluded.

With the default of 30 s, 15 s are left for the transcript of the turn and the phrase. A phrase has 9 s of speech at the
most, and a machine that is not overloaded has the transcript within 2 s.
"""

PARKED_SECONDS: Final = 5.0
"""Seconds in which the client of a parked session must come back: for the turn to go on, and again to get what is left.

Our clients try again within a second of a loss, and most of those that do not come back have been closed.
"""

CLOSE: Final = Close(1012, "The server is restarting.")
"""How a websocket is closed: with the code for a restart of the service, after which clients connect again."""


class Restarting(Overloaded):
    """The service takes no more work, because it is about to end."""

    def __init__(self) -> None:
        super().__init__("The server is restarting.", retry_after=RETRY_LATER)


class Drain:
    """Whether the service is coming to its end, and by when. Belongs to its event loop.

    Attributes:
        begun: Whether it is.
        sessions: Number of sessions in progress.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = clock()
        self.begun = False
        self._followers: set[Callable[[], object]] = set()
        self._left_to_successor = asyncio.Event()
        self.sessions = 0

    @property
    def seconds_left(self) -> float:
        """Seconds until what is in progress is cut off."""
        return max(0.0, self._deadline - self._clock())

    def begin(self, seconds: float) -> None:
        """Take no more work from now on, and cut off what is in progress after `seconds`.

        Do nothing if it has begun before.
        """
        if not self.begun:
            self._deadline = self._clock() + seconds
            self.begun = True
            for follower in [*self._followers]:
                follower()

    def check(self) -> None:
        """Raise `Restarting` once it has begun."""
        if self.begun:
            raise Restarting

    def follow(self, follower: Callable[[], object]) -> None:
        """Call `follower` when it begins, until `unfollow`; at once, if it has begun.

        It must be called in the event loop.
        """
        self._followers.add(follower)
        if self.begun:
            follower()

    def unfollow(self, follower: Callable[[], object]) -> None:
        """Call `follower` no longer."""
        self._followers.discard(follower)

    def leave_to_successor(self) -> None:
        """Accept no more connections from now on: another process does, from the same sockets."""
        self._left_to_successor.set()

    async def left_to_successor(self) -> None:
        """Wait until another process accepts the connections."""
        await self._left_to_successor.wait()

    async def settle(self, driver: Driver) -> None:
        """Wait until nothing is in progress in a session, and conclude it when the time for that is over.

        Of a parked session, whose time stands still, a response may stay in progress.
        """
        natural = NATURAL_SHARE * self.seconds_left
        try:
            async with asyncio.timeout(min(natural, PARKED_SECONDS) if driver.paused else natural):
                await driver.settled()
        except TimeoutError:
            await driver.inbox.put(Conclude())
            while not await _settled_within(driver, PARKED_SECONDS) and not driver.paused:
                pass

    async def abandoned(self, driver: Driver) -> None:
        """Wait until the client of a session is lost and has not come back.

        It has `PARKED_SECONDS` for that, and the time until the next look at the session.
        """
        looks = 0
        while looks < 2:
            await asyncio.sleep(PARKED_SECONDS)
            looks = looks + 1 if driver.paused else 0


async def _settled_within(driver: Driver, seconds: float) -> bool:
    """Wait until nothing is in progress in a session; return False after so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await driver.settled()
            return True
    return False
