"""Await blocking calls in a bounded number of threads."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio

Answer = TypeVar("Answer")
Parameters = ParamSpec("Parameters")


class BlockingCalls:
    """Runs blocking calls, such as loading a model, in at most `limit` threads at a time; further calls wait."""

    def __init__(self, limit: int) -> None:
        self._limiter = anyio.CapacityLimiter(limit)

    async def run(
        self, function: Callable[Parameters, Answer], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Answer:
        """Await `function(*args, **kwargs)` in a thread; if the caller is cancelled, the call still completes."""
        return await anyio.to_thread.run_sync(
            lambda: function(*args, **kwargs), abandon_on_cancel=True, limiter=self._limiter
        )
