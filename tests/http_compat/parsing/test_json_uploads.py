"""A recording in a JSON body, as in Xinference's documentation."""

import base64
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.recordings import wav_file
from tests.support.scripted_models import ScriptedRecognizer, Serve
from tests.support.uploads import LONG, TRANSCRIPTIONS, TRANSLATIONS, TWO_WORDS, error

ENCODED = base64.b64encode(wav_file(TWO_WORDS)).decode()


def post(client: TestClient, body: Any, path: str = TRANSCRIPTIONS) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, content=content, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    "prefix", ["", "data:audio/wav;base64,", "data:;base64,", "data:audio/ogg;codecs=opus;base64,"]
)
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
def test_a_file_in_base64_is_transcribed(client: TestClient, path: str, prefix: str) -> None:
    answer = post(client, {"model": "whisper-1", "file": prefix + ENCODED}, path)
    assert (answer.status_code, answer.json()["text"]) == (200, "440. 880.")


@pytest.mark.parametrize("field", [{"keywords": "a," * 40_000}, {f"field {n}": "some text" for n in range(9_000)}])
def test_the_fields_besides_the_file_are_limited(client: TestClient, field: dict[str, str]) -> None:
    answer = post(client, {"model": "whisper-1", "file": ENCODED, **field})
    assert answer.status_code == 400


def test_the_fields_are_those_of_the_form(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    fields = {
        "language": "en", "temperature": 0.4, "response_format": "verbose_json", "stream": False, "prompt": None,
        "timestamp_granularities": ["word", "segment"], "chunking_strategy": {"type": "server_vad", "threshold": 0.6},
        "kwargs": "{}", "keywords": ["Ada"], "beam_size": 2,
    }  # fmt: skip
    answer = post(client, {"model": "whisper-1", "file": ENCODED, **fields}).json()
    assert len(answer["words"]) == len(answer["segments"]) == 2
    request = recognizer.requests[0]
    assert (request.language, request.hotwords, request.prompt) == ("en", "Ada", "")
    assert (request.decoding.temperatures, request.decoding.beam_size) == ((0.4,), 2)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{", "invalid_json", None),
        (b"[]", "invalid_json", None),
        (b'{"model": "\xff"}', "invalid_json", None),
        (b'{"model": "\\ud800"}', "invalid_value", "model"),
        (b'{"\\ud800": "\\ud800"}', "invalid_json", None),
        (b'{"file": ' + b"[" * 100_000, "invalid_json", None),
        ({"model": "whisper-1"}, "missing_required_parameter", "file"),
        ({"file": ENCODED}, "missing_required_parameter", "model"),
        ({"model": "whisper-1", "file": 7}, "invalid_type", "file"),
        ({"model": "whisper-1", "file": "<audio bytes>"}, "invalid_type", "file"),
        ({"model": "whisper-1", "file": "/etc/passwd"}, "invalid_type", "file"),
        ({"model": "whisper-1", "file": "https://pages.example/a.wav"}, "invalid_type", "file"),
        ({"model": "whisper-1", "file": ""}, "empty_file", "file"),
        ({"model": "whisper-1", "file": "data:audio/wav;base64,"}, "empty_file", "file"),
        ({"model": "whisper-1", "file": "YSBsZXR0ZXI="}, "invalid_file_format", "file"),
        ({"model": "whisper-1", "file": ENCODED, "temperature": 1e300}, "invalid_value", "temperature"),
        ({"model": "whisper-1", "file": ENCODED, "kwargs": {"a": {"b": {"c": 1}}}}, "invalid_type", "kwargs[a][b]"),
    ],
)
def test_an_invalid_body_is_400(client: TestClient, body: Any, code: str, param: str | None) -> None:
    assert error(post(client, body)) == (400, code, param)


def test_a_long_file_is_transcribed_too(client: TestClient) -> None:
    answer = post(client, {"model": "whisper-1", "file": base64.b64encode(wav_file(LONG)).decode()})
    assert answer.json()["text"] == "440. 660. 880. 1100. 1320. 1540."


def test_a_file_not_in_base64_is_400_with_a_hint(client: TestClient) -> None:
    answer = post(client, {"model": "whisper-1", "file": "<audio bytes>"})
    assert "-F file=@" in answer.json()["detail"]


def test_a_file_within_the_limit_may_be_a_third_longer_in_base64(serve: Serve) -> None:
    size = len(wav_file(TWO_WORDS))
    body = {"model": "whisper-1", "file": ENCODED}
    assert post(serve(max_upload_bytes=size), body).status_code == 200
    assert error(post(serve(max_upload_bytes=size // 2), body)) == (413, "file_too_large", "file")


def test_a_recording_may_be_in_input_audio(client: TestClient) -> None:
    """Open WebUI's format "json" is that of OpenAI's chat API."""
    body = {"model": "whisper-1", "input_audio": {"data": ENCODED, "format": "wav"}, "language": "en"}
    answer = post(client, body)
    assert (answer.status_code, answer.json()["text"]) == (200, "440. 880.")


@pytest.mark.parametrize("input_audio", [{}, {"data": None}, {"data": 7}, {"data": ""}, "text", None])
def test_an_invalid_input_audio_is_400(client: TestClient, input_audio: Any) -> None:
    assert error(post(client, {"model": "whisper-1", "input_audio": input_audio}))[::2] == (400, "file")
