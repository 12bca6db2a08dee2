"""`POST /v1/audio/transcriptions` with scripted models: a tone of 440 Hz is the word ` 440.`."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import Message

from realtime.errors import EngineError
from realtime.scheduling.priority import Priority
from realtime.settings import Settings
from tests.support.recordings import (
    channels_file,
    compressed_file,
    film,
    silence,
    tone,
    tracks_file,
    wav_file,
    write_silence,
)
from tests.support.scripted_models import ScriptedRecognizer, Serve
from tests.support.uploads import TRANSCRIPTIONS as URL
from tests.support.uploads import TWO_WORDS, error, upload

FIELDS = {"model": "whisper-1"}


def test_a_recording_becomes_text(client: TestClient) -> None:
    answer = upload(client)
    assert answer.status_code == 200
    assert answer.json() == {"text": "440. 880.", "usage": {"type": "duration", "seconds": 5.0}}
    assert answer.headers["x-request-id"].startswith("req_")


def test_the_container_is_detected_by_its_content(client: TestClient) -> None:
    assert upload(client, compressed_file(TWO_WORDS, "mp3", "libmp3lame")).json()["text"] == "440. 880."


def test_silence_is_empty_text(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    assert upload(client, wav_file(silence(3))).json()["text"] == ""
    assert recognizer.requests == []


def test_the_track_that_was_transcribed_is_named(client: TestClient) -> None:
    file = tracks_file([silence(3), TWO_WORDS], languages=["eng", "ger"])
    track = {"index": 1, "language": "ger", "title": ""}
    for response_format in ("json", "verbose_json"):
        answer = upload(client, file, response_format=response_format)
        assert (answer.json()["text"], answer.json()["track"]) == ("440. 880.", track)
        assert answer.headers["x-vivavoce-audio-track"] == "1"
    streamed = upload(client, file, stream="true")
    assert streamed.headers["x-vivavoce-audio-track"] == "1"
    assert '"track"' in streamed.text


def test_the_track_can_be_chosen(client: TestClient) -> None:
    file = tracks_file([tone(1), TWO_WORDS], languages=["eng", "ger"])
    assert upload(client, file).json()["text"] == "440."
    assert upload(client, file, track="german").json()["text"] == "440. 880."
    assert error(upload(client, file, track="7")) == (400, "invalid_value", "track")


def test_a_truncated_recording_yields_what_there_is(client: TestClient) -> None:
    whole = wav_file(TWO_WORDS)
    assert upload(client, whole[: len(whole) // 2]).json()["text"] == "440."


def test_uploads_are_transcribed_at_the_lowest_priority(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    upload(client, prompt="numbers", language="English")
    assert recognizer.priorities == [Priority.UPLOAD]
    request = recognizer.requests[0]
    assert (request.language, request.prompt, request.final, request.word_times) == ("en", "numbers", True, False)


def test_the_end_of_a_long_prompt_is_used(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    upload(client, prompt="a" * 5000 + "b" * 1999)
    assert recognizer.requests[0].prompt == "a" + "b" * 1999


def test_each_segment_is_in_its_own_language(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    upload(client, wav_file(np.concatenate([tone(1), silence(4), tone(1)])))
    assert [request.language for request in recognizer.requests] == [None, None]


def test_a_long_recording_is_transcribed_segment_by_segment(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    pitches = [440, 660, 880, 1100, 1320]
    sounds = [part for pitch in pitches for part in (tone(9, pitch), silence(1))]
    answer = upload(client, wav_file(np.concatenate(sounds)), response_format="verbose_json").json()
    assert answer["text"] == "440. 660. 880. 1100. 1320."
    assert len(recognizer.requests) == 3
    assert [segment["start"] for segment in answer["segments"]] == pytest.approx([0, 10, 20, 30, 40], abs=0.1)
    assert [segment["end"] for segment in answer["segments"]] == pytest.approx([9, 19, 29, 39, 49], abs=0.1)
    assert answer["duration"] == 50.0


def test_words_have_times_in_the_whole_recording(client: TestClient) -> None:
    answer = upload(client, response_format="verbose_json", **{"timestamp_granularities[]": ["word"]}).json()
    assert answer["segments"] is None
    assert [each["word"] for each in answer["words"]] == ["440.", "880."]
    assert [each["start"] for each in answer["words"]] == pytest.approx([1.0, 3.0], abs=0.1)


@pytest.mark.parametrize("value", ["word,segment", '["word", "segment"]', "['word', 'segment']"])
def test_granularities_may_be_written_as_one_text(client: TestClient, value: str) -> None:
    answer = upload(client, response_format="verbose_json", timestamp_granularities=value).json()
    assert len(answer["words"]) == len(answer["segments"]) == 2


def test_subtitles_are_text(client: TestClient) -> None:
    srt = upload(client, response_format="srt")
    assert srt.headers["content-type"].startswith("application/x-subrip")
    assert srt.text.startswith("1\n00:00:0")
    assert upload(client, response_format="vtt").text.startswith("WEBVTT\n\n")
    assert upload(client, response_format="text").text == "440. 880.\n"


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"response_format": "xml"}, "invalid_value", "response_format"),
        ({"response_format": "diarized_json"}, "unsupported_value", "response_format"),
        ({"language": "klingon"}, "invalid_value", "language"),
        ({"temperature": "nan"}, "invalid_value", "temperature"),
        ({"temperature": "warm"}, "invalid_value", "temperature"),
        ({"timestamp_granularities[]": "letter"}, "invalid_value", "timestamp_granularities"),
        ({"temperature": "-1"}, "invalid_value", "temperature"),
        ({"temperature": "2"}, "invalid_value", "temperature"),
        ({"stream": "perhaps"}, "invalid_value", "stream"),
        ({"kwargs": "no object"}, "invalid_value", "kwargs"),
        ({"kwargs": "[1]"}, "invalid_value", "kwargs"),
        ({"model": "tts-1"}, "unsupported_model", "model"),
        ({"model": "hibari-tts"}, "unsupported_model", "model"),
        ({"model": "whisper-base.en", "language": "fr"}, "invalid_value", "language"),
        ({"model": "Belle-whisper-large-v3-zh", "language": "en"}, "invalid_value", "language"),
        ({"model": "whisper-base", "language": "yue"}, "invalid_value", "language"),
        ({"languages[]": ["en", "klingon"]}, "invalid_value", "languages"),
        ({"model": "whisper-base.en", "languages[]": ["de", "fr"]}, "invalid_value", "languages"),
    ],
)
def test_a_bad_field_is_400_and_named(client: TestClient, fields: dict[str, str], code: str, param: str) -> None:
    assert error(upload(client, **fields)) == (400, code, param)


def test_an_unknown_model_is_404(client: TestClient) -> None:
    assert error(upload(client, model="whisper-enormous")) == (404, "model_not_found", "model")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"a letter\n" * 100, "invalid_file_format"),
        (b"<!doctype html><title>Not found</title>", "invalid_file_format"),
        (bytes(10_000), "invalid_file_format"),
        (wav_file(silence(0)), "audio_too_short"),
        (wav_file(tone(0.05)), "audio_too_short"),
        (b"#EXTM3U\n", "invalid_file_format"),
        (b"ffconcat version 1.0\nfile secret.wav\n", "invalid_file_format"),
        (b"v=0\no=- 0 0 IN IP4 0\n", "invalid_file_format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "invalid_file_format"),
        (wav_file(silence(0.01), sample_rate=1), "unsupported_audio"),
        (film(), "no_audio_stream"),
    ],
    ids=[
        "empty",
        "text",
        "html",
        "zeros",
        "no samples",
        "too short",
        "playlist",
        "concat",
        "session description",
        "picture",
        "one hertz",
        "film",
    ],
)
def test_a_file_that_is_not_audio_is_400(client: TestClient, data: bytes, code: str) -> None:
    assert error(upload(client, data)) == (400, code, "file")


def test_a_form_without_a_model_or_a_file_is_400(client: TestClient) -> None:
    file = {"file": ("a.wav", wav_file(TWO_WORDS))}
    assert error(client.post(URL, files=file)) == (400, "missing_required_parameter", "model")
    assert error(client.post(URL, data=FIELDS, files={"other": b"x"})) == (400, "missing_required_parameter", "file")


def test_a_file_as_a_plain_field_is_400(client: TestClient) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nRIFF\r\n--b--\r\n'
    answer = client.post(URL, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert error(answer) == (400, "invalid_type", "file")


def test_two_files_are_400(client: TestClient) -> None:
    answer = client.post(URL, data=FIELDS, files=[("file", ("a", b"x")), ("file", ("b", b"y"))])
    assert error(answer) == (400, "invalid_value", "file")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=other"])
def test_a_wrong_boundary_is_400(client: TestClient, content_type: str) -> None:
    answer = client.post(URL, content=b"--b\r\n\r\n--b--", headers={"content-type": content_type})
    assert error(answer) == (400, "invalid_multipart", None)


def test_a_truncated_form_is_400(client: TestClient) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF'
    answer = client.post(URL, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert error(answer) == (400, "invalid_multipart", None)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_other_media_types_are_415(client: TestClient, content_type: str) -> None:
    answer = client.post(URL, content=b"{}", headers={"content-type": content_type})
    assert error(answer) == (415, "unsupported_media_type", None)


def test_too_many_bytes_are_413_and_the_connection_stays_open(serve: Serve) -> None:
    answer = upload(serve(max_upload_bytes=10_000))
    assert error(answer) == (413, "file_too_large", "file")
    assert "connection" not in answer.headers


def test_too_many_seconds_are_413(serve: Serve) -> None:
    assert error(upload(serve(max_upload_seconds=2.0))) == (413, "audio_too_long", "file")


def test_a_recognizer_that_fails_is_500_and_not_retried(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    recognizer.failure = EngineError("The recognizer failed.")
    answer = upload(client)
    assert error(answer) == (500, "engine_failed", None)
    assert answer.headers["x-should-retry"] == "false"


def test_the_reason_of_a_model_failure_appears_only_in_the_log(
    client: TestClient, recognizer: ScriptedRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    recognizer.failure = EngineError("There is no /home/somebody/weights.")
    answer = upload(client)
    assert answer.json()["detail"] == "The model failed. See the server log for details."
    assert f"{answer.headers['x-request-id']} failed: There is no /home/somebody/weights." in caplog.text


def test_an_unexpected_exception_while_transcribing_reveals_nothing(
    client: TestClient, recognizer: ScriptedRecognizer
) -> None:
    recognizer.failure = ZeroDivisionError("the secret of the house")
    answer = upload(client)
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_one_upload_too_many_is_429_with_retry_after(serve: Serve) -> None:
    answer = upload(serve(max_concurrent_uploads=0))
    assert error(answer) == (429, "queue_full", None)
    assert answer.json()["error"]["type"] == "rate_limit_error"
    assert int(answer.headers["retry-after"]) > 0


def test_a_failed_upload_releases_its_slot(serve: Serve) -> None:
    client = serve(max_concurrent_uploads=1)
    assert upload(client, b"a letter").status_code == 400
    assert upload(client).status_code == 200


def test_a_client_that_disconnects_cancels_the_transcription(
    application: Callable[[Settings], Starlette], recognizer: ScriptedRecognizer
) -> None:
    """Call the application as a server would: send the whole body, then disconnect while the recognizer works."""

    async def scene() -> None:
        at_work = recognizer.gate = _Gate()
        app = application(Settings(max_concurrent_uploads=1))
        body = (
            b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            + wav_file(TWO_WORDS)
            + b"\r\n--b--\r\n"
        )
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if messages:
                return messages.pop()
            await at_work.reached.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            assert message["type"] == "http.response.body" or message["status"] != 200

        scope = {
            "type": "http", "method": "POST", "path": URL, "query_string": b"", "root_path": "",
            "headers": [(b"content-type", b"multipart/form-data; boundary=b")],
        }  # fmt: skip
        await asyncio.wait_for(app(scope, receive, send), 10)

    asyncio.run(scene())
    assert recognizer.cancelled.is_set()


class _Gate(asyncio.Event):
    """An event that is never set, and tells when a task waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Any:
        self.reached.set()
        return await super().wait()


