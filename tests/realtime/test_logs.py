import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from realtime import logs


def written(log_format: str, write: Callable[[logging.Logger], None]) -> str:
    """Return what a handler writes for the records that `write` logs."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logs.prepare(handler, log_format)
    logger = logging.getLogger("vivavoce.test")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    write(logger)
    logger.removeHandler(handler)
    return stream.getvalue()


@pytest.fixture
def session() -> str:
    logs.current_session.set("sess_1")
    return "sess_1"


@pytest.fixture(autouse=True)
def outside_of_sessions() -> None:
    logs.current_session.set("")


def fail(logger: logging.Logger) -> None:
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logger.exception("session failed")


def test_a_json_record_is_one_object_on_one_line() -> None:
    before = datetime.now(UTC)
    text = written("json", lambda logger: logger.info('%d bytes,\n"quoted"', 7))
    assert text.count("\n") == 1
    record = json.loads(text)
    assert abs((datetime.fromisoformat(record.pop("time")) - before).total_seconds()) < 60
    assert record == {"level": "info", "logger": "vivavoce.test", "message": '7 bytes,\n"quoted"'}


def test_the_time_of_a_json_record_is_in_utc() -> None:
    assert json.loads(written("json", lambda logger: logger.info("now")))["time"].endswith("+00:00")


def test_a_json_record_of_a_failure_has_its_traceback() -> None:
    record = json.loads(written("json", fail))
    assert record["message"] == "session failed"
    assert "ZeroDivisionError: division by zero" in record["exception"]


def test_a_record_made_in_a_session_names_the_session(session: str) -> None:
    assert json.loads(written("json", lambda logger: logger.info("hello")))["session"] == session
    assert f"INFO vivavoce.test [{session}]: hello\n" in written("text", lambda logger: logger.info("hello"))


def test_a_record_made_outside_of_sessions_names_none() -> None:
    assert "session" not in json.loads(written("json", lambda logger: logger.info("hello")))
    assert "INFO vivavoce.test: hello\n" in written("text", lambda logger: logger.info("hello"))


def test_a_text_record_of_a_failure_has_its_traceback(session: str) -> None:
    text = written("text", fail)
    assert f"ERROR vivavoce.test [{session}]: session failed\nTraceback" in text
    assert text.count("ZeroDivisionError: division by zero") == 1
