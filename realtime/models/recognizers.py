"""Speech-to-text models, called from coroutines: their load and handle.

The engine runs in threads of the service, or in processes of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from realtime.catalogue.table import ModelEntry
from realtime.engines.base import EngineProgram, Recognizer
from realtime.engines.registry import Registry
from realtime.models.batch_handle import BatchHandle
from realtime.models.queue_bounds import MAX_WAITING
from realtime.scheduling.cadence import DRAFTED_PATIENCE
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.load import Load
from realtime.scheduling.priority import ANONYMOUS, ClientId, LoadLevel, Priority
from realtime.scheduling.queue import Encoded, RequestProgress, Stage, Ticket
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from realtime.weights import progress
from realtime.weights.progress import Step
from realtime.workers.batch import BatchWorker
from realtime.workers.process_recognizer import ProcessRecognizer, RemoteState


class RecognizerHandle(BatchHandle):
    """A loaded speech-to-text model."""

    def __init__(
        self, entry: ModelEntry, engine: Recognizer[Any], load_limit: float, max_waiting: int = MAX_WAITING
    ) -> None:
        self.name = entry.name
        self.entry = replace(entry, capabilities=engine.capabilities)
        """The catalogue's entry, corrected by what the engine has found in the weights."""
        patience = 1.0 if entry.draft is None else DRAFTED_PATIENCE
        self.scheduler = Scheduler(Load(engine.workers, engine.partial_seconds, load_limit, patience=patience))
        self._engine: Recognizer[Any] = engine
        self._worker: BatchWorker[Any, Hypothesis] = BatchWorker(
            entry.name, self._run, self.scheduler, threads=engine.workers, max_waiting=max_waiting
        )

    async def transcribe(
        self, request: TranscriptionRequest, priority: Priority, client_id: ClientId = ANONYMOUS
    ) -> Hypothesis:
        """Transcribe audio. Raises `EngineError`, `Overloaded`, and `ClientError` for an unknown language."""
        return await self.transcribe_newest(lambda _: request, priority, client_id)

    async def transcribe_newest(
        self,
        request: Callable[[LoadLevel], TranscriptionRequest | None],
        priority: Priority,
        client_id: ClientId = ANONYMOUS,
        on_progress: Callable[[RequestProgress], None] | None = None,
    ) -> Hypothesis:
        """Transcribe what `request` returns when an engine is free, given the load at that moment.

        The caller is cancelled if `request` returns None. Raises as `transcribe`.
        """
        return await self._submit(Ticket(request, priority, client_id, on_progress=on_progress))

    async def _submit(self, ticket: Ticket[Any]) -> Hypothesis:
        return await self._worker.submit(ticket)

    def _run(self, stage: Stage, payloads: Sequence[Any]) -> list[Hypothesis | Encoded[Any]]:
        """Encode requests, or decode what the engine made of them."""
        if stage is Stage.ENCODE:
            return [Encoded(self._engine.encode(request)) for request in payloads]
        answers = self._engine.decode(payloads)
        return [answer if isinstance(answer, Hypothesis) else Encoded(answer) for answer in answers]


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
    return ProcessRecognizer(engine, lambda stage: engines.advance(Step(entry.name, progress.Stage(stage))))