def test_an_hour_of_silence_never_reaches_the_recognizer_where_it_is_too_long(
    tmp_path: Path, serve: Serve, recognizer: ScriptedRecognizer
) -> None:
    recording = tmp_path / "silence.flac"
    write_silence(recording, hours=1, rate=4_000)
    with recording.open("rb") as file, serve(max_upload_seconds=600.0) as client:
        answer = client.post("/v1/audio/transcriptions", data={"model": "whisper-1"}, files={"file": file})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "audio_too_long")
    assert recognizer.requests == []


CALL = channels_file(
    np.concatenate([silence(1), tone(1, 440), silence(6)]), np.concatenate([silence(5), tone(1, 880), silence(2)])
)
"""A stereo recording with a word on each channel."""


@pytest.mark.parametrize("field", [{"channels": "separate"}, {"multichannel": "true"}])
def test_each_channel_can_be_a_speaker(client: TestClient, field: dict[str, str]) -> None:
    answer = upload(client, CALL, response_format="verbose_json", **field).json()
    assert answer["text"] == "Channel 1: 440.\nChannel 2: 880."
    assert [segment["channel"] for segment in answer["segments"]] == [0, 1]
    assert upload(client, CALL, **field).json()["text"] == answer["text"]
    assert "<v Channel 2>880." in upload(client, CALL, response_format="vtt", **field).text


@pytest.mark.parametrize("field", [{}, {"channels": "mixed"}, {"channels": "mixed", "multichannel": "true"}])
def test_channels_are_mixed_by_default(client: TestClient, field: dict[str, str]) -> None:
    assert upload(client, CALL, **field).json()["text"] == "440. 880."


def test_unknown_channels_are_refused(client: TestClient) -> None:
    assert error(upload(client, CALL, channels="2")) == (400, "invalid_value", "channels")
