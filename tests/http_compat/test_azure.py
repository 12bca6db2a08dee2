"""The paths of Azure OpenAI, as requests and as its published client sends them."""

import pytest
from openai import AzureOpenAI
from starlette.testclient import TestClient

from tests.support.recordings import wav_file
from tests.support.scripted_models import ScriptedModels, Serve
from tests.support.uploads import TWO_WORDS

KEY = {"api-key": "secret"}
VERSION = {"api-version": "2025-04-01-preview"}


@pytest.fixture
def locked(serve: Serve) -> TestClient:
    return serve(api_keys=("secret",))


@pytest.mark.parametrize("task", ["transcriptions", "translations"])
def test_an_upload_to_a_deployment_needs_no_model(locked: TestClient, task: str) -> None:
    path = f"/openai/deployments/my-whisper/audio/{task}"
    answer = locked.post(path, params=VERSION, headers=KEY, files={"file": ("a.wav", wav_file(TWO_WORDS))})
    assert (answer.status_code, answer.json()["text"]) == (200, "440. 880.")


def test_speech_of_a_deployment_needs_no_model(locked: TestClient) -> None:
    path = "/openai/deployments/tts/audio/speech"
    answer = locked.post(path, params=VERSION, headers=KEY, json={"input": "Hello.", "voice": "alloy"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")


def test_the_deployment_is_the_model(serve: Serve, models: ScriptedModels) -> None:
    path = "/openai/deployments/whisper-tiny/audio/transcriptions"
    file = {"file": ("a.wav", wav_file(TWO_WORDS))}
    client = serve()
    assert client.post(path, files=file).headers["x-vivavoce-model"] == "whisper-tiny"
    assert client.post(path, files=file, data={"model": "whisper-base"}).headers["x-vivavoce-model"] == "whisper-base"


def test_a_deployment_needs_the_key(locked: TestClient) -> None:
    assert locked.post("/openai/deployments/tts/audio/speech", json={"input": "Hello."}).status_code == 401


@pytest.mark.parametrize("path", ["/openai/v1/models", "/openai/models"])
def test_models_are_listed(serve: Serve, path: str) -> None:
    assert "whisper-base" in {each["id"] for each in serve().get(path, params=VERSION).json()["data"]}


@pytest.mark.parametrize("path", ["/openai/nothing", "/openai/deployments/a/chat/completions", "/openai"])
def test_other_paths_are_not_found(serve: Serve, path: str) -> None:
    assert serve().post(path).status_code == 404


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # of the client's own methods
def test_the_client_of_azure_transcribes_and_speaks(locked: TestClient) -> None:
    client = AzureOpenAI(
        azure_endpoint="http://testserver",
        api_key="secret",
        api_version=VERSION["api-version"],
        http_client=locked,
    )
    recording = ("a.wav", wav_file(TWO_WORDS))
    assert client.audio.transcriptions.create(model="my-whisper", file=recording).text == "440. 880."
    assert client.audio.translations.create(model="my-whisper", file=recording).text == "440. 880."
    assert client.audio.speech.create(model="tts-hd", voice="alloy", input="Hello.").content
