"""Models and their names, API keys, full queues, disconnecting clients, voices and health."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from realtime.errors import Overloaded
from tests.support.client_programs import (
    ALL_CLIENTS,
    CURL,
    NODE,
    OPENAI,
    PYTHON,
    XINFERENCES,
    Process,
    PublishedClient,
    by,
    refused,
)
from tests.support.http_service import KEY, HttpService, http_service
from tests.support.scripted_models import ScriptedRecognizer, ScriptedSynthesizer


@by(*ALL_CLIENTS)
def test_models_are_listed_and_described(client: PublishedClient) -> None:
    assert {"whisper-base", "hibari-tts", "someone/their-whisper"} <= set(client.do("models"))
    model = client.do("model", name="hibari-tts")
    assert (model["owned_by"], model["model_type"]) == ("vivavoce", "audio")


@by(*ALL_CLIENTS)
@pytest.mark.parametrize("escaped", [False, True], ids=["as it is", "escaped"])
def test_a_name_may_have_a_slash(client: PublishedClient, escaped: bool) -> None:
    name = "someone%2Ftheir-whisper" if escaped and client.name == CURL else "someone/their-whisper"
    assert client.do("model", name=name)["id"] == "someone/their-whisper"


@by(*ALL_CLIENTS)
def test_a_deleted_model_is_unloaded(client: PublishedClient, server: HttpService, recordings: Path) -> None:
    client.transcribe(recordings / "two-words.wav", model="whisper-tiny")
    assert client.do("model", name="whisper-tiny")["loaded"]
    gone = client.do("delete", name="whisper-tiny")
    expected = {"id": "whisper-tiny", "object": "model", "deleted": True}
    assert gone == (None if client.name in XINFERENCES else expected)
    assert not client.do("model", name="whisper-tiny")["loaded"]


@by(*XINFERENCES)
def test_a_launched_model_has_its_name_for_all_clients(
    client: PublishedClient, process: Callable[[str], Process], recordings: Path
) -> None:
    assert client.do("launch", model_name="whisper-tiny") == "whisper-tiny"
    assert client.do("launch", model_name="whisper-tiny", model_uid="mine") == "mine"
    assert client.do("model", name="mine")["model_name"] == "whisper-tiny"
    openai = replace(client, name=PYTHON, process=process(PYTHON))
    assert openai.transcribe(recordings / "two-words.wav", model="mine")["text"] == "440. 880."
    assert client.do("delete", name="mine") is None
    with refused(client, 404, "model_not_found", "model", "The model 'mine' does not exist"):
        client.do("model", name="mine")


@by(*XINFERENCES)
@pytest.mark.parametrize("options", [{}, {"wait_ready": False}], ids=["waited for", "left to itself"])
def test_an_unknown_model_is_not_launched(client: PublishedClient, options: dict[str, bool]) -> None:
    with refused(client, 404, "model_not_found", "model", "The model 'nobody' does not exist"):
        client.do("launch", model_name="nobody", **options)


@by(*ALL_CLIENTS)
def test_a_wrong_key_is_401(client: PublishedClient) -> None:
    with refused(client, 401, "invalid_api_key", None, "Incorrect API key provided"):
        replace(client, key="wrong").do("models")


@by(*XINFERENCES, CURL)
def test_no_key_is_401(client: PublishedClient) -> None:
    with refused(client, 401, "invalid_api_key", None, "Incorrect API key provided"):
        replace(client, key=None).do("models")


@by(*XINFERENCES)
def test_logging_in_with_a_key_as_the_password_grants_access(client: PublishedClient) -> None:
    assert "whisper-base" in replace(client, key=None).do("login", name="anybody", password=KEY)
    client.process.end()  # which would stay logged in


@pytest.fixture(scope="module")
def narrow_server() -> Iterator[HttpService]:
    """Run a server that takes one upload and one speech request at a time and requires no key."""
    with http_service(max_concurrent_uploads=1, max_sessions=1) as server:
        yield server


@by(*ALL_CLIENTS)
def test_any_key_is_accepted_if_none_is_required(client: PublishedClient, narrow_server: HttpService) -> None:
    assert "whisper-base" in replace(client, address=narrow_server.address, key="any").do("models")


class Gate(asyncio.Event):
    """An event that counts the tasks waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Semaphore(0)

    async def wait(self) -> Any:
        self.reached.release()
        return await super().wait()


UPLOAD_TIMEOUT: Final = 120
"""Seconds. `full_server` holds an upload for as long as the tests of this module run."""


def upload(server: HttpService, file: Path) -> httpx.Response:
    url = f"{server.address}/v1/audio/transcriptions"
    return httpx.post(url, data={"model": "whisper-1"}, files={"file": file.read_bytes()}, timeout=UPLOAD_TIMEOUT)


@contextmanager
def filled(server: HttpService, count: int, file: Path) -> Iterator[None]:
    """Keep `count` uploads in progress until the block ends."""
    recognizer = server.models.recognizers["whisper-base"] = ScriptedRecognizer("whisper-base")
    gate = recognizer.gate = Gate()
    with ThreadPoolExecutor(count) as pool:
        uploads = [pool.submit(upload, server, file) for _ in range(count)]
        try:
            assert all(gate.reached.acquire(timeout=10) for _ in uploads)
            yield
        finally:
            if recognizer.loop is not None:
                recognizer.loop.call_soon_threadsafe(gate.set)
        assert [each.result().status_code for each in uploads] == [200] * count


@pytest.fixture(scope="module")
def full_server(recordings: Path) -> Iterator[HttpService]:
    with http_service(max_concurrent_uploads=1) as server, filled(server, 1, recordings / "two-words.wav"):
        yield server


