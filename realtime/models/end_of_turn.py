"""The end-of-turn model, called from coroutines. It is loaded for the first pause that it is to judge."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from realtime.audio.formats import Samples
from realtime.engines.base import EndOfTurnModel
from realtime.errors import EngineError, Overloaded, UnusableModel
from realtime.models.batch_handle import BatchHandle
from realtime.models.queue_bounds import MAX_WAITING
from realtime.scheduling.priority import Priority
from realtime.scheduling.queue import FifoQueue, Ticket
from realtime.workers.batch import BatchWorker
from realtime.workers.threads import BlockingCalls

logger = logging.getLogger(__name__)

MAX_END_OF_TURN_SECONDS: Final = 1.0
"""Seconds within which the end-of-turn model must answer: thirty answers take as long.

Until the answer the session scores no more audio, so that its turns do not depend on the speed of the model; without
one the turn ends by silence alone. On two CPUs with a load average of 15, answers took longer than 0.4 s.
"""


class EndOfTurn:
    """The end-of-turn model, from before it is loaded."""

    def __init__(self, load: Callable[[], EndOfTurnModel], threads: BlockingCalls) -> None:
        """Load it by `load` in one of the threads, once. It raises `EngineError` or `UnusableModel` if it cannot."""
        self._load = load
        self._threads = threads
        self._loading: asyncio.Task[EndOfTurnHandle | None] | None = None

    async def score(self, turn: Samples) -> float:
        """Return the probability that the speaker of a turn has finished, from its audio at 16 kHz up to now.

        Raises `UnusableModel` where there is no end-of-turn model, `EngineError` if it fails, and `Overloaded` if it
        has no answer within `MAX_END_OF_TURN_SECONDS`.
        """
        if self._loading is None:
            self._loading = asyncio.create_task(self._handle())
        try:
            async with asyncio.timeout(MAX_END_OF_TURN_SECONDS):
                handle = await asyncio.shield(self._loading)
                if handle is None:
                    raise UnusableModel("The end-of-turn model is not available.")
                return await handle.score(turn)
        except TimeoutError as exc:
            raise Overloaded("The end-of-turn model is late.") from exc

    async def _handle(self) -> "EndOfTurnHandle | None":
        try:
            return EndOfTurnHandle(await self._threads.run(self._load))
        except (EngineError, UnusableModel) as error:
            logger.warning("semantic_vad ends turns by silence alone: %s", error.message)
            return None

    async def close(self) -> None:
        """Unload the model, or stop waiting for its load."""
        if self._loading is None:
            return
        if not self._loading.done():
            self._loading.cancel()
        elif handle := self._loading.result():
            await self._threads.run(handle.close)


class EndOfTurnHandle(BatchHandle):
    """The end-of-turn model, shared by all sessions."""

    def __init__(self, engine: EndOfTurnModel) -> None:
        self._engine = engine
        self._worker: BatchWorker[Samples, float] = BatchWorker(
            "end-of-turn",
            lambda _, turns: [engine.score(turn) for turn in turns],
            FifoQueue(1),  # a batch takes as long, and all of it would wait for the last turn
            threads=1,
            max_waiting=MAX_WAITING,
        )

    async def score(self, turn: Samples) -> float:
        """Return the probability that the speaker of `turn` has finished. Raises `EngineError` and `Overloaded`."""
        return await self._worker.submit(Ticket(lambda _: turn, Priority.FINAL))
