"""What becomes of HTTP requests when the server ends. For sessions see `test_websocket`."""

import concurrent.futures
import io
import wave

import httpx
import pytest

from realtime.audio.formats import SAMPLE_RATE, Encoding, encode
from tests.support.held_engines import HeldDecoding
from tests.support.realtime_service import realtime_service
from tests.support.scripted_engines import ScriptedEngines, say_numbers


def recording() -> bytes:
    """Return a WAV file of a few words."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        writer.writeframes(encode(say_numbers([1, 2, 3]), Encoding.PCM16))
    return file.getvalue()


def test_an_upload_that_the_shutdown_cuts_off_is_refused_with_retry_after(caplog: pytest.LogCaptureFixture) -> None:
    engines = HeldDecoding()
    with realtime_service(engines) as server, concurrent.futures.ThreadPoolExecutor() as pool:
        upload = pool.submit(
            httpx.post,
            f"http://127.0.0.1:{server.port}/v1/audio/transcriptions",
            data={"model": "whisper-1"},
            files={"file": recording()},
        )
        assert engines.entered.wait(5)
        server.stop(timeout=0)
        try:
            answer = upload.result(5)
        finally:
            engines.gate.set()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "server_overloaded")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["x-request-id"]
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def test_a_response_that_has_started_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    with (
        realtime_service(ScriptedEngines(speaking=0.5)) as server,
        httpx.stream(
            "POST",
            f"http://127.0.0.1:{server.port}/v1/audio/speech",
            json={"model": "tts-1", "input": "Some text. " * 40, "response_format": "pcm", "stream": True},
        ) as answer,
    ):
        chunks = answer.iter_raw()
        assert next(chunks)
        server.stop(timeout=0)
        with pytest.raises(httpx.RemoteProtocolError):
            list(chunks)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