@by(*ALL_CLIENTS)
def test_one_upload_too_many_is_429(client: PublishedClient, full_server: HttpService, recordings: Path) -> None:
    with refused(client, 429, "queue_full", None, "Too many uploads are in progress"):
        replace(client, address=full_server.address).transcribe(recordings / "two-words.wav")
    assert int(full_server.responses[-1].headers["retry-after"]) > 0


def test_openai_s_clients_retry_after_429(process: Callable[[str], Process], recordings: Path) -> None:
    with http_service(max_concurrent_uploads=3) as server:
        clients = [PublishedClient(name, process(name), server.address, "any", retries=2) for name in OPENAI]
        with filled(server, 3, recordings / "two-words.wav"):
            for client in clients:
                whole = {"whole": True} if client.name == NODE else {}
                client.begin("transcribe", file=str(recordings / "two-words.wav"), **whole)
            server.wait_for(429, count=3)
        assert [client.end()["value"]["text"] for client in clients] == ["440. 880."] * 3


@by(*ALL_CLIENTS)
def test_a_loading_model_is_503(client: PublishedClient, server: HttpService, recordings: Path) -> None:
    server.models.refusals["whisper-tiny"] = Overloaded("The model whisper-tiny is not ready yet.", retry_after=30)
    with refused(client, 503, "server_overloaded", None, "not ready yet"):
        client.transcribe(recordings / "two-words.wav", model="whisper-tiny")
    assert server.responses[-1].headers["retry-after"] == "30"


@by(*OPENAI)
def test_openai_s_clients_retry_while_a_model_is_loading(
    client: PublishedClient, server: HttpService, recordings: Path
) -> None:
    server.models.refusals["whisper-tiny"] = Overloaded("The model whisper-tiny is not ready yet.", retry_after=1)
    whole = {"whole": True} if client.name == NODE else {}
    said = replace(client, retries=2).transcribe(recordings / "two-words.wav", model="whisper-tiny", **whole)
    assert said["text"] == "440. 880."
    assert [answer.status for answer in server.responses[-2:]] == [503, 200]


@by(CURL)
def test_a_server_that_is_loading_models_says_when_to_retry(client: PublishedClient, server: HttpService) -> None:
    server.models.ready = False
    answer = client.do("send", path="/readyz")
    server.models.ready = True
    assert answer["status"] == 503
    assert int(answer["headers"]["retry-after"]) > 0


@by(*ALL_CLIENTS)
def test_a_client_that_disconnects_releases_the_slot_of_its_upload(
    client: PublishedClient, narrow_server: HttpService, recordings: Path
) -> None:
    recognizer = narrow_server.models.recognizers["whisper-base"] = ScriptedRecognizer("whisper-base")
    gate = recognizer.gate = Gate()
    replace(client, address=narrow_server.address).begin("transcribe", file=str(recordings / "six-words.wav"))
    assert gate.reached.acquire(timeout=10)
    client.process.end()
    assert recognizer.cancelled.wait(1)
    recognizer.gate = None
    within_a_second(lambda: upload(narrow_server, recordings / "two-words.wav"))


@by(*OPENAI, CURL)
def test_a_client_that_leaves_a_stream_releases_its_slot(
    client: PublishedClient, narrow_server: HttpService, recordings: Path
) -> None:
    recognizer = narrow_server.models.recognizers["whisper-base"] = ScriptedRecognizer("whisper-base")
    recognizer.gate, recognizer.free = Gate(), 1
    leaving = replace(client, address=narrow_server.address)
    leaving.begin("transcribe", file=str(recordings / "six-words.wav"), stream=True)
    leaving.wait_for_first()
    client.process.end()
    assert recognizer.cancelled.wait(1)
    recognizer.gate = None
    within_a_second(lambda: upload(narrow_server, recordings / "two-words.wav"))


@by(*ALL_CLIENTS)
def test_a_client_that_disconnects_releases_the_slot_of_its_speech(
    client: PublishedClient, narrow_server: HttpService
) -> None:
    synthesizer = narrow_server.models.synthesizers["hibari-tts"] = ScriptedSynthesizer("hibari-tts")
    synthesizer.gate = Gate()
    leaving = replace(client, address=narrow_server.address)
    leaving.begin("speak", input="Ten chars.", response_format="wav", stream=True)
    leaving.wait_for_first()
    client.process.end()
    synthesizer.gate = None
    speech = {"model": "tts-1", "input": "Hello."}
    within_a_second(lambda: httpx.post(f"{narrow_server.address}/v1/audio/speech", json=speech, timeout=20))


def within_a_second(attempt: Callable[[], httpx.Response]) -> None:
    """Repeat `attempt` until it is no longer answered with 429."""
    deadline = time.monotonic() + 1
    while (answer := attempt()).status_code == 429:
        assert time.monotonic() < deadline
    assert answer.status_code == 200


@by(CURL)
def test_voices_are_listed_under_either_name(client: PublishedClient) -> None:
    answer = client.do("get", path="/audio/voices")
    assert answer["voices"] == answer["data"]
    assert [(voice["id"], voice["name"]) for voice in answer["voices"]] == [("amber", "amber"), ("birch", "birch")]


@by(CURL)
def test_a_running_server_is_healthy(client: PublishedClient) -> None:
    assert client.do("send", path="/health")["status"] == 200


@by(CURL)
def test_loaded_models_are_listed(client: PublishedClient, recordings: Path) -> None:
    client.transcribe(recordings / "two-words.wav", model="whisper-tiny")
    answer = client.do("send", path="/api/ps")
    assert json.loads(base64.b64decode(answer["data"])) == {"models": ["whisper-tiny"]}
