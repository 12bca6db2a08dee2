"""What HTTP clients send is not logged, whatever the level. For websockets see `edge/test_websocket.py`."""

import io
import logging
import wave

import httpx
import pytest

from realtime.audio.formats import Encoding, encode
from tests.support.realtime_service import RATE, realtime_service, utterance

KEY = "canary-key"


def recording() -> bytes:
    """Return a WAV file of the word 77."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(encode(utterance([77]), Encoding.PCM16))
    return file.getvalue()


def test_a_debug_log_contains_nothing_that_http_clients_send(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (None, "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        caplog.set_level(logging.DEBUG, logger=name)
    for name in (
        "httpx",
        "httpcore.connection",
        "httpcore.http11",
    ):  # the client of the test logs its requests
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
    with (
        realtime_service(api_keys=(KEY,)) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers={"authorization": f"Bearer {KEY}"}) as client,
    ):
        answer = client.post(
            "/v1/audio/transcriptions?canary=query",
            data={"model": "whisper-1", "prompt": "canary prompt"},
            files={"file": ("canary.wav", recording())},
        )
        assert answer.json()["text"] == "word77"
        speech = {"model": "tts-1", "voice": "alloy", "input": "A canary text.", "response_format": "pcm"}
        assert client.post("/v1/audio/speech", json=speech).is_success
        unknown = {"model": "canary-model", "voice": "canary-voice", "input": "A canary text."}
        assert client.post("/v1/audio/speech", json=unknown).headers["x-vivavoce-substituted"] == "model, voice"
        wrong = {"model": "tts-1", "voice": "alloy", "input": ["A canary text."]}
        assert client.post("/v1/audio/speech", json=wrong).is_client_error
        assert client.post("/v1/audio/transcriptions", content=b"canary").is_client_error
        assert client.get("/v1/models", headers={"authorization": "Bearer canary-wrong"}).is_client_error
    assert "ready: " in caplog.text
    assert [said for said in ("canary", "word77") if said in caplog.text] == []
