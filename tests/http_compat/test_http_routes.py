"""All routes: error body, request id, keys and origins; and the routes for models, health and metrics."""

import pytest
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from realtime.errors import ModelInUse, VoiceError, WeightsUnavailable
from realtime.weights.progress import Stage, Step
from tests.support.scripted_models import ScriptedModels, ScriptedRecognizer, Serve


def test_an_unknown_path_is_404_with_the_common_error_body(client: TestClient) -> None:
    answer = client.get("/v1/nowhere")
    assert answer.status_code == 404
    message = "There is no endpoint at this path. GET /openapi.json describes all endpoints."
    assert answer.json() == {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": "not_found"},
        "detail": message,
    }


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/audio/transcriptions", "/v1/audio/transcriptions"),
        ("/audio/speech/", "/v1/audio/speech"),
        ("/models", "/v1/models"),
        ("/models/whisper-base", "/v1/models/whisper-base"),
        ("/v1/v1/audio/transcriptions", "/v1/audio/transcriptions"),
        ("/v1/readyz", "/readyz"),
        ("/v1/asr", "/asr"),
        ("/inference", "POST /v1/audio/transcriptions"),
        ("/v1/speech_to_text", "POST /v1/audio/transcriptions"),
        ("/v1/text-to-speech/heart/stream", "POST /v1/audio/speech"),
        ("/api/TTS", "POST /v1/audio/speech"),
        ("/api/tags", "GET /v1/models"),
        ("/v1/realtime/nowhere", "a websocket at /v1/realtime"),
    ],
)
def test_a_path_with_a_wrong_prefix_or_of_another_server_is_404_and_names_the_right_one(
    client: TestClient, path: str, meant: str
) -> None:
    answer = client.post(path, json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert answer.json()["detail"] == f"There is no endpoint at this path. Did you mean {meant}?"


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/chat/completions", "/favicon.ico", "/models/" + "x" * 1_000, "/a" * 50 + "/models"]
)
def test_a_path_like_no_other_is_404_without_a_proposal(client: TestClient, path: str) -> None:
    answer = client.post(path, json={})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no endpoint at this path. GET /openapi.json describes all endpoints."


def test_a_wrong_method_is_405_and_names_the_right_one(client: TestClient) -> None:
    answer = client.get("/v1/audio/speech")
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"OPTIONS", "POST"})
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert "POST" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/v1/audio/transcriptions", "OPTIONS, POST"), ("/v1/models", "GET, HEAD, OPTIONS, POST"), ("/nowhere", None)],
)
def test_options_lists_the_methods_of_a_path_without_an_origin_or_a_key(
    serve: Serve, path: str, allowed: str | None
) -> None:
    answer = serve(api_keys=("secret",)).options(path)
    assert (answer.status_code, answer.headers.get("allow")) == (204 if allowed else 404, allowed)


@pytest.mark.parametrize("path", ["/v1/models/", "/v1//models", "//v1/models//"])
def test_slashes_at_the_end_and_doubled_ones_do_not_matter(client: TestClient, path: str) -> None:
    answer = client.get(f"http://testserver{path}", follow_redirects=False)
    assert answer.json()["data"] == client.get("/v1/models").json()["data"]


def test_a_body_sent_to_a_path_with_a_final_slash_is_not_redirected(client: TestClient) -> None:
    body = {"model": "tts-1", "input": "Hello."}
    assert client.post("/v1/audio/speech/", json=body, follow_redirects=False).status_code == 200


def test_an_unexpected_exception_is_500_reveals_nothing_and_is_not_retried(
    client: TestClient, models: ScriptedModels, caplog: pytest.LogCaptureFixture
) -> None:
    del models.ready
    answer = client.get("/readyz")
    assert answer.status_code == 500
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"]["type"] == "server_error"
    assert "ready" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["x-request-id"] in caplog.text


def test_a_wrong_method_is_405_and_lists_all_allowed_ones(client: TestClient) -> None:
    assert set(client.put("/v1/models").headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v1/models", "/v1/models/none", "/metrics", "/none", "/livez/"])
def test_every_answer_has_an_id(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, path, follow_redirects=False).headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v1/models", "/v1/models/none", "/metrics", "/none"])
def test_every_answer_has_an_id_of_its_own(client: TestClient, path: str) -> None:
    first, second = client.get(path), client.get(path)
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_the_server_is_live_at_once_and_ready_when_models_are_loaded(
    client: TestClient, models: ScriptedModels
) -> None:
    models.ready = False
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 503
    models.ready = True
    assert client.get("/readyz").status_code == 200


def test_the_server_is_not_ready_while_the_processes_of_its_recognizer_are_started_again(
    client: TestClient, models: ScriptedModels
) -> None:
    models.recovering = True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "restarting"})
    assert "retry-after" in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("POST", "/v1/models"),
        ("GET", "/v1/models/whisper-base"),
        ("DELETE", "/v1/models/whisper-base"),
        ("GET", "/v1/audio/voices"),
        ("GET", "/v1/audio/models"),
        ("GET", "/api/ps"),
        ("GET", "/v1/models/whisper-base/progress"),
        ("GET", "/progress"),
        ("GET", "/metrics"),
        ("POST", "/v1/audio/speech"),
        ("POST", "/v1/audio/transcriptions"),
        ("POST", "/v1/audio/translations"),
    ],
)
def test_with_keys_configured_only_health_is_public(serve: Serve, method: str, path: str) -> None:
    client = serve(api_keys=("secret",))
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert client.request(method, path, headers={"authorization": "Bearer secret"}).status_code != 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("POST", "/v1/audio/speech"),
        ("POST", "/v1/audio/transcriptions"),
        ("POST", "/v1/audio/translations"),
    ],
)
def test_a_web_page_of_another_origin_is_refused_unless_it_is_allowed(serve: Serve, method: str, path: str) -> None:
    headers = {"origin": "https://pages.example"}
    answer = serve().request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")
    assert serve(allowed_origins=("https://pages.example",)).request(method, path, headers=headers).status_code != 403


