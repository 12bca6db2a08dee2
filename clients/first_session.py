"""The first session, of a server that may be full, starting, loading or restarting."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

from clients.backoff import Attempts
from clients.errors import ConnectionRefused
from clients.session import Session

FULL_SECONDS: Final = 45.0
"""Seconds in which a server that is full, starting, loading or restarting is asked for the first session, by a user who
waits.

One that restarts asks to come again after 30 s.
"""

Opening = Callable[[], AbstractAsyncContextManager[Session]]
"""Opens a session."""


@asynccontextmanager
async def open_patiently(opening: Opening, waiting: Callable[[str], None] = lambda _: None) -> AsyncIterator[Session]:
    """Open a session; a server that is full or loading (`Retry-After`), or does not answer yet, is asked again.

    All that takes `FULL_SECONDS` at most, or as long as the first attempt. `waiting` is told why, once for each reason.

    Raises:
        ConnectionRefused: No session can be opened.
    """
    now = asyncio.get_running_loop().time
    begun = now()
    attempts: Attempts | None = None
    last: ConnectionRefused | None = None
    async with AsyncExitStack() as stack:
        while True:
            try:
                async with asyncio.timeout_at(begun + FULL_SECONDS if last is not None else None):
                    session = await stack.enter_async_context(opening())
                break
            except TimeoutError:
                assert last is not None
                raise last from None
            except ConnectionRefused as refusal:
                if attempts is None:
                    attempts = Attempts(FULL_SECONDS if refusal.retry_after is not None else 0.0)
                    attempts.lose(begun)
                delay = attempts.delay_after(refusal, now())
                if delay is None:
                    raise
                if str(refusal) != str(last):
                    waiting(str(refusal))
                last = refusal
                await asyncio.sleep(delay)
        yield session
