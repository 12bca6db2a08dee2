"""Listing, launching, naming and terminating models, and listing voices, over HTTP."""

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from http_compat.xinference.names import MAX_LAUNCHED
from realtime.catalogue.names import lookup
from realtime.errors import EngineError
from tests.support.scripted_models import ScriptedModels, ScriptedSynthesizer, Serve
from tests.support.uploads import error


def launch(client: TestClient, **fields: Any) -> Any:
    return client.post("/v1/models", json={"model_type": "audio", "replica": 1, **fields})


def ids(client: TestClient, query: str = "") -> set[str]:
    return {each["id"] for each in client.get(f"/v1/models{query}").json()["data"]}


def test_models_can_be_listed_by_task(client: TestClient) -> None:
    assert "hibari-tts" in ids(client, "?task=text-to-speech")
    assert "whisper-base" not in ids(client, "?task=text-to-speech")
    assert "whisper-base" in ids(client, "?task=automatic-speech-recognition")


def test_an_unknown_task_is_400(client: TestClient) -> None:
    assert error(client.get("/v1/models?task=chat")) == (400, "invalid_value", "task")


def test_models_are_listed_among_audio_too(client: TestClient) -> None:
    assert {each["id"] for each in client.get("/v1/audio/models").json()["models"]} == ids(client)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("Systran/faster-whisper-base", "whisper-base"),
        ("openai%2Fwhisper-tiny", "whisper-tiny"),
        ("maureesewilliams/hibari", "hibari-tts"),
        ("gpt-4o-mini-tts", "hibari-tts"),
        ("owner/configured", "owner/configured"),
    ],
)
def test_a_model_is_described_under_every_name_that_requests_may_use(serve: Serve, name: str, model: str) -> None:
    answer = serve(preload=("owner/configured",)).get(f"/v1/models/{name}")
    assert (answer.status_code, answer.json()["model_name"]) == (200, model)


@pytest.mark.parametrize(
    ("name", "able"),
    [
        ("whisper-base", {"translation", "word_times"}),
        ("whisper-base.en", {"word_times"}),
        ("hibari-tts", {"speed"}),
    ],
)
def test_a_model_is_listed_with_its_capabilities(client: TestClient, name: str, able: set[str]) -> None:
    listed = {each["id"]: each["capabilities"] for each in client.get("/v1/models").json()["data"]}
    assert {capability for capability, has in listed[name].items() if has} == able
    assert listed[name].keys() == {
        "translation", "word_times", "streaming_text", "speed", "instructions", "cloning", "any_voice", "mixing",
    }  # fmt: skip


def test_a_repository_that_is_not_configured_is_unknown(client: TestClient) -> None:
    assert error(client.get("/v1/models/owner/elsewhere")) == (404, "model_not_found", "model")


def test_voices_are_listed_under_either_name(client: TestClient, synthesizer: ScriptedSynthesizer) -> None:
    answer = client.get("/v1/audio/voices").json()
    assert answer["voices"] == answer["data"]
    assert [(each["id"], each["name"]) for each in answer["voices"]] == [("amber", "amber"), ("birch", "birch")]


def test_voices_of_all_models_are_listed_with_languages_and_licences(
    client: TestClient, models: ScriptedModels, synthesizer: ScriptedSynthesizer
) -> None:
    models.synthesizers["piper-de_DE-thorsten-medium"] = ScriptedSynthesizer("piper-de_DE-thorsten-medium")
    listed = client.get("/v1/audio/voices").json()["data"]
    assert [each["model"] for each in listed] == 2 * [synthesizer.name] + 2 * ["piper-de_DE-thorsten-medium"]
    assert listed[0]["languages"] == ["en"]
    assert listed[0]["licence"] == "Apache-2.0"
    assert listed[2]["languages"] == ["de"]


def test_a_model_that_cannot_speak_is_listed_beside_the_voices_of_the_others(
    client: TestClient, models: ScriptedModels, synthesizer: ScriptedSynthesizer
) -> None:
    models.damaged["kokoro"] = EngineError("The voices in /srv/kokoro are damaged.")
    answer = client.get("/v1/audio/voices").json()
    assert {each["model"] for each in answer["data"]} == {synthesizer.name}
    (unavailable,) = answer["unavailable"]
    assert (unavailable["model"], unavailable["code"]) == ("kokoro", "engine_failed")
    assert "/srv" not in unavailable["message"]


