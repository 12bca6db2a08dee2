"""Clients of vosk-server and WhisperLive over the whole service, with scripted engines."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from realtime.audio.formats import SAMPLE_RATE, Encoding, encode
from tests.support.realtime_service import SILENT, TIMEOUT, RealtimeService, read_to_end, realtime_service
from tests.support.recordings import silence
from tests.support.scripted_engines import say_numbers

KEY = "a key"


@pytest.fixture(scope="module")
def service() -> Iterator[RealtimeService]:
    with realtime_service() as service:
        yield service


def open_at(service: RealtimeService, path: str) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{service.port}{path}", compression=None, logger=SILENT)


def frames(numbers: list[int]) -> list[bytes]:
    """Return an utterance in messages of 0.2 s."""
    spoken = np.concatenate([silence(0.4, SAMPLE_RATE), say_numbers(numbers), silence(0.8, SAMPLE_RATE)])
    data, size = encode(spoken, Encoding.PCM16), SAMPLE_RATE * 2 // 5
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("path", ["/", "/vosk", "/vosk?language=en"])
def test_a_client_of_vosk_gets_an_answer_to_each_message(service: RealtimeService, path: str) -> None:
    with open_at(service, path) as socket:
        socket.send(json.dumps({"config": {"sample_rate": SAMPLE_RATE}}))
        answers = []
        for frame in frames([1, 2]):
            socket.send(frame)
            answers.append(json.loads(socket.recv(timeout=TIMEOUT)))
        socket.send('{"eof" : 1}')
        answers.append(json.loads(socket.recv(timeout=TIMEOUT)))
        assert read_to_end(socket) == 1000
    assert [each["text"] for each in answers if each.get("text")] == ["word1 word2"]


@pytest.mark.parametrize("path", ["/", "/whisperlive"])
def test_a_client_of_whisperlive_gets_its_segments(service: RealtimeService, path: str) -> None:
    with open_at(service, path) as socket:
        socket.send(json.dumps({"uid": "me", "language": "en", "audio_format": "int16"}))
        assert json.loads(socket.recv(timeout=TIMEOUT))["message"] == "SERVER_READY"
        for frame in [b"".join(frames([1, 2])), b"END_OF_AUDIO"]:
            socket.send(frame)
        messages = [json.loads(message) for message in socket]
    assert [each["text"] for each in messages[-1]["segments"]] == ["word1 word2"]
    assert socket.close_code == 1000


def test_a_client_that_says_nothing_is_closed() -> None:
    with realtime_service(idle_timeout_seconds=0.2) as service:
        for path, idle in (("/vosk", {"error"}), ("/whisperlive", {"uid", "status", "message"}), ("/", {"error"})):
            with open_at(service, path) as socket:
                assert json.loads(socket.recv(timeout=TIMEOUT)).keys() == idle
                assert read_to_end(socket) == 1001


@pytest.mark.parametrize("path", ["/vosk", "/whisperlive"])
def test_the_key_is_the_end_of_the_path(path: str) -> None:
    with realtime_service(api_keys=(KEY,)) as service:
        with open_at(service, f"{path}/a%20key"):
            pass
        for wrong in (path, f"{path}/another"):
            with pytest.raises(InvalidStatus) as refused, open_at(service, wrong):
                pass
            assert refused.value.response.status_code == 401
