"""Deepgram's websockets, through the whole service with scripted engines."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from realtime.audio.formats import Encoding, encode
from tests.support.realtime_service import RATE, SILENT, TIMEOUT, RealtimeService, realtime_service, utterance
from tests.support.recorders import recorded
from tests.support.recordings import silence
from tests.support.scripted_engines import say_numbers, transcript_of

LISTEN = f"/v1/listen?encoding=linear16&sample_rate={RATE}&punctuate=true"
WEBM = "audio/webm;codecs=pcm"
SPOKEN = np.concatenate([silence(0.4), say_numbers([3, 1, 4]), silence(0.8)])


@pytest.fixture(scope="module")
def server() -> Iterator[RealtimeService]:
    with realtime_service(api_keys=("first-key",)) as service:
        yield service


def connected(server: RealtimeService, path: str, **options: Any) -> ClientConnection:
    options = options or {"additional_headers": {"authorization": "Token first-key"}}
    url = f"ws://127.0.0.1:{server.port}{path}"
    socket: ClientConnection = connect(url, compression=None, logger=SILENT, **options)
    return socket


def to_the_end(socket: ClientConnection) -> tuple[list[Any], bytes, str]:
    """Return the messages and the audio until the server closes, and the code and reason of that."""
    messages, audio = [], b""
    with suppress(ConnectionClosed):
        while True:
            message = socket.recv(timeout=TIMEOUT)
            if isinstance(message, str):
                messages.append(json.loads(message))
            else:
                audio += message
    return messages, audio, f"{socket.close_code} {socket.close_reason}"


def test_speech_is_transcribed_and_the_connection_closed_when_the_stream_ends(server: RealtimeService) -> None:
    with connected(server, LISTEN) as socket:
        socket.send(encode(utterance([3, 1, 4]), Encoding.PCM16))
        socket.send('{"type":"CloseStream"}')
        messages, _, closed = to_the_end(socket)
    assert [each["type"] for each in messages] == ["Results", "Metadata"]
    assert messages[0]["channel"]["alternatives"][0]["transcript"] == transcript_of([3, 1, 4])
    assert closed == "1000 "


def test_audio_in_a_container_is_transcribed(server: RealtimeService) -> None:
    with connected(server, "/v1/listen?punctuate=true") as socket:
        socket.send(recorded(SPOKEN, WEBM))
        socket.send('{"type":"CloseStream"}')
        messages, _, _ = to_the_end(socket)
    assert messages[0]["channel"]["alternatives"][0]["transcript"] == transcript_of([3, 1, 4])


def test_what_is_no_audio_closes_the_connection(server: RealtimeService) -> None:
    with connected(server, "/v1/listen") as socket:
        socket.send(b"no audio at all " * 100_000)
        socket.send('{"type":"CloseStream"}')
        messages, _, closed = to_the_end(socket)
    assert messages[0]["type"] == "Error"
    assert closed.startswith("1008 DATA-0000")


def test_text_is_spoken_and_the_connection_closed_after_it(server: RealtimeService) -> None:
    with connected(server, "/v1/speak?encoding=mulaw") as socket:
        for message in ({"type": "Speak", "text": "Hello there."}, {"type": "Flush"}, {"type": "Close"}):
            socket.send(json.dumps(message))
        messages, audio, closed = to_the_end(socket)
    assert [each["type"] for each in messages] == ["Metadata", "Flushed"]
    assert len(audio) > 4000
    assert closed == "1000 "


@pytest.mark.parametrize("scheme", ["token", "bearer"])
def test_a_browser_sends_its_key_as_a_subprotocol(server: RealtimeService, scheme: str) -> None:
    with connected(server, LISTEN, subprotocols=[scheme, "first-key"]) as socket:
        assert socket.subprotocol == scheme


@pytest.mark.parametrize(
    ("path", "key", "status", "code"),
    [
        (LISTEN, "wrong", 401, "INVALID_AUTH"),
        ("/v1/listen?encoding=amr-nb", "first-key", 400, "Bad Request"),
        ("/v1/speak?encoding=mp3", "first-key", 400, "Bad Request"),
    ],
)
def test_a_refusal_has_the_form_of_deepgram(
    server: RealtimeService, path: str, key: str, status: int, code: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connected(server, path, additional_headers={"authorization": f"Token {key}"})
    response = refused.value.response
    body = json.loads(response.body or b"")
    assert (response.status_code, body["err_code"]) == (status, code)
    assert body.keys() == {"err_code", "err_msg", "request_id"}


def test_a_client_that_sends_nothing_is_told_why_it_is_disconnected(
    server: RealtimeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.wire.deepgram.listen.IDLE_SECONDS", 0.1)
    with connected(server, LISTEN) as socket:
        _, _, closed = to_the_end(socket)
    assert closed.startswith("1011 NET-0001")


def test_a_dialect_that_is_not_served_has_no_endpoint() -> None:
    with realtime_service(dialects=("deepgram",)) as service:
        with pytest.raises(InvalidStatus) as refused:
            connected(service, "/v1/realtime", additional_headers={})
        assert refused.value.response.status_code == 404
        with connected(service, LISTEN, additional_headers={}):
            pass