def test_a_voice_of_kokoros_is_listed_with_its_own_language(serve: Serve, models: ScriptedModels) -> None:
    client = serve(preload=("kokoro",))
    models.synthesizers["kokoro"] = synthesizer = ScriptedSynthesizer("kokoro")
    synthesizer.voices = ("af_heart", "zf_xiaoxiao")
    listed = client.get("/v1/audio/voices?model=kokoro").json()["data"]
    assert [(each["id"], each["languages"]) for each in listed] == [("af_heart", ["en"]), ("zf_xiaoxiao", ["zh"])]


def test_voices_are_those_of_the_model_asked_for(client: TestClient) -> None:
    assert {each["model"] for each in client.get("/v1/audio/voices?model=ChatTTS").json()["data"]} == {"ChatTTS"}


@pytest.mark.parametrize(
    ("model", "status", "code"), [("nobody", 404, "model_not_found"), ("whisper-base", 400, "unsupported_model")]
)
def test_voices_of_no_voice_model_are_an_error(serve: Serve, model: str, status: int, code: str) -> None:
    client = serve(unknown_names="refuse")
    assert error(client.get(f"/v1/audio/voices?model={model}")) == (status, code, "model")


def test_voices_of_an_unknown_model_are_those_that_would_speak_for_it(client: TestClient) -> None:
    assert {each["model"] for each in client.get("/v1/audio/voices?model=kokoro").json()["data"]} == {"hibari-tts"}


def test_loaded_models_are_listed(client: TestClient, models: ScriptedModels) -> None:
    asyncio.run(models.load(lookup("whisper-tiny")))
    assert client.get("/api/ps").json() == {"models": ["whisper-tiny"]}


def test_a_launched_model_is_loaded_and_answers_to_its_own_name(client: TestClient, models: ScriptedModels) -> None:
    assert launch(client, model_name="whisper-tiny").json() == {"model_uid": "whisper-tiny"}
    assert models.is_loaded(lookup("whisper-tiny"))
    assert client.get("/v1/models/whisper-tiny").json()["loaded"]


def test_a_launched_model_answers_to_the_name_it_was_given(client: TestClient) -> None:
    assert launch(client, model_name="hibari-tts", model_uid="my voice/one").json() == {"model_uid": "my voice/one"}
    assert client.get("/v1/models/my voice/one").json()["model_name"] == "hibari-tts"
    assert "my voice/one" in ids(client)
    assert client.post("/v1/audio/speech", json={"model": "my voice/one", "input": "Hello."}).status_code == 200


def test_openai_s_names_can_be_given_to_other_models(client: TestClient, models: ScriptedModels) -> None:
    launch(client, model_name="whisper-tiny", model_uid="whisper-1")
    assert client.get("/v1/models/whisper-1").json()["model_name"] == "whisper-tiny"
    client.delete("/v1/models/whisper-1")
    assert client.get("/v1/models/whisper-1").json()["model_name"] == "whisper-base"