def test_health_needs_no_key(serve: Serve) -> None:
    client = serve(api_keys=("secret",))
    for path in ("/livez", "/readyz", "/health"):
        assert client.get(path).status_code == 200


def test_the_server_is_not_live_while_an_engine_does_not_return(client: TestClient, models: ScriptedModels) -> None:
    models.stalled = True
    assert (client.get("/livez").status_code, client.get("/livez").json()) == (503, {"status": "stalled"})


def test_metrics_are_text_that_prometheus_reads(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == CONTENT_TYPE_LATEST
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"vivavoce_sessions_open", "vivavoce_commit_lag_seconds"} <= names


def test_models_are_listed_for_openai_and_for_xinference(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    listed = {each["id"]: each for each in client.get("/v1/models").json()["data"]}
    whisper, voice = listed["whisper-base"], listed["hibari-tts"]
    assert (whisper["object"], type(whisper["created"]), whisper["owned_by"]) == ("model", int, "vivavoce")
    assert (whisper["model_type"], whisper["model_ability"], whisper["loaded"]) == ("audio", ["audio2text"], True)
    assert (voice["model_ability"], voice["language"], voice["loaded"]) == (["text2audio"], ["en"], False)


def test_a_default_that_is_a_repository_is_listed_too(serve: Serve) -> None:
    client = serve(transcription_model="someone/their-whisper")
    assert "someone/their-whisper" in {each["id"] for each in client.get("/v1/models").json()["data"]}
    assert client.get("/v1/models/someone%2Ftheir-whisper").json()["id"] == "someone/their-whisper"
    assert client.get("/v1/models/whisper-1").json()["model_name"] == "someone/their-whisper"


def test_a_repository_that_is_preloaded_or_has_a_path_is_listed_too(serve: Serve) -> None:
    client = serve(preload=("someone/preloaded",), model_paths=("someone/local=/weights",))
    assert {"someone/preloaded", "someone/local"} <= {each["id"] for each in client.get("/v1/models").json()["data"]}
    assert client.get("/v1/models/someone/local/progress").json()["stage"] == "not_loaded"


def test_a_model_answers_to_openai_s_name(client: TestClient) -> None:
    model = client.get("/v1/models/whisper-1").json()
    assert (model["id"], model["model_name"]) == ("whisper-1", "whisper-base")


def test_an_unknown_model_is_404_with_its_own_code(client: TestClient) -> None:
    answer = client.get("/v1/models/some/one")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
    assert answer.json()["error"]["param"] == "model"


def test_an_unknown_model_has_the_same_message_everywhere(serve: Serve) -> None:
    client = serve(unknown_names="refuse")
    answers = [
        client.get("/v1/models/nothing"),
        client.delete("/v1/models/nothing"),
        client.post("/v1/models", json={"model_name": "nothing"}),
        client.get("/v1/audio/voices", params={"model": "nothing"}),
        client.post("/v1/audio/speech", json={"model": "nothing", "input": "Hello."}),
        client.post("/v1/audio/transcriptions", data={"model": "nothing"}, files={"file": b"RIFF"}),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert len({answer.json()["error"]["message"] for answer in answers}) == 1


def test_progress_covers_loading_loaded_and_unloaded_models(
    client: TestClient, models: ScriptedModels, recognizer: ScriptedRecognizer
) -> None:
    models.steps["whisper-tiny"] = Step("whisper-tiny", Stage.DOWNLOADING, 25, 100)
    loading = {
        "model": "whisper-tiny",
        "stage": "downloading",
        "progress": 0.25,
        "done_bytes": 25,
        "total_bytes": 100,
    }
    assert client.get("/progress").json() == {"models": [loading]}
    assert client.get("/v1/models/whisper-tiny/progress").json() == loading
    for name, stage, progress in (("whisper-1", "loaded", 1.0), ("whisper-small", "not_loaded", 0.0)):
        answer = client.get(f"/v1/models/{name}/progress").json()
        assert (answer["stage"], answer["progress"]) == (stage, progress)
    assert client.get("/v1/models/nothing/progress").status_code == 404


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (WeightsUnavailable("no weights in /home/somebody"), 503, "model_not_available"),
        (ModelInUse("in use"), 409, "model_in_use"),
    ],
)
def test_permanent_errors_are_not_retried(
    error: VoiceError, status: int, code: str, client: TestClient, models: ScriptedModels
) -> None:
    models.broken = error
    answer = client.get("/v1/models/whisper-tiny")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["x-should-retry"] == "false"
    assert "retry-after" not in answer.headers
    assert "/home" not in answer.text
