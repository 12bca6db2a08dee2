"""Client secrets instead of keys over HTTP."""

import pytest
from starlette.testclient import TestClient

from tests.support.scripted_models import Serve

KEY = {"authorization": "Bearer real"}


@pytest.fixture
def guarded(serve: Serve) -> TestClient:
    return serve(api_keys=("real",))


@pytest.fixture
def secret(guarded: TestClient) -> dict[str, str]:
    made = guarded.post("/v1/realtime/client_secrets", json={"expires_after": {"seconds": 60}}, headers=KEY)
    return {"authorization": f"Bearer {made.json()['value']}"}


def test_a_secret_opens_what_transcribes_speaks_and_lists(guarded: TestClient, secret: dict[str, str]) -> None:
    assert guarded.get("/v1/audio/voices", headers=secret).status_code == 200
    assert guarded.get("/v1/models", headers=secret).status_code == 200
    speech = {"model": "tts-1", "input": "Hello."}
    assert guarded.post("/v1/audio/speech", json=speech, headers=secret).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/models"), ("GET", "/metrics"), ("GET", "/api/ps"), ("POST", "/v1/realtime/client_secrets")],
)
def test_a_secret_opens_nothing_else(guarded: TestClient, secret: dict[str, str], method: str, path: str) -> None:
    assert guarded.request(method, path, headers=secret, json={}).status_code == 401


def test_a_secret_of_another_server_is_refused(guarded: TestClient) -> None:
    answer = guarded.get("/v1/models", headers={"authorization": f"Bearer ek_{'0' * 32}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
