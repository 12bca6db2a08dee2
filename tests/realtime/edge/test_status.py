"""What operators see, from scripted sessions and loads."""

import json
import logging

import pytest

from realtime.catalogue.table import WHISPER_BASE
from realtime.edge.status import HISTORY, MAX_ERRORS, MAX_MESSAGE, RecentErrors, Status
from realtime.logs import current_session
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.scheduling.load import Load
from realtime.scheduling.priority import ClientId, Priority
from realtime.session.config import SessionConfig
from realtime.session.events import TranscriptCompleted
from realtime.settings import Settings
from realtime.speech.transcript import Word
from tests.support.scripted_models import ScriptedModels, ScriptedRecognizer

CLIENT = ClientId("key0", "sess_1")
CONFIG = SessionConfig(WHISPER_BASE, transcribe=True)
WORDS = (Word(" Hello", 0, 8_000, 0.9), Word(" there.", 8_000, 16_000, 0.9))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def load() -> Load:
    return Load(1, 0.1)


@pytest.fixture
def status(clock: Clock, load: Load) -> Status:
    models = ScriptedModels()
    models.schedulers["whisper-base"] = Scheduler(load)
    return Status(models, Settings(max_sessions=8), clock)


def test_a_session_is_listed_while_it_lasts(status: Status, clock: Clock) -> None:
    session = status.open_session(CLIENT, CONFIG)
    clock.now += 3
    lags = (16_000, 32_000)
    session.delivered(TranscriptCompleted("item_1", "Hello there.", WORDS, "en", 16_000, commit_lags=lags))
    assert status.snapshot()["sessions"] == [
        {
            "id": "sess_1", "account": "key0", "age_seconds": 3.0, "model": "whisper-base", "speakers": 1,
            "language": "en", "load": "low", "lag_seconds": 1.5, "turns": 1, "words": 2,
        }
    ]  # fmt: skip
    status.close_session(session)
    assert status.snapshot()["sessions"] == []


def test_nothing_that_was_said_is_shown(status: Status) -> None:
    session = status.open_session(CLIENT, CONFIG)
    session.delivered(TranscriptCompleted("item_1", "Hello there.", WORDS, "en", 16_000))
    assert "Hello" not in json.dumps(status.snapshot())
    assert "Hello" not in repr(session)


def test_an_engine_shows_its_load_and_how_many_more_it_admits(status: Status, load: Load, clock: Clock) -> None:
    load.record_decode([(CLIENT, Priority.FINAL)] * 2, 3.0, clock.now)
    (engine,) = status.snapshot()["engines"]
    assert engine == {
        "model": "whisper-base", "headroom": 8, "busy": 0.2, "load": "low", "partial_interval_seconds": 0.3,
        "batch_size": 2.0, "queue": 0,
    }  # fmt: skip
    for number in range(5):
        load.admission.add_session(f"sess_{number}", clock.now)
    assert status.snapshot()["engines"][0]["headroom"] == 5


def test_an_engine_without_sessions_promises_no_more_than_it_can_keep(clock: Clock) -> None:
    models = ScriptedModels()
    models.schedulers["whisper-base"] = Scheduler(Load(1, 0.3))
    assert Status(models, Settings(max_sessions=8), clock).snapshot()["engines"][0]["headroom"] == 2


def test_the_interval_of_the_partials_of_a_large_model_is_rounded(clock: Clock) -> None:
    models = ScriptedModels()
    models.schedulers["whisper-base"] = Scheduler(Load(1, 0.1, patience=3))
    (engine,) = Status(models, Settings(), clock).snapshot()["engines"]
    assert engine["partial_interval_seconds"] == 0.9


def test_the_restarts_of_models_in_processes_are_shown(clock: Clock) -> None:
    models = ScriptedModels()
    models.restarts, models.recovering = {"whisper-base": 3}, True
    models.recognizers = {name: ScriptedRecognizer(name) for name in ("whisper-base", "whisper-tiny")}
    snapshot = Status(models, Settings(), clock).snapshot()
    assert {each["model"]: each["restarts"] for each in snapshot["models"]} == {"whisper-base": 3, "whisper-tiny": None}
    assert not snapshot["ready"]


def test_the_history_is_that_of_five_minutes(status: Status, clock: Clock) -> None:
    status.open_session(CLIENT, CONFIG)
    for _ in range(HISTORY + 5):
        status.sample()
        clock.now += 5
    history = status.snapshot()["history"]
    assert len(history) == HISTORY
    assert (history[0]["age_seconds"], history[-1]["age_seconds"]) == (300, 5)
    assert history[-1]["sessions"] == 1


def test_the_last_errors_of_the_log_are_listed(status: Status, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("vivavoce.test")
    logger.addHandler(status.errors)
    token = current_session.set("sess_7")
    try:
        for number in range(MAX_ERRORS + 1):
            logger.warning("response failed: %s", f"code_{number}")
        logger.info("not shown")
    finally:
        current_session.reset(token)
        logger.removeHandler(status.errors)
    errors = status.snapshot()["errors"]
    assert len(errors) == MAX_ERRORS
    assert errors[0] | {"time": ""} == {
        "time": "", "level": "warning", "logger": "vivavoce.test", "session": "sess_7",
        "message": f"response failed: code_{MAX_ERRORS}",
    }  # fmt: skip


def test_a_record_that_cannot_be_written_does_not_disturb_the_program() -> None:
    errors = RecentErrors()
    errors.handle(logging.makeLogRecord({"msg": "%d files of %s", "args": ("three",), "levelno": logging.WARNING}))
    errors.handle(logging.makeLogRecord({"msg": "x" * 1_000_000, "levelno": logging.WARNING}))
    long, short = errors.listed()
    assert short["message"] == "%d files of %s"
    assert len(long["message"]) == MAX_MESSAGE
