"""Recognizers whose engine runs in threads of the service, or in processes of its own: their load and handle."""

from typing import Any

from realtime.catalogue.table import ModelEntry
from realtime.engines.base import EngineProgram, Recognizer
from realtime.engines.registry import Registry
from realtime.models.handles import MAX_WAITING, RecognizerHandle
from realtime.scheduling.queue import RequestProgress, Ticket
from realtime.speech.transcript import Hypothesis
from realtime.weights.progress import Stage, Step
from realtime.workers.process_recognizer import ProcessRecognizer, RemoteState


class ProcessRecognizerHandle(RecognizerHandle):
    """A loaded speech-to-text model, in processes of its own."""

    def __init__(self, entry: ModelEntry, engine: ProcessRecognizer, load_limit: float, max_waiting: int) -> None:
        super().__init__(entry, engine, load_limit, max_waiting)
        self._processes = engine.processes

    @property
    def restarts(self) -> int:
        """How many processes have ended by themselves, or were killed as hung, and were replaced."""
        return self._processes.restarts

    @property
    def running(self) -> int:
        """The number of processes that have loaded the model."""
        return self._processes.running

    async def _submit(self, ticket: Ticket[Any]) -> Hypothesis:
        try:
            return await super()._submit(ticket)
        finally:
            if ticket.on_progress is not None and isinstance(ticket.payload, RemoteState):
                for _ in range(ticket.payload.lost):
                    ticket.on_progress(RequestProgress.PROCESS_ENDED)

    def close(self) -> None:
        self._engine.close()  # so that nothing waits for a process
        self._worker.close()


def load_recognizer(
    entry: ModelEntry, engines: Registry, load_limit: float, max_waiting: int = MAX_WAITING
) -> RecognizerHandle:
    """Load a recognizer, for which so many requests may wait. Blocks. Raises `EngineError` and `UnusableModel`."""
    engine = recognizer_engine(entry, engines)
    if isinstance(engine, ProcessRecognizer):
        return ProcessRecognizerHandle(entry, engine, load_limit, max_waiting)
    return RecognizerHandle(entry, engine, load_limit, max_waiting)


def recognizer_engine(entry: ModelEntry, engines: Registry) -> Recognizer[Any]:
    """Load the engine of a recognizer, which blocks. Raises `EngineError` and `UnusableModel`."""
    engine = engines.recognizer(entry)
    if not isinstance(engine, EngineProgram):
        return engine
    return ProcessRecognizer(engine, lambda stage: engines.advance(Step(entry.name, Stage(stage))))
