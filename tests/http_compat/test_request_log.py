"""Every HTTP request is one line of the log."""

import logging
import re

import pytest
from starlette.testclient import TestClient

from tests.support.scripted_models import Serve
from tests.support.uploads import upload


@pytest.fixture(autouse=True)
def every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="http_compat.request_log")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """Return level and text of the lines, without what differs from run to run."""
    records = [record for record in caplog.records if record.name == "http_compat.request_log"]
    return [(record.levelno, re.sub(r"\d+ ms|req_\w+", "#", record.getMessage())) for record in records]


@pytest.mark.parametrize("fields", [{}, {"stream": "true"}])
def test_a_transcription_is_logged_with_the_length_of_its_audio(
    client: TestClient, caplog: pytest.LogCaptureFixture, fields: dict[str, str]
) -> None:
    assert upload(client, **fields).status_code == 200
    assert lines(caplog) == [(logging.INFO, "POST /v1/audio/transcriptions: 200, #, 5.0 s of audio (#)")]


@pytest.mark.parametrize("stream", [False, True])
def test_speech_is_logged_with_the_length_of_its_audio(
    client: TestClient, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    body = {"model": "tts-1", "input": "Good morning.", "response_format": "pcm", "stream": stream}
    seconds = len(client.post("/v1/audio/speech", json=body).content) / 48_000
    assert lines(caplog) == [(logging.INFO, f"POST /v1/audio/speech: 200, #, {seconds:.1f} s of audio (#)")]


def test_the_template_of_a_route_is_logged_and_not_what_the_client_asked_for(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/v1/models/canary-model?canary=query").status_code == 404
    assert lines(caplog) == [(logging.INFO, "GET /v1/models/{id:path}: 404, # (#)")]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/livez", "GET /livez: 200, # (#)"),
        ("/metrics", "GET /metrics: 200, # (#)"),
        ("/canary", "request without a route: 404, # (#)"),
    ],
)
def test_what_monitoring_asks_for_and_what_nothing_answers_is_logged_only_at_debug(
    client: TestClient, caplog: pytest.LogCaptureFixture, path: str, line: str
) -> None:
    client.get(path)
    assert lines(caplog) == [(logging.DEBUG, line)]


def test_a_refused_key_is_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    with serve(api_keys=("key",)) as client:
        client.get("/v1/models")
    assert lines(caplog) == [(logging.INFO, "GET /v1/models: 401, # (#)")]
