"""The live sessions of all dialects: their number, their admission, and what each of them runs with."""

import logging
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from realtime import spans
from realtime.audio.buffer import AudioBuffer
from realtime.backends.backend import ChatBackend
from realtime.catalogue.names import ModelNames
from realtime.edge.drain import Drain
from realtime.edge.driver import Driver
from realtime.edge.metrics import Metrics
from realtime.edge.session_clock import SessionClock
from realtime.edge.status import Status
from realtime.errors import Overloaded
from realtime.models.models import Models
from realtime.models.session_recognizer import SessionRecognizer
from realtime.scheduling.priority import ClientId
from realtime.session.config import SessionConfig
from realtime.session.events import Event, SessionConfigured
from realtime.session.response_events import ResponseFinished
from realtime.settings import Settings
from realtime.tracing.files import Traces
from realtime.tracing.observers import ObservedSession, Observer, SessionLog

logger = logging.getLogger(__name__)


class TooManySessions(Overloaded):
    """An API key has as many sessions as one may have."""

    code = "too_many_sessions"
    http_status = 429


@dataclass(frozen=True, slots=True)
class _Service:
    """What the sessions of one service share."""

    models: Models
    metrics: Metrics
    status: Status
    drain: Drain
    chat: ChatBackend | None
    traces: Traces
    echo_gate: bool
    of_account: Counter[str] = field(default_factory=Counter)
    """Sessions in progress by their accounts."""


class Sessions:
    """The live sessions of one service: at most `max_sessions`, whatever protocol they speak.

    Attributes:
        drain: The end of the service, which they follow.
        names: Names of the models that clients may ask for.
    """

    def __init__(
        self,
        models: Models,
        settings: Settings,
        metrics: Metrics,
        status: Status,
        drain: Drain,
        chat: ChatBackend | None = None,
    ) -> None:
        self._settings = settings
        self._service = _Service(models, metrics, status, drain, chat, Traces(settings), settings.echo_gate)
        self.drain = drain
        self.names = ModelNames(settings)

    def check_capacity(self) -> None:
        """Raise `Overloaded` if there is no room for another session, or the service is about to end."""
        self.drain.check()
        if self.drain.sessions >= self._settings.max_sessions:
            raise Overloaded("The server has reached its maximum number of sessions.")

    def admit(self, client_id: ClientId, config: SessionConfig, *, only_speaks: bool = False) -> "AdmittedSession":
        """Admit a session that begins with `config`, and count it until it is closed.

        One that only speaks needs no recognizer until it has something to transcribe. Raises `Overloaded` where there
        are too many, where the recognizer has no capacity, and while the default models are loading.
        """
        self.check_capacity()
        limit = self._settings.max_sessions_per_key
        if limit and client_id.account and self._service.of_account[client_id.account] >= limit:
            raise TooManySessions("This API key has as many sessions in progress as it may have.")
        entry = None if only_speaks else config.recognizer
        recognizer = self._service.models.admit(client_id.session, entry, config.speakers)
        return AdmittedSession(self._service, recognizer, client_id, config)


class AdmittedSession:
    """A session that has been admitted and may run, once. It counts until it is closed, also by the end of a block."""

    def __init__(
        self, service: _Service, recognizer: SessionRecognizer, client_id: ClientId, config: SessionConfig
    ) -> None:
        self._service = service
        self._recognizer = recognizer
        self._client_id = client_id
        self._config = config
        self._observers: Sequence[Observer] = ()
        self._metrics = service.metrics.open_session()
        self._status = service.status.open_session(client_id, config)
        service.drain.sessions += 1
        service.of_account[client_id.account] += 1
        self._open = True
        logger.info("session opened")
        logger.debug("recognizer %s, voice %s", config.recognizer.name, config.voice)

    def __enter__(self) -> "AdmittedSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def driver(self, deliver: Callable[[Event], Awaitable[None]]) -> Driver:
        """Return the driver of the session, which is measured, logged and traced until it is closed.

        `deliver` sends an event to the client.
        """
        session_id, clock = self._client_id.session, SessionClock()
        observers: list[Observer] = [SessionLog(session_id)] if logger.isEnabledFor(logging.DEBUG) else []
        if (tracer := spans.tracer()) is not None:
            from realtime.tracing.session_spans import SessionSpans  # which needs the extra `otel`

            observers.append(SessionSpans(tracer))
        identify: Callable[[str], str] = new_id
        new_buffer: Callable[[], AudioBuffer] = AudioBuffer
        if (trace := self._service.traces.open_session(session_id, clock)) is not None:
            trace.header(session_id, self._config)
            observers.append(trace)
            identify, new_buffer = trace.identify(new_id), trace.new_buffer
        self._observers = tuple(observers)
        self._deliver = deliver
        return Driver(
            ObservedSession(self._config, identify, self._observers, clock, new_buffer),
            self._service.models,
            self._recognizer,
            self._measured,
            chat=self._service.chat,
            client_id=self._client_id,
            clock=clock,
            on_progress=None if trace is None else trace.progressed,
            echo_gate=self._service.echo_gate,
        )

    async def _measured(self, event: Event) -> None:
        """Deliver an event, and note it."""
        if isinstance(event, ResponseFinished) and event.error is not None:
            logger.warning("response failed: %s", event.error.code)
        if isinstance(event, SessionConfigured):
            self._recognizer.expect(event.config.speakers)
        self._metrics.delivered(event)
        self._status.delivered(event)
        await self._deliver(event)

    def close(self) -> None:
        """Count the session no longer, and end what observes it; may be called again."""
        if not self._open:
            return
        self._open = False
        for observer in self._observers:
            observer.ended()
        self._metrics.close()
        self._service.status.close_session(self._status)
        self._service.drain.sessions -= 1
        self._service.of_account[self._client_id.account] -= 1
        self._recognizer.close()
        logger.info("session closed")


def new_id(prefix: str) -> str:
    """Make a unique id that begins with the prefix."""
    return f"{prefix}_{uuid.uuid4().hex[:21]}"
