"""Refused uploads: unknown models and paths, files without audio, a decompression bomb, malformed bodies."""

import base64
import json
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.support.client_programs import ALL_CLIENTS, CURL, OPENAI, PublishedClient, by, refused
from tests.support.http_service import HttpService
from tests.support.recordings import wav_file
from tests.support.scripted_models import ScriptedRecognizer
from tests.support.uploads import TWO_WORDS

URL = "/v1/audio/transcriptions"


@by(*ALL_CLIENTS)
def test_an_unknown_model_is_404_with_its_own_code(client: PublishedClient, recordings: Path) -> None:
    with refused(client, 404, "model_not_found", "model", "The model 'whisper-huge' does not exist"):
        client.transcribe(recordings / "two-words.wav", model="whisper-huge")


@by(*OPENAI, CURL)
def test_an_unknown_path_is_404_with_a_different_code(client: PublishedClient) -> None:
    with refused(client, 404, "not_found", None, "There is no endpoint at this path"):
        client.do("get", path="/nothing")


@by(*ALL_CLIENTS)
@pytest.mark.parametrize(
    ("file", "code", "words"),
    [
        ("empty.wav", "empty_file", "empty"),
        ("header-only.wav", "audio_too_short", "too short"),
        ("letter.mp3", "invalid_file_format", "Invalid file format"),
        ("silent-film.mp4", "no_audio_stream", "no audio"),
        ("one-hertz.wav", "unsupported_audio", "sample rate of 1 Hz"),
    ],
)
def test_a_bad_file_is_sent_only_once(
    client: PublishedClient, server: HttpService, recordings: Path, file: str, code: str, words: str
) -> None:
    with refused(client, 400, code, "file", words):
        replace(client, retries=2).transcribe(recordings / file)
    assert [answer.status for answer in server.responses if answer.path == URL] == [400]


@by(*OPENAI)
def test_a_request_that_would_fail_again_is_not_retried(
    client: PublishedClient, server: HttpService, recognizer: ScriptedRecognizer, recordings: Path
) -> None:
    recognizer.failure = ZeroDivisionError("a bug")
    with refused(client, 500, "internal_error", None, "Internal error"):
        replace(client, retries=2).transcribe(recordings / "two-words.wav")
    assert [answer.status for answer in server.responses if answer.path == URL] == [500]


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a FLAC file of 31 minutes of silence that hides its length (RFC 9639, section 8.2); 119 MB decoded."""
    path = tmp_path_factory.mktemp("silence") / "silence.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 60 * 16_000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16_000
        for _ in range(31):
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    return path


@by(*ALL_CLIENTS)
def test_a_decompression_bomb_is_refused_and_takes_little_memory(client: PublishedClient, bomb: Path) -> None:
    before = most_memory()
    with refused(client, 413, "audio_too_long", "file", "longer than 1800 seconds"):
        client.transcribe(bomb)
    assert most_memory() - before < 100e6


def most_memory() -> float:
    """Return the peak memory of this process, which runs the server, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def sent(client: PublishedClient, content_type: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Post `body` with curl and return the status and the JSON."""
    options = ["-H", f"Content-Type: {content_type}", "--data-binary", "@-"]
    answer = client.do("send", path=URL, options=options, body=body.decode("latin-1"))
    return answer["status"], json.loads(base64.b64decode(answer["data"]))


@by(CURL)
@pytest.mark.parametrize(
    ("content_type", "end"),
    [
        ("multipart/form-data", b"\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=c", b"\r\n--b--\r\n"),
    ],
    ids=["no boundary", "truncated", "another boundary"],
)
def test_a_malformed_form_is_400(client: PublishedClient, content_type: str, end: bytes) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + wav_file(TWO_WORDS) + end
    status, body = sent(client, content_type, form)
    assert (status, body["error"]["code"], body["detail"]) == (400, "invalid_multipart", body["error"]["message"])


@by(CURL)
def test_the_file_may_be_within_json(client: PublishedClient) -> None:
    file = base64.b64encode(wav_file(TWO_WORDS)).decode()
    status, body = sent(client, "application/json", json.dumps({"model": "whisper-1", "file": file}).encode())
    assert (status, body["text"]) == (200, "440. 880.")


@by(CURL)
def test_a_placeholder_instead_of_the_file_is_400(client: PublishedClient) -> None:
    status, body = sent(client, "application/json", b'{"model": "whisper-1", "file": "<audio bytes>"}')
    assert (status, body["error"]["param"], body["detail"]) == (400, "file", body["error"]["message"])


@by(CURL)
def test_a_wrong_method_is_405_and_names_the_allowed_one(client: PublishedClient) -> None:
    answer = client.do("send", path=URL, options=["-X", "PUT"])
    assert answer["status"] == 405
    assert set(answer["headers"]["allow"].split(", ")) == {"OPTIONS", "POST"}
    assert json.loads(base64.b64decode(answer["data"]))["error"]["code"] == "method_not_allowed"
