"""The live sessions of all dialects: their number, their admission, and the tasks that serve a connection."""

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from realtime import spans
from realtime.audio.buffer import AudioBuffer
from realtime.backends.backend import ChatBackend
from realtime.catalogue.names import ModelNames
from realtime.edge.drain import Drain
from realtime.edge.driver import Driver
from realtime.edge.metrics import Metrics
from realtime.edge.session_clock import SessionClock
from realtime.edge.status import Status
from realtime.errors import Overloaded, VoiceError
from realtime.models.models import Models
from realtime.models.session_recognizer import SessionRecognizer
from realtime.scheduling.priority import ClientId
from realtime.session.config import SessionConfig
from realtime.session.events import Event, SessionConfigured
from realtime.session.response_events import ResponseFinished
from realtime.settings import Settings
from realtime.tracing.files import Traces
from realtime.tracing.observers import ObservedSession, Observer, SessionLog

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

logger = logging.getLogger(__name__)


class TooManySessions(Overloaded):
    """An API key has as many sessions as one may have."""

    code = "too_many_sessions"
    http_status = 429


class Sessions:
    """The live sessions of one service: at most `max_sessions`, whatever protocol they speak.

    Attributes:
        drain: The end of the service, which they follow.
        names: Names of the models that clients may ask for.
        open: Number of sessions in progress.
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
        self._models = models
        self._settings = settings
        self._metrics = metrics
        self._status = status
        self.drain = drain
        self._chat = chat
        self._traces = Traces(settings)
        self.names = ModelNames(settings)
        self.open = 0
        self._of_account: Counter[str] = Counter()

    def check_capacity(self) -> None:
        """Raise `Overloaded` if there is no room for another session, or the service is about to end."""
        self.drain.check()
        if self.open >= self._settings.max_sessions:
            raise Overloaded("The server has reached its maximum number of sessions.")

    @contextmanager
    def admitted(self, client_id: ClientId, config: SessionConfig) -> Iterator["AdmittedSession"]:
        """Admit a session that begins with `config`, and count it until the block ends.

        Raises `Overloaded` where there are too many, where the recognizer has no capacity, and while the default
        models are loading.
        """
        self.check_capacity()
        limit = self._settings.max_sessions_per_key
        if limit and client_id.account and self._of_account[client_id.account] >= limit:
            raise TooManySessions("This API key has as many sessions in progress as it may have.")
        recognizer = self._models.admit(client_id.session, config.recognizer, config.speakers)
        self.open += 1
        self._of_account[client_id.account] += 1
        try:
            yield AdmittedSession(
                self._models,
                recognizer,
                self._metrics,
                self._status,
                self._traces,
                self._chat,
                client_id,
                config,
                echo_gate=self._settings.echo_gate,
            )
        finally:
            self.open -= 1
            self._of_account[client_id.account] -= 1
            recognizer.close()


class AdmittedSession:
    """A session that has been admitted and may run, once."""

    def __init__(
        self,
        models: Models,
        recognizer: SessionRecognizer,
        metrics: Metrics,
        status: Status,
        traces: Traces,
        chat: ChatBackend | None,
        client_id: ClientId,
        config: SessionConfig,
        *,
        echo_gate: bool,
    ) -> None:
        self._models = models
        self._recognizer = recognizer
        self._metrics = metrics
        self._status = status
        self._traces = traces
        self._chat = chat
        self._client_id = client_id
        self._config = config
        self._echo_gate = echo_gate

    @contextmanager
    def driver(self, deliver: Callable[[Event], Awaitable[None]]) -> Iterator[Driver]:
        """Provide the driver of the session, which is measured, logged and traced until the block ends.

        `deliver` sends an event to the client.
        """
        session_id, clock = self._client_id.session, SessionClock()
        with (
            self._metrics.session() as metrics,
            self._status.session(self._client_id, self._config) as status,
            self._traces.session(session_id, clock) as trace,
            _spans() as recording,
        ):

            async def measured(event: Event) -> None:
                if isinstance(event, ResponseFinished) and event.error is not None:
                    logger.warning("response failed: %s", event.error.code)
                if isinstance(event, SessionConfigured):
                    self._recognizer.expect(event.config.speakers)
                metrics.delivered(event)
                status.delivered(event)
                await deliver(event)

            observers: list[Observer] = [SessionLog(session_id)] if logger.isEnabledFor(logging.DEBUG) else []
            if recording is not None:
                observers.append(recording)
            identify: Callable[[str], str] = new_id
            new_buffer: Callable[[], AudioBuffer] = AudioBuffer
            if trace is not None:
                trace.header(session_id, self._config)
                observers.append(trace)
                identify, new_buffer = trace.identify(new_id), trace.new_buffer
            logger.info("session opened")
            logger.debug("recognizer %s, voice %s", self._config.recognizer.name, self._config.voice)
            yield Driver(
                ObservedSession(self._config, identify, observers, clock, new_buffer),
                self._models,
                self._recognizer,
                measured,
                chat=self._chat,
                client_id=self._client_id,
                clock=clock,
                on_progress=None if trace is None else trace.progressed,
                echo_gate=self._echo_gate,
            )
            logger.info("session closed")


def _spans() -> AbstractContextManager[Observer | None]:
    """Provide what records the spans of a session; None without a tracer."""
    tracer = spans.tracer()
    return nullcontext() if tracer is None else _recorded_spans(tracer)


@contextmanager
def _recorded_spans(tracer: "Tracer") -> Iterator[Observer]:
    from realtime.tracing.session_spans import SessionSpans  # which needs the extra `otel`

    recording = SessionSpans(tracer)
    try:
        yield recording
    finally:
        recording.end()


async def serve_tasks(
    first: Coroutine[object, object, None],
    *others: Coroutine[object, object, None],
    drain: Drain,
    ending: Iterable[Callable[[], Coroutine[object, object, None]]],
    gone: type[Exception],
    close: Callable[[VoiceError], Awaitable[None]],
) -> None:
    """Run the tasks of one connection until one of them ends with an exception, and cancel the others.

    The first one must end with one. Those of `ending` begin when `drain` does.

    `gone` says that the client has left. Other errors are reported to it by `close`; what is not a `VoiceError` is a
    bug, which ends only its own connection and whose details stay in the log.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for task in others:
                group.create_task(task)
            with drain.followed(partial(_begin, ending, group)):
                await first
    except* gone:
        pass
    except* VoiceError as errors:
        await _report(_first(errors), close)
    except* Exception:
        logger.exception("session failed")
        await _report(VoiceError("Internal error."), close)


def _begin(tasks: Iterable[Callable[[], Coroutine[object, object, None]]], group: asyncio.TaskGroup) -> None:
    """Run further tasks, unless one of the group has just failed."""
    for begin in tasks:
        task = begin()
        try:
            group.create_task(task)
        except RuntimeError:
            task.close()


async def _report(error: VoiceError, close: Callable[[VoiceError], Awaitable[None]]) -> None:
    logger.warning("session ends: %s", error.code)
    await close(error)


def _first(errors: BaseExceptionGroup[VoiceError]) -> VoiceError:
    """Return the error to report if several tasks failed at once."""
    leaves = errors.exceptions
    while isinstance(leaves[0], BaseExceptionGroup):
        leaves = leaves[0].exceptions
    first = leaves[0]
    assert isinstance(first, VoiceError)
    return first


def new_id(prefix: str) -> str:
    """Make a unique id that begins with the prefix."""
    return f"{prefix}_{uuid.uuid4().hex[:21]}"
