"""Await blocking calls in a bounded pool of threads."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio

Answer = TypeVar("Answer")
Parameters = ParamSpec("Parameters")


class BlockingCalls:
    """A bounded number of threads for calls that block: decoding a file, loading a model."""

    def __init__(self, limit: int) -> None:
        self._limiter = anyio.CapacityLimiter(limit)

    async def run(
        self, function: Callable[Parameters, Answer], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Answer:
        """Await `function(*args, **kwargs)` in a thread; the call goes on if the one who awaits is cancelled."""
        return await anyio.to_thread.run_sync(
            lambda: function(*args, **kwargs), abandon_on_cancel=True, limiter=self._limiter
        )
