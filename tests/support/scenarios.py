"""Run the coroutine that is a test's scenario, and wait within it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario, and fail it after 30 s."""

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await scenario

    asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in an engine's thread."""
    while not condition():  # noqa: ASYNC110 - a thread cannot set an asyncio event
        await asyncio.sleep(0.005)
