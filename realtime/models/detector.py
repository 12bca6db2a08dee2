"""The voice activity detector, called from coroutines."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.engines.base import Detector, VadState
from realtime.models.batch_handle import BatchHandle
from realtime.models.queue_bounds import MAX_WAITING
from realtime.scheduling.priority import Priority
from realtime.scheduling.queue import FifoQueue, Ticket
from realtime.workers.batch import BatchWorker

MAX_DETECTOR_BATCH: Final = 64
"""Streams whose windows the detector scores in one call."""

SCORING_INTERVAL: Final = 0.02
"""Seconds between the starts of two batches of the detector: half of a frame of 40 ms, the usual size of clients."""


class DetectorHandle(BatchHandle):
    """The voice activity detector, shared by all streams."""

    def __init__(self, engine: Detector, max_waiting: int = MAX_WAITING) -> None:
        self._engine: Detector = engine
        self._worker: BatchWorker[tuple[NDArray[np.float32], VadState], tuple[list[float], VadState]] = BatchWorker(
            "detector",
            lambda _, requests: engine.score(requests),
            FifoQueue(MAX_DETECTOR_BATCH, SCORING_INTERVAL),
            threads=1,
            max_waiting=max_waiting,
        )

    async def score(
        self, windows: NDArray[np.float32], state: VadState | None, *, live: bool = True
    ) -> tuple[list[float], VadState]:
        """Score windows of shape (n, 512) that follow `state` (None: the stream begins).

        Windows of a recording, which are not `live`, are scored when no live stream waits.
        """
        request = windows, self._engine.initial_state() if state is None else state
        return await self._worker.submit(Ticket(lambda _: request, Priority.FINAL if live else Priority.UPLOAD))
