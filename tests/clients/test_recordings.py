"""Recordings, voices and models over HTTP, with scripted models."""

import asyncio
import io
import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clients
from clients import ConnectionRefused, RequestFailed
from clients.options import unknown_language
from clients.recordings import models, stream, subtitles, transcribe, voices
from tests.support.http_service import HttpService, http_service
from tests.support.recordings import silence, tone, wav_file


@pytest.fixture(scope="module")
def service() -> Iterator[HttpService]:
    with http_service() as service:
        yield service


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / 'a "talk" é.wav'
    path.write_bytes(wav_file(np.concatenate([silence(0.5), tone(0.6, 440.0), silence(1.0), tone(0.6, 880.0)])))
    return path


def test_a_recording_is_transcribed_with_times(service: HttpService, recording: Path) -> None:
    transcript = transcribe(recording, service.address, language="en")
    assert (transcript.text, transcript.language) == ("440. 880.", "english")
    assert transcript.duration == pytest.approx(2.7)
    assert [word.text for word in transcript.words] == ["440.", "880."]
    assert transcript.segments[0].start == pytest.approx(0.5, abs=0.1)


def test_subtitles_are_those_of_the_server(service: HttpService, recording: Path) -> None:
    assert subtitles(recording, "srt", f"{service.address}/v1/realtime").startswith("1\n00:00:00,")
    assert subtitles(recording, "vtt", service.address.replace("http", "ws")).startswith("WEBVTT")


def test_an_address_may_be_a_host_and_a_port(service: HttpService, recording: Path) -> None:
    assert transcribe(recording, service.address.removeprefix("http://")).text == "440. 880."


def test_voices_and_models_are_listed(service: HttpService) -> None:
    assert "whisper-base" in models(service.address)
    assert isinstance(voices(service.address), list)


def test_the_same_is_there_for_asyncio(service: HttpService, recording: Path) -> None:
    assert asyncio.run(clients.transcribe(recording, service.address)).text == "440. 880."


def test_a_file_that_is_no_recording_is_refused_by_name(service: HttpService, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Nothing to hear.")
    with pytest.raises(RequestFailed) as refusal:
        transcribe(path, service.address)
    assert refusal.value.code == "invalid_file_format"


def test_a_model_for_which_the_default_would_answer_is_refused_before_it_is_sent_a_recording(
    service: HttpService, recording: Path
) -> None:
    service.responses.clear()
    for request in (transcribe, lambda path, url, model: list(stream(path, url, fields=[("model", model)]))):
        with pytest.raises(RequestFailed, match="the server has no model my-asr for captions") as refusal:
            request(recording, service.address, model="my-asr")
        assert refusal.value.code == "model_not_found"
    assert not {"/v1/audio/transcriptions", "/v1/audio/translations"} & {each.path for each in service.responses}


def test_a_model_is_refused_by_the_answer_where_the_key_is_only_for_uploads(recording: Path) -> None:
    with http_service(api_keys=frozenset({"right"})) as service:
        headers = {"Authorization": "Bearer right", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{service.address}/v1/realtime/client_secrets", b"{}", headers)
        with urllib.request.urlopen(request) as answer:
            secret = json.load(answer)["value"]
        with pytest.raises(RequestFailed, match="the server has no model my-asr for captions"):
            transcribe(recording, service.address, api_key=secret, model="my-asr")
        assert transcribe(recording, service.address, api_key=secret, model="whisper-base").text == "440. 880."


@pytest.mark.parametrize("wrong", [None, 8000, b"127.0.0.1:8000"])
def test_what_is_no_string_is_no_address_and_no_key(service: HttpService, wrong: Any) -> None:
    with pytest.raises(TypeError, match="an address is a string, such as 127"):
        voices(wrong)
    if wrong is not None:
        with pytest.raises(TypeError, match="an API key is a string, not"):
            voices(service.address, api_key=wrong)


def test_a_recording_may_be_its_contents_or_an_open_file(service: HttpService, recording: Path) -> None:
    contents = recording.read_bytes()
    file = io.BytesIO(b"??" + contents)
    for _ in range(2):
        file.seek(2)
        assert transcribe(file, service.address).text == "440. 880."
        assert file.tell() == 2
    assert transcribe(contents, service.address).text == "440. 880."
    with recording.open("rb") as opened:
        assert subtitles(opened, "srt", service.address) == subtitles(recording, "srt", service.address)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"language": 5}, "language is a string, not int"),
        ({"model": 5}, "model is a string, not int"),
        ({"prompt": ["a"]}, "prompt is a string, not list"),
        ({"timeout": "x"}, "timeout is a number, not str"),
        ({"timeout": -1.0}, "timeout is a number of at least 0, not -1"),
    ],
)
def test_an_argument_of_another_type_is_named(recording: Path, arguments: dict[str, Any], error: str) -> None:
    for request in (transcribe, subtitles):
        with pytest.raises((TypeError, ValueError), match=error):
            request(recording, url="127.0.0.1:9", **arguments)


@pytest.mark.parametrize("form", ["sr", "SRT", None, "http://127.0.0.1:9"])
def test_another_form_of_subtitles_is_refused_by_its_name_here(recording: Path, form: Any) -> None:
    with pytest.raises(ValueError, match=f"form is srt or vtt, not {form!r}"):
        subtitles(recording, form, "127.0.0.1:9")


def test_a_language_that_nobody_knows_is_refused_as_in_live_captions(service: HttpService, recording: Path) -> None:
    with pytest.raises(RequestFailed) as refusal:
        transcribe(recording, service.address, language="xx")
    live = unknown_language("xx")
    assert (str(refusal.value), refusal.value.code) == (str(live), live.code)
    assert refusal.value.param == live.param == "language"


def test_a_wrong_key_and_a_lack_of_servers_are_refusals(recording: Path) -> None:
    with http_service(api_keys=frozenset({"right"})) as service:
        with pytest.raises(ConnectionRefused) as refusal:
            transcribe(recording, service.address, api_key="wrong")
        assert (refusal.value.status, refusal.value.code) == (401, "invalid_api_key")
    with pytest.raises(ConnectionRefused, match=r"no server answers at 127\.0\.0\.1:9$"):
        models("http://127.0.0.1:9")
    with pytest.raises(ConnectionRefused, match="no address"):
        models("file:///etc/passwd")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"", "closed the connection"), (b"\x15\x03\x01\0\2\2F", "does not answer with HTTP")],
)
def test_an_address_of_http_whose_server_speaks_tls_is_said_to_be_perhaps_one(answer: bytes, reason: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)  # all of it, or the connection would be reset
                connection.sendall(answer)

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(ConnectionRefused) as refusal:
            models(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert str(refusal.value).endswith(f"the server {reason}; if it speaks TLS, its address begins with https")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://[::1", "http:/voice.example"])
def test_what_is_no_address_is_a_refusal(url: str) -> None:
    with pytest.raises(ConnectionRefused, match="is no address of a server"):
        voices(url)
