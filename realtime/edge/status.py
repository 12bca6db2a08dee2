"""What operators see of the service: its sessions, models and last errors, now and over the last five minutes.

Nothing here is what a client said or heard.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from realtime.audio.formats import SAMPLE_RATE
from realtime.logs import add_session
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.priority import ClientId
from realtime.session.config import SessionConfig
from realtime.session.events import Event, SessionConfigured, TranscriptCompleted
from realtime.settings import Settings

SAMPLE_SECONDS: Final = 5.0
"""Seconds between two samples of the history."""

HISTORY: Final = 60
"""Samples that are kept: five minutes."""

MAX_ERRORS: Final = 50
"""Errors and warnings that are kept."""

MAX_MESSAGE: Final = 1000
"""Characters of each that are kept."""


class MeasuredModels(Protocol):
    """The part of `realtime.models.models.Models` that is shown."""

    @property
    def ready(self) -> bool: ...

    @property
    def recovering(self) -> bool: ...

    @property
    def schedulers(self) -> dict[str, Scheduler]: ...

    @property
    def restarts(self) -> dict[str, int]: ...

    def memory(self) -> dict[str, int]: ...


@dataclass(slots=True)
class SessionStatus:
    """One live session. `lag` is that of the words of its last turn, on average, in seconds; None before there are."""

    id: str
    account: str
    began: float
    config: SessionConfig = field(repr=False)
    turns: int = 0
    words: int = 0
    language: str = ""
    lag: float | None = None

    def delivered(self, event: Event) -> None:
        """Take an event that is being sent to the client."""
        match event:
            case SessionConfigured(config):
                self.config = config
            case TranscriptCompleted():
                self.turns += 1
                self.words += len(event.words)
                self.language = event.language or self.language
                if event.commit_lags:
                    self.lag = max(0.0, sum(event.commit_lags) / len(event.commit_lags) / SAMPLE_RATE)
            case _:
                pass


class Status:
    """The status of one service. Belongs to its event loop, but for `errors`."""

    def __init__(self, models: MeasuredModels, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._models = models
        self._settings = settings
        self._clock = clock
        self._began = clock()
        self._sessions: dict[str, SessionStatus] = {}
        self._history: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self.errors = RecentErrors()

    def open_session(self, client_id: ClientId, config: SessionConfig) -> SessionStatus:
        """List a session until it is closed."""
        status = SessionStatus(client_id.session, client_id.account, self._clock(), config)
        self._sessions[status.id] = status
        return status

    def close_session(self, session: SessionStatus) -> None:
        """List a session no longer."""
        del self._sessions[session.id]

    async def watch(self) -> None:
        """Sample the history until cancelled, and collect the errors in the log."""
        root = logging.getLogger()
        root.addHandler(self.errors)
        try:
            while True:
                self.sample()
                await asyncio.sleep(SAMPLE_SECONDS)
        finally:
            root.removeHandler(self.errors)

    def sample(self) -> None:
        """Add the present state to the history."""
        now = self._clock()
        lags = [each.lag for each in self._sessions.values() if each.lag is not None]
        engines = {name: _engine(scheduler, now) for name, scheduler in self._models.schedulers.items()}
        self._history.append(
            {
                "age_seconds": now,
                "sessions": len(self._sessions),
                "lag_seconds": max(lags, default=0.0),
                "busy": max((each["busy"] for each in engines.values()), default=0.0),
                "queue": sum(each["queue"] for each in engines.values()),
            }
        )

    def snapshot(self) -> dict[str, Any]:
        """Return everything as JSON; times are ages in seconds."""
        now = self._clock()
        schedulers, restarts = self._models.schedulers, self._models.restarts
        return {
            "ready": self._models.ready and not self._models.recovering,
            "uptime_seconds": round(now - self._began, 1),
            "max_sessions": self._settings.max_sessions,
            "sessions": [self._session(each, schedulers, now) for each in self._sessions.values()],
            "engines": [
                {"model": name, "headroom": self._headroom(scheduler, now), **_engine(scheduler, now)}
                for name, scheduler in schedulers.items()
            ],
            "models": [
                {"model": name, "weight_bytes": weight_bytes, "restarts": restarts.get(name)}
                for name, weight_bytes in self._models.memory().items()
            ],
            "history": [{**each, "age_seconds": round(now - each["age_seconds"], 1)} for each in self._history],
            "errors": self.errors.listed(),
        }

    def _session(self, session: SessionStatus, schedulers: dict[str, Scheduler], now: float) -> dict[str, Any]:
        model = session.config.recognizer.name
        scheduler = schedulers.get(model)
        return {
            "id": session.id,
            "account": session.account,
            "age_seconds": round(now - session.began, 1),
            "model": model,
            "speakers": session.config.speakers,
            "language": session.language or session.config.language or "",
            "load": scheduler.load.cadence.level(now).name.lower() if scheduler is not None else "",
            "lag_seconds": None if session.lag is None else round(session.lag, 2),
            "turns": session.turns,
            "words": session.words,
        }

    def _headroom(self, scheduler: Scheduler, now: float) -> int:
        """Return how many further sessions would be admitted at once."""
        places = self._settings.max_sessions - len(self._sessions)
        return scheduler.load.admission.headroom(now, places)


def _engine(scheduler: Scheduler, now: float) -> dict[str, Any]:
    load = scheduler.load
    interval = load.cadence.partial_interval(now)
    return {
        "busy": round(load.busy.read(now), 3),
        "load": load.cadence.level(now).name.lower(),
        "partial_interval_seconds": None if interval is None else round(interval, 3),
        "batch_size": round(load.mean_batch(now), 1),
        "queue": len(scheduler),
    }


class RecentErrors(logging.Handler):
    """The last warnings and errors of the log, which by its rules hold nothing that a client said."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._records: deque[dict[str, str]] = deque(maxlen=MAX_ERRORS)

    def emit(self, record: logging.LogRecord) -> None:
        add_session(record)
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # the arguments do not suit the text
            message = str(record.msg)
        self._records.append(
            {
                "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds"),
                "level": record.levelname.lower(),
                "logger": record.name,
                "session": getattr(record, "session", ""),
                "message": message[:MAX_MESSAGE],
            }
        )

    def listed(self) -> list[dict[str, str]]:
        """Return them, the newest first."""
        return list(reversed(self._records))
