"""Format log records, as text or as JSON, each with the session it belongs to.

Records hold ids, names, sizes and durations; never audio, text, prompts or keys.
"""

import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

import msgspec

from realtime.settings import Settings

current_session: ContextVar[str] = ContextVar("current_session", default="")
"""Id of the session that the running task serves; tasks it creates inherit it. Empty outside of sessions."""

_TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_TEXT_OF_SESSION: Final = "%(asctime)s %(levelname)s %(name)s [%(session)s]: %(message)s"


def configure(settings: Settings) -> None:
    """Write all records of `log_level` and above to standard error in `log_format`."""
    handler = logging.StreamHandler()
    prepare(handler, settings.log_format)
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    for name in ("httpx2", "httpcore2"):  # their records hold addresses, which may contain keys, and headers
        logging.getLogger(name).setLevel(logging.WARNING)


def prepare(handler: logging.Handler, log_format: str) -> None:
    """Make a handler write records in this format, `text` or `json`, with their session."""
    handler.addFilter(add_session)
    handler.setFormatter(JSONFormatter() if log_format == "json" else TextFormatter())


def add_session(record: logging.LogRecord) -> bool:
    """Set `record.session` to the current session's id if it is not set; a `logging` filter that keeps all records."""
    if not hasattr(record, "session"):
        record.session = current_session.get()
    return True


class TextFormatter(logging.Formatter):
    """Write a record as a line of text, its traceback below."""

    def __init__(self) -> None:
        super().__init__(_TEXT)
        self._of_session = logging.Formatter(_TEXT_OF_SESSION)

    def format(self, record: logging.LogRecord) -> str:
        if getattr(record, "session", ""):
            return self._of_session.format(record)
        return super().format(record)


class JSONFormatter(logging.Formatter):
    """Write a record as one JSON object on one line.

    Its fields are `time` (ISO 8601, UTC), `level`, `logger` and `message`, and, where there is one, `session` and
    `exception` (the traceback).
    """

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if session := getattr(record, "session", ""):
            fields["session"] = session
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields).decode()
