"""`stream=true`: a delta per segment, then the whole text. Real clients read the stream in `tests/conformance`."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from http_compat import streaming as streams
from http_compat.openai.transcript_events import progress
from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import EngineError
from realtime.settings import Settings
from tests.support.http_service import listening
from tests.support.recordings import silence, understated_file, wav_file
from tests.support.scripted_models import ScriptedRecognizer, Serve
from tests.support.uploads import LONG, TRANSCRIPTIONS, TWO_WORDS, error, upload


def events(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    *lines, end = answer.text.split("\n\n")
    assert end == ""
    assert all(line.startswith("data: ") for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines]


@pytest.mark.parametrize("response_format", ["json", "text", "verbose_json"])
def test_deltas_add_up_to_the_text(client: TestClient, response_format: str) -> None:
    answer = upload(client, wav_file(LONG), stream="true", response_format=response_format)
    *deltas, done = events(answer)
    assert [each["delta"] for each in deltas] == ["440.", " 660.", " 880.", " 1100.", " 1320.", " 1540."]
    assert done["text"] == "".join(each["delta"] for each in deltas)
    assert done["text"] == upload(client, wav_file(LONG)).json()["text"]


def test_a_stream_has_the_right_headers(client: TestClient) -> None:
    headers = upload(client, stream="True").headers
    assert headers["content-type"].startswith("text/event-stream")
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")
    assert headers["x-request-id"].startswith("req_")


def test_the_last_event_counts_tokens(client: TestClient) -> None:
    assert events(upload(client, stream="true"))[-1]["usage"] == {
        "type": "tokens", "input_tokens": 50, "output_tokens": 2, "total_tokens": 52,
        "input_token_details": {"audio_tokens": 50, "text_tokens": 0},
    }  # fmt: skip


def test_logprobs_are_in_every_event(client: TestClient) -> None:
    *deltas, done = events(upload(client, wav_file(LONG), stream="true", **{"include[]": "logprobs"}))
    assert [each["logprobs"][0]["token"] for each in deltas] == [
        " 440.",
        " 660.",
        " 880.",
        " 1100.",
        " 1320.",
        " 1540.",
    ]
    assert done["logprobs"] == [logprob for each in deltas for logprob in each["logprobs"]]


def test_words_with_times_are_in_the_deltas_on_demand(client: TestClient) -> None:
    first, *_, done = events(upload(client, wav_file(LONG), stream="true", **{"timestamp_granularities[]": "word"}))
    (word,) = first["words"]
    assert word["word"] == first["delta"] == "440."
    assert 0 <= word["start"] < word["end"]
    assert 0 < word["probability"] <= 1
    assert first["language"] == "fr"
    assert "words" not in done
    assert "words" not in events(upload(client, wav_file(LONG), stream="true"))[0]


@pytest.mark.parametrize("channels", ["mixed", "separate"])
def test_the_progress_is_reported_on_demand(client: TestClient, channels: str) -> None:
    *_, last, done = parts = events(upload(client, wav_file(LONG), stream="true", ext="progress", channels=channels))
    progress = [each for each in parts if each["type"] == "x.transcript.progress"]
    positions = [each["seconds"] for each in progress]
    assert positions == sorted(set(positions))
    assert len(progress) >= 6
    assert last == {"type": "x.transcript.progress", "seconds": 72.0, "total_seconds": 72.0}
    assert done["type"] == "transcript.text.done"


def test_the_length_of_a_recording_is_one_figure_throughout(client: TestClient) -> None:
    parts = events(upload(client, wav_file(LONG[: int(10.37 * SAMPLE_RATE)]), stream="true", ext="progress"))
    assert {each["total_seconds"] for each in parts if each["type"] == "x.transcript.progress"} == {10.37}


@pytest.mark.parametrize(("seconds", "shown"), [(5.02, (5.0, 5.0)), (4.5, (4.5, 5.0)), (7.0, (7.0, 7.0))])
def test_the_padding_of_an_encoder_does_not_change_the_length(seconds: float, shown: tuple[float, float]) -> None:
    body = json.loads(progress(seconds, 5.0).removeprefix(b"data: "))
    assert (body["seconds"], body["total_seconds"]) == shown


def test_unknown_extensions_are_refused(client: TestClient) -> None:
    for extensions in ("progres", "progress,words"):
        response = upload(client, wav_file(LONG), stream="true", ext=extensions)
        assert response.status_code == 400
        assert response.json()["error"]["param"] == "ext"


def test_a_chunk_that_is_late_is_preceded_by_what_comes_between() -> None:
    async def scene() -> list[bytes]:
        told, beats = asyncio.Event(), iter([b"a", b"", b"b"])

        async def chunks() -> AsyncGenerator[bytes, None]:
            await told.wait()
            yield b"late"

        def between() -> bytes:
            if not (beat := next(beats, b"")):
                told.set()
            return beat

        return [chunk async for chunk in streams.interspersed(chunks(), 0.001, between)]

    assert asyncio.run(scene()) in ([b"a", b"late"], [b"a", b"b", b"late"])


def test_silence_is_an_empty_text(client: TestClient) -> None:
    (done,) = events(upload(client, wav_file(silence(3)), stream="true"))
    assert (done["type"], done["text"]) == ("transcript.text.done", "")


def test_an_error_before_the_first_event_is_an_ordinary_error(
    client: TestClient, recognizer: ScriptedRecognizer
) -> None:
    assert error(upload(client, b"a letter", stream="true")) == (400, "invalid_file_format", "file")
    assert error(upload(client, wav_file(silence(0.05)), stream="true")) == (400, "audio_too_short", "file")
    assert error(upload(client, stream="true", model="whisper-huge")) == (404, "model_not_found", "model")
    recognizer.failure = EngineError("It broke.")
    assert error(upload(client, stream="true")) == (500, "engine_failed", None)


def test_an_error_after_the_first_event_is_the_last_event(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    recognizer.failure, recognizer.fails_after = EngineError("There is no /home/somebody/weights."), 1
    *deltas, last = events(upload(client, wav_file(LONG), stream="true"))
    assert [each["delta"] for each in deltas] == ["440."]
    assert (last["error"]["type"], last["error"]["code"]) == ("server_error", "engine_failed")
    assert "/home" not in str(last)


def test_a_recording_with_too_long_a_declared_length_is_an_ordinary_error(serve: Serve) -> None:
    answer = upload(serve(max_upload_seconds=45.0), wav_file(LONG), stream="true")
    assert error(answer) == (413, "audio_too_long", "file")


def test_a_recording_that_turns_out_too_long_is_an_error_in_the_stream(serve: Serve) -> None:
    *deltas, last = events(upload(serve(max_upload_seconds=45.0), understated_file(LONG), stream="true"))
    assert deltas
    assert last["error"]["code"] == "audio_too_long"


def test_a_finished_stream_releases_its_slot(serve: Serve) -> None:
    client = serve(max_concurrent_uploads=1)
    assert events(upload(client, stream="true"))
    assert events(upload(client, stream="true"))


@pytest.fixture
def waiting(
    application: Callable[[Settings], Starlette], recognizer: ScriptedRecognizer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Response]:
    """Open a stream that has sent its first words and waits with the others, with a heartbeat every 10 ms."""
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)
    recognizer.gate, recognizer.free = asyncio.Event(), 1
    with (
        listening(application(Settings())) as address,
        httpx.Client(base_url=address) as client,
        client.stream(
            "POST", TRANSCRIPTIONS, data={"model": "whisper-1", "stream": "true"}, files={"file": wav_file(LONG)}
        ) as answer,
    ):
        yield answer


def test_comments_keep_an_idle_stream_alive(waiting: httpx.Response) -> None:
    lines = waiting.iter_lines()
    assert "transcript.text.delta" in next(lines)
    assert [next(lines) for _ in range(5)] == ["", ": keep-alive", "", ": keep-alive", ""]


def test_a_client_that_disconnects_between_heartbeats_cancels_the_work(
    waiting: httpx.Response, recognizer: ScriptedRecognizer
) -> None:
    lines = waiting.iter_lines()
    while next(lines) != ": keep-alive":
        pass
    waiting.close()
    assert recognizer.cancelled.wait(5)


def test_a_stream_covers_the_whole_recording(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    upload(client, wav_file(np.concatenate([TWO_WORDS, silence(5), TWO_WORDS])), stream="true")
    heard = sum(len(request.samples) for request in recognizer.requests) / SAMPLE_RATE
    assert 6 < heard < 12