def test_a_launched_name_can_be_launched_under_another_name(client: TestClient) -> None:
    launch(client, model_name="hibari-tts", model_uid="one")
    assert launch(client, model_name="one", model_uid="two").status_code == 200
    assert client.get("/v1/models/two").json()["model_name"] == "hibari-tts"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (400, "missing_required_parameter", "model_name")),
        ({"model_name": ""}, (400, "invalid_value", "model_name")),
        ({"model_name": 7}, (400, "invalid_type", "model_name")),
        ({"model_name": "nobody"}, (404, "model_not_found", "model")),
        ({"model_name": "whisper-tiny", "model_type": "LLM"}, (400, "invalid_value", "model_type")),
        ({"model_name": "whisper-tiny", "model_uid": "whisper-base"}, (400, "invalid_value", "model_uid")),
        ({"model_name": "whisper-tiny", "model_uid": "x" * 300}, (400, "invalid_value", "model_uid")),
    ],
)
def test_an_invalid_launch_is_refused_with_a_clear_error(
    client: TestClient, fields: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert error(launch(client, **fields)) == expected


def test_a_name_of_one_model_cannot_be_given_to_another(client: TestClient) -> None:
    launch(client, model_name="whisper-tiny", model_uid="mine")
    assert error(launch(client, model_name="whisper-small", model_uid="mine")) == (400, "invalid_value", "model_uid")


def test_the_number_of_launched_names_is_limited(client: TestClient) -> None:
    for number in range(MAX_LAUNCHED):
        assert launch(client, model_name="hibari-tts", model_uid=f"voice-{number}").status_code == 200
    assert error(launch(client, model_name="hibari-tts", model_uid="more")) == (400, "invalid_value", "model_uid")
    assert launch(client, model_name="hibari-tts", model_uid="voice-0").status_code == 200


def test_a_launch_can_continue_in_the_background(client: TestClient, models: ScriptedModels) -> None:
    models.gate = asyncio.Event()
    answer = client.post("/v1/models?wait_ready=False", json={"model_name": "whisper-tiny"})
    assert answer.json() == {"model_uid": "whisper-tiny"}
    assert not models.is_loaded(lookup("whisper-tiny"))


def test_a_launch_that_waits_perhaps_is_refused(client: TestClient, models: ScriptedModels) -> None:
    answer = client.post("/v1/models?wait_ready=maybe", json={"model_name": "whisper-tiny"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "wait_ready")
    assert not models.is_loaded(lookup("whisper-tiny"))


def test_a_background_launch_of_an_unknown_model_is_404(client: TestClient) -> None:
    assert client.post("/v1/models?wait_ready=False", json={"model_name": "nobody"}).status_code == 404


def test_a_terminated_model_is_unloaded_and_loaded_again_on_demand(client: TestClient, models: ScriptedModels) -> None:
    launch(client, model_name="whisper-tiny")
    answer = client.delete("/v1/models/whisper-tiny")
    assert answer.json() == {"id": "whisper-tiny", "object": "model", "deleted": True}
    assert not models.is_loaded(lookup("whisper-tiny"))
    assert client.get("/v1/models/whisper-tiny").status_code == 200
    assert client.delete("/v1/models/whisper-tiny").status_code == 200


def test_a_removed_name_is_unknown(client: TestClient) -> None:
    launch(client, model_name="whisper-tiny", model_uid="mine")
    assert client.delete("/v1/models/mine").status_code == 200
    assert error(client.get("/v1/models/mine")) == (404, "model_not_found", "model")
    assert error(client.delete("/v1/models/mine")) == (404, "model_not_found", "model")


def test_a_model_stays_loaded_while_another_name_refers_to_it(client: TestClient, models: ScriptedModels) -> None:
    launch(client, model_name="whisper-tiny", model_uid="one")
    launch(client, model_name="whisper-tiny", model_uid="two")
    client.delete("/v1/models/one")
    assert models.is_loaded(lookup("whisper-tiny"))
    client.delete("/v1/models/two")
    assert not models.is_loaded(lookup("whisper-tiny"))


@pytest.mark.parametrize("uid", ["mine", "hibari-tts", "tts-1"])
def test_a_default_model_stays_loaded_after_its_launched_name_is_removed(
    client: TestClient, models: ScriptedModels, uid: str
) -> None:
    models.busy.add("hibari-tts")
    launch(client, model_name="hibari-tts", model_uid=uid)
    assert client.delete(f"/v1/models/{uid}").status_code == 200
    assert models.is_loaded(lookup("hibari-tts"))


def test_a_model_in_use_is_409_and_not_retried(client: TestClient, models: ScriptedModels) -> None:
    models.busy.add("whisper-base")
    answer = client.delete("/v1/models/whisper-base")
    assert error(answer) == (409, "model_in_use", "model")
    assert answer.headers["x-should-retry"] == "false"


def test_a_name_is_kept_if_its_model_cannot_be_unloaded(client: TestClient, models: ScriptedModels) -> None:
    launch(client, model_name="whisper-tiny", model_uid="mine")
    models.busy.add("whisper-tiny")
    assert client.delete("/v1/models/mine").status_code == 409
    models.busy.clear()
    assert client.delete("/v1/models/mine").status_code == 200
    assert client.delete("/v1/models/mine").status_code == 404


def test_a_correct_password_returns_the_access_token(serve: Serve) -> None:
    client = serve(api_keys=("secret",))
    answer = client.post("/token", json={"username": "somebody", "password": "secret"})
    assert answer.json() == {"access_token": "secret", "token_type": "bearer"}
    refusal = client.post("/token", json={"username": "somebody", "password": "a guess"})
    assert error(refusal) == (401, "invalid_api_key", None)


def test_whether_a_key_is_required_can_be_asked_without_one(serve: Serve) -> None:
    assert serve(api_keys=("secret",)).get("/v1/cluster/auth").json() == {"auth": True}
    assert serve().get("/v1/cluster/auth").json() == {"auth": False}


def test_a_model_without_an_engine_is_refused_with_its_name(client: TestClient) -> None:
    model = client.get("/v1/models/ChatTTS").json()
    assert (model["language"], model["source"]) == (["zh", "en"], "2Noise/ChatTTS")
    assert "CC-BY-NC" in model["licence"]
