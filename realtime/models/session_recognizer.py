"""The recognizer of one live session: leased for as long as the session uses it, and its load promised to the session.

A session may change its recognizer at any time. The promise follows: using another recognizer needs the same admission
as a new session does, and only then releases the one before. A session refused by the other recognizer keeps what it
had; the transcription it asked for fails, and the next one asks again.
"""

import time
from collections.abc import Awaitable, Callable

from realtime.catalogue.table import ModelEntry
from realtime.errors import Overloaded
from realtime.models.handles import RecognizerHandle
from realtime.models.pool import PooledModel


class SessionRecognizer:
    """The recognizer of an admitted session; `close` it when the session ends."""

    def __init__(
        self,
        session_id: str,
        model: PooledModel,
        acquire: Callable[[ModelEntry], Awaitable[PooledModel]],
        speakers: int = 1,
    ) -> None:
        """Begin with a loaded `model`; `acquire` leases another one. Raises `Overloaded` if it has no capacity."""
        self._session_id = session_id
        self._speakers = speakers
        self._acquire = acquire
        self._promise(model)
        model.acquire()
        self._model: PooledModel | None = model

    async def use(self, entry: ModelEntry) -> RecognizerHandle:
        """Return the recognizer to use from now on, loading it if need be.

        Raises `Overloaded` if it is not loaded in time or has no capacity for the session, and `EngineError`.
        """
        assert self._model is not None  # not closed
        if self._model.name != entry.name:
            self._change_to(await self._acquire(entry))
        return _handle(self._model)

    def expect(self, speakers: int) -> None:
        """Count the session as one of so many speakers from now on; it has been admitted, and is not refused."""
        if speakers != self._speakers and self._model is not None:
            self._speakers = speakers
            _handle(self._model).scheduler.load.admission.add_session(self._session_id, time.monotonic(), speakers)

    def close(self) -> None:
        """Release the recognizer and the promise; may be called again."""
        if self._model is not None:
            _handle(self._model).scheduler.load.admission.remove_session(self._session_id)
            self._model.release()
            self._model = None

    def _change_to(self, model: PooledModel) -> None:
        """Take over the lease of another model, unless the session got it in the meantime."""
        if model is self._model:
            model.release()
            return
        try:
            self._promise(model)
        except Overloaded:
            model.release()
            raise
        self.close()
        self._model = model

    def _promise(self, model: PooledModel) -> None:
        admission, now = _handle(model).scheduler.load.admission, time.monotonic()
        if not admission.can_admit(now, self._speakers):
            raise Overloaded(f"The server has no capacity for another session with {model.name}.")
        admission.add_session(self._session_id, now, self._speakers)


def _handle(model: PooledModel) -> RecognizerHandle:
    handle = model.handle
    assert isinstance(handle, RecognizerHandle)
    return handle
