"""Telephone calls over the whole service, with scripted engines and the scripted chat backend."""

import base64
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from realtime.edge.twilio_signature import signature
from tests.support.realtime_service import SILENT, TIMEOUT, RealtimeService, read_to_end, realtime_service

KEY = "canary/schlüssel"


@pytest.fixture(scope="module")
def service() -> Iterator[RealtimeService]:
    with realtime_service(chat_base_url="scripted", api_keys=(KEY,)) as service:
        yield service


def call(service: RealtimeService, path: str) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{service.port}/twilio/media{path}", compression=None, logger=SILENT)


def start(socket: ClientConnection, **parameters: str) -> None:
    for message in (
        {"event": "connected", "protocol": "Call", "version": "1.0.0"},
        {"event": "start", "streamSid": "MZ1", "start": {"callSid": "CA1", "customParameters": parameters}},
    ):
        socket.send(json.dumps(message))


def receive(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(socket.recv(timeout=TIMEOUT))
    return message


def test_a_call_with_the_key_in_its_path_is_greeted_and_ended(
    service: RealtimeService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="uvicorn.error")
    with call(service, "/canary%2Fschl%C3%BCssel") as socket:
        start(socket, greeting="Hello there.")
        spoken, mark = receive(socket), receive(socket)
        assert base64.b64decode(spoken["media"]["payload"])
        assert (spoken["streamSid"], mark["event"]) == ("MZ1", "mark")
        socket.send(json.dumps({"event": "stop", "streamSid": "MZ1"}))
        assert read_to_end(socket) == 1000
    assert '"WebSocket /twilio/media/..." [accepted]' in caplog.text
    assert "canary" not in caplog.text


def test_with_an_auth_token_only_calls_with_its_signature_are_taken() -> None:
    with realtime_service(chat_base_url="scripted", twilio_auth_token="token") as service:
        with pytest.raises(InvalidStatus) as refused, call(service, "/a%20key"):
            pass
        assert refused.value.response.status_code == 403
        body = json.loads(refused.value.response.body)
        assert "X-Twilio-Signature" in body["error"]["message"]
        address = f"wss://127.0.0.1:{service.port}/twilio/media/a%20key"
        headers = {"X-Twilio-Signature": signature("token", address)}
        with connect(address.replace("wss", "ws"), additional_headers=headers, max_queue=None) as socket:
            start(socket, greeting="Hello there.")
            assert receive(socket)["event"] == "media"


@pytest.mark.parametrize("path", ["", "/", "/canary", "?key=canary%2Fschl%C3%BCssel"])
def test_a_call_without_the_key_is_refused(service: RealtimeService, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused, call(service, path):
        pass
    assert refused.value.response.status_code == 401


def test_a_call_that_nobody_would_answer_is_refused_and_the_log_names_the_setting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with realtime_service() as service, pytest.raises(InvalidStatus) as refused, call(service, ""):
        pass
    assert refused.value.response.status_code == 501
    assert "set VIVAVOCE_CHAT_BASE_URL" in caplog.text
