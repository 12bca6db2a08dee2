"""Run the coroutine that is a test's scenario."""

import asyncio
from collections.abc import Coroutine
from typing import Any


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario, and fail it after 10 s."""

    async def bounded() -> None:
        async with asyncio.timeout(10):
            await scenario

    asyncio.run(bounded())
