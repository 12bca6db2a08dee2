"""What the handles of engines that answer in batches have in common."""

from typing import Any

from realtime.engines.base import Detector, EndOfTurnModel, Recognizer
from realtime.workers.batch import BatchWorker


class BatchHandle:
    """An engine that answers requests in batches, and the worker that passes it these."""

    _engine: Recognizer[Any] | Detector | EndOfTurnModel
    _worker: BatchWorker[Any, Any]

    @property
    def seconds_running(self) -> float:
        """Seconds that the longest call in progress has taken so far."""
        return self._worker.seconds_running

    def close(self) -> None:
        self._worker.close()
        self._engine.close()
