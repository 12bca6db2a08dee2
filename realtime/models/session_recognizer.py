"""The recognizer of one live session: leased for as long as the session uses it, and its load promised to the session.

A session may change its recognizer at any time. The promise follows: using another recognizer needs the same admission
as a new session does, and only then releases the one before. A session refused by the other recognizer keeps what it
had; the transcription it asked for fails, and the next one asks again. So does a session that begins without one,
because it only speaks, when it has something to transcribe after all.

The draft model, which is pinned, is promised too, beside any other recognizer.
"""

import time
from collections.abc import Awaitable, Callable, Sequence

from realtime.catalogue.table import ModelEntry
from realtime.errors import Overloaded
from realtime.models.pool import PooledModel
from realtime.models.recognizers import RecognizerHandle
from realtime.scheduling.admission import AdmissionControl


class SessionRecognizer:
    """The recognizer of an admitted session; `close` it when the session ends."""

    def __init__(
        self,
        session_id: str,
        model: PooledModel | None,
        acquire: Callable[[ModelEntry], Awaitable[PooledModel]],
        speakers: int = 1,
        draft: RecognizerHandle | None = None,
    ) -> None:
        """Begin with a loaded `model`, if any; `acquire` leases others. Raises `Overloaded` if it has no capacity."""
        self._session_id = session_id
        self._speakers = speakers
        self._acquire = acquire
        self._draft = draft
        self._closed = False
        self._model: PooledModel | None = None
        if model is not None:
            self._promise(model)
            model.acquire()
            self._model = model

    async def use(self, entry: ModelEntry) -> RecognizerHandle:
        """Return the recognizer to use from now on, loading it if need be.

        Raises `Overloaded` if it is not loaded in time or has no capacity for the session, and `EngineError`.
        """
        assert not self._closed
        if self._model is None or self._model.name != entry.name:
            self._change_to(await self._acquire(entry))
        assert self._model is not None
        return recognizer_handle(self._model)

    @property
    def draft(self) -> RecognizerHandle:
        """The draft model; there must be one."""
        assert self._draft is not None
        return self._draft

    def expect(self, speakers: int) -> None:
        """Count the session as one of so many speakers from now on; it has been admitted, and is not refused."""
        if speakers != self._speakers:
            self._speakers = speakers
            if self._model is not None:
                self._add_session(self._model)

    def close(self) -> None:
        """Release the recognizer and the promise; may be called again."""
        self._closed = True
        if self._model is not None:
            self._withdraw(self._model)
            self._model.release()
            self._model = None

    def _change_to(self, model: PooledModel) -> None:
        """Take over the lease of another model, unless the session got it in the meantime."""
        before = self._model
        if model is before:
            model.release()
            return
        try:
            self._promise(model)
        except Overloaded:
            model.release()
            raise
        if before is not None:
            self._withdraw(before, but=self._admissions(model))
            before.release()
        self._model = model

    def _promise(self, model: PooledModel) -> None:
        if not recognizer_handle(model).scheduler.load.admission.can_admit(time.monotonic(), self._speakers):
            raise Overloaded(f"The server has no capacity for another session with {model.name}.")
        self._add_session(model)

    def _add_session(self, model: PooledModel) -> None:
        for admission in self._admissions(model):
            admission.add_session(self._session_id, time.monotonic(), self._speakers)

    def _withdraw(self, model: PooledModel, but: Sequence[AdmissionControl] = ()) -> None:
        for admission in self._admissions(model):
            if admission not in but:
                admission.remove_session(self._session_id)

    def _admissions(self, model: PooledModel) -> list[AdmissionControl]:
        """Return the admission controls of a recognizer and, where it has one, of the draft model."""
        handles = [recognizer_handle(model), *([self._draft] if self._draft and model.entry.draft else [])]
        return [handle.scheduler.load.admission for handle in handles]


def recognizer_handle(model: PooledModel) -> RecognizerHandle:
    """Return the recognizer that a model is."""
    handle = model.handle
    assert isinstance(handle, RecognizerHandle)
    return handle
