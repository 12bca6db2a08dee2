"""Web pages of other origins: preflight requests, and responses that a page may read."""

import pytest
from starlette.testclient import TestClient

from http_compat.browsers import EXPOSED_HEADERS
from tests.support.scripted_models import ScriptedModels, Serve

PAGE = "https://pages.example"
SPEECH = "/v1/audio/speech"


@pytest.mark.parametrize("path", [SPEECH, "/v1/audio/transcriptions", "/v1/models", "/livez"])
def test_a_page_of_an_allowed_origin_may_send_keys_and_json(serve: Serve, path: str) -> None:
    answer = serve(api_keys=("secret",), allowed_origins=(PAGE,)).options(
        path,
        headers={
            "origin": PAGE,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type, x-stainless-os",
        },
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type, x-stainless-os"
    assert "Origin" in answer.headers["vary"]
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_page_learns_from_the_response_that_a_method_is_wrong(serve: Serve, method: str) -> None:
    client = serve(allowed_origins=(PAGE,))
    asked = {"origin": PAGE, "access-control-request-method": method}
    assert client.options(SPEECH, headers=asked).status_code == 200
    answer = client.request(method, SPEECH, headers={"origin": PAGE})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (405, PAGE)


def test_a_page_of_another_origin_is_told_in_the_preflight_which_setting_allows_it(serve: Serve) -> None:
    answer = serve().options(SPEECH, headers={"origin": PAGE, "access-control-request-method": "POST"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")
    assert PAGE in answer.json()["error"]["message"]
    assert "VIVAVOCE_ALLOWED_ORIGINS" in answer.json()["error"]["message"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_of_another_origin_may_read_no_response(serve: Serve, method: str) -> None:
    for path in ("/v1/models", "/livez", "/none"):
        answer = serve().request(method, path, headers={"origin": PAGE})
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_page_may_read_results_and_the_headers_of_this_server(serve: Serve) -> None:
    client = serve(allowed_origins=(PAGE,))
    answer = client.post(SPEECH, json={"model": "tts-1", "input": "Hello."}, headers={"origin": PAGE})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)
    assert set(answer.headers["access-control-expose-headers"].split(", ")) == set(EXPOSED_HEADERS)


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/models", 401), ("/none", 404), ("/v1/audio/speech", 405), ("/livez", 200)]
)
def test_a_page_may_read_errors(serve: Serve, path: str, status: int) -> None:
    answer = serve(api_keys=("secret",), allowed_origins=(PAGE,)).get(path, headers={"origin": PAGE})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, PAGE)


def test_a_page_may_read_internal_errors(serve: Serve, models: ScriptedModels) -> None:
    del models.ready
    answer = serve(allowed_origins=(PAGE,)).get("/readyz", headers={"origin": PAGE})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (500, PAGE)


def test_pages_of_this_machine_are_allowed_without_a_setting(serve: Serve) -> None:
    page = "http://localhost:5173"
    headers = {"host": "127.0.0.1:8000", "origin": page, "access-control-request-method": "POST"}
    assert serve().options(SPEECH, headers=headers).headers["access-control-allow-origin"] == page
    elsewhere = {**headers, "host": "voice.example"}
    assert serve().options(SPEECH, headers=elsewhere).status_code == 403


def test_a_public_page_may_reach_a_server_on_a_private_network(serve: Serve) -> None:
    """Chrome asks for it (Private Network Access)."""
    asked = {"origin": PAGE, "access-control-request-method": "GET", "access-control-request-private-network": "true"}
    answer = serve(allowed_origins=(PAGE,)).options("/v1/models", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-private-network"]) == (200, "true")


def test_a_cache_keeps_responses_to_different_origins_apart(client: TestClient) -> None:
    assert client.get("/v1/models").headers["vary"] == "Origin"


def test_the_log_names_a_refused_origin(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "http_compat")
    serve().get("/v1/models", headers={"origin": "app://obsidian.md"})
    assert "app://obsidian.md" in caplog.text
