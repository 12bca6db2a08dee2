"""The real `openai` package against a real server on this machine."""

import asyncio
import base64
import io
import json
import threading
import wave
from collections.abc import Callable

import numpy as np
import openai
import pytest
from real_server import KEY, running
from recordings import compressed_file, duration, silence, tone, wav_file
from scripted_models import ScriptedModels, ScriptedRecognizer, ScriptedSynthesizer
from starlette.applications import Starlette

from realtime.settings import Settings

TWO_WORDS = np.concatenate([silence(1), tone(1, 440), silence(1), tone(1, 880), silence(1)])


@pytest.fixture
def client(openai_client: openai.OpenAI) -> openai.OpenAI:
    return openai_client


def test_a_transcription(client: openai.OpenAI) -> None:
    answer = client.audio.transcriptions.create(model="whisper-1", file=wav_file(TWO_WORDS))
    assert answer.text == "440. 880."
    assert answer.usage is not None
    assert answer.usage.type == "duration"


def test_a_verbose_transcription_has_segments_and_no_words_unless_asked_for(client: openai.OpenAI) -> None:
    file = ("x.mp3", compressed_file(TWO_WORDS, "mp3", "libmp3lame"))
    plain = client.audio.transcriptions.create(model="whisper-1", file=file, response_format="verbose_json")
    assert (plain.language, plain.words) == ("french", None)
    assert plain.segments is not None
    assert [segment.text for segment in plain.segments] == [" 440.", " 880."]
    timed = client.audio.transcriptions.create(
        model="whisper-1", file=file, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert timed.words is not None
    assert [word.word for word in timed.words] == ["440.", "880."]
    assert timed.segments is not None
    assert float(timed.duration) == pytest.approx(5.0, abs=0.1)


def test_transcripts_as_text(client: openai.OpenAI) -> None:
    create = client.audio.transcriptions.create
    file = wav_file(TWO_WORDS)
    assert create(model="whisper-1", file=file, response_format="text").strip() == "440. 880."
    assert create(model="whisper-1", file=file, response_format="srt").startswith("1\n")
    assert create(model="whisper-1", file=file, response_format="vtt").startswith("WEBVTT\n\n")


def test_bad_audio_is_a_bad_request_with_its_field(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        client.audio.transcriptions.create(model="whisper-1", file=("song.mp3", b"just words"))
    assert (refusal.value.param, refusal.value.code) == ("file", "invalid_file_format")
    assert refusal.value.request_id


def test_an_upload_that_is_too_large_is_413(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refusal:
        client.audio.transcriptions.create(model="whisper-1", file=bytes(12_000_000))
    assert (refusal.value.status_code, refusal.value.code) == (413, "file_too_large")


def test_an_unknown_model_is_told_from_an_unknown_path(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as model:
        client.audio.transcriptions.create(model="nothing", file=wav_file(TWO_WORDS))
    with pytest.raises(openai.NotFoundError) as path:
        client.get("/nothing", cast_to=object)
    assert (model.value.code, path.value.code) == ("model_not_found", "not_found")


def test_a_failure_that_would_only_repeat_is_not_retried(address: str, recognizer: ScriptedRecognizer) -> None:
    recognizer.failure = ZeroDivisionError("a bug")
    with (
        openai.OpenAI(base_url=address, api_key=KEY, max_retries=2) as client,
        pytest.raises(openai.InternalServerError),
    ):
        client.audio.transcriptions.create(model="whisper-1", file=wav_file(TWO_WORDS))
    assert len(recognizer.requests) == 1


def test_a_wrong_key_is_an_authentication_error(address: str) -> None:
    with (
        openai.OpenAI(base_url=address, api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as refusal,
    ):
        client.models.list()
    assert refusal.value.code == "invalid_api_key"


def test_models(client: openai.OpenAI, models: ScriptedModels) -> None:
    assert "whisper-base" in {model.id for model in client.models.list()}
    assert client.models.retrieve("hibari-tts").owned_by == "vivavoce"
    assert client.models.retrieve("whisper-1").id == "whisper-1"
    asyncio.run(models.load("whisper-tiny"))
    assert client.models.delete("whisper-tiny").deleted
    assert not models.is_loaded("whisper-tiny")


def test_a_place_that_becomes_free_is_taken_by_the_next_attempt(
    application: Callable[[Settings], Starlette], synthesizer: ScriptedSynthesizer
) -> None:
    gate = synthesizer.gate = asyncio.Event()
    with (
        running(application(Settings(max_sessions=1))) as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0) as client,
        client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input="Ten chars.", extra_body={"stream": True}
        ) as first,
    ):
        with pytest.raises(openai.RateLimitError) as refusal:
            client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.")
        assert (refusal.value.code, refusal.value.type) == ("queue_full", "rate_limit_error")
        assert int(refusal.value.response.headers["retry-after"]) > 0
        gate.set()
        first.read()
        assert client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.").content


def test_speech_as_events_is_one_file_and_ends_with_the_usage(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice={"id": "birch"}, input="Ten chars.", response_format="wav", stream_format="sse"
    ) as answer:
        events = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line]
    assert answer.headers["content-type"].startswith("text/event-stream")
    *deltas, done = events
    audio = b"".join(base64.b64decode(delta["audio"]) for delta in deltas)
    assert len(deltas) > 1
    assert duration(audio) == pytest.approx(1.0, abs=0.01)
    assert done == {
        "type": "speech.audio.done", "usage": {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
    }  # fmt: skip


def test_speech_as_a_whole(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input="Ten chars.", response_format="wav")
    with wave.open(io.BytesIO(answer.content)) as reader:
        assert reader.getnframes() == pytest.approx(24_000, abs=4)


def test_the_first_speech_arrives_before_the_last_is_made(
    client: openai.OpenAI, synthesizer: ScriptedSynthesizer
) -> None:
    gate = synthesizer.gate = asyncio.Event()
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="Ten chars.", response_format="wav", extra_body={"stream": True}
    ) as answer:
        pieces = answer.iter_bytes()
        first = next(pieces)
        assert first[:4] == b"RIFF"
        assert not synthesizer.closed.is_set()
        gate.set()
        assert len(first) + sum(map(len, pieces)) == pytest.approx(44 + 48_000, abs=8)


def test_our_own_streamed_speech_can_be_transcribed(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="Ten chars.", response_format="wav", extra_body={"stream": True}
    ) as answer:
        data = answer.read()
    assert client.audio.transcriptions.create(model="whisper-1", file=data).text == "440."


def test_speech_that_fails_midway_breaks_the_connection_off(client: openai.OpenAI) -> None:
    with (
        client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input="It breaks 💥 here.", response_format="pcm", extra_body={"stream": True}
        ) as answer,
        pytest.raises(Exception, match=r"incomplete|closed"),
    ):
        answer.read()


def test_speech_stops_when_the_listener_leaves(client: openai.OpenAI, synthesizer: ScriptedSynthesizer) -> None:
    synthesizer.gate = asyncio.Event()
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="Ten chars.", response_format="wav", extra_body={"stream": True}
    ) as answer:
        next(answer.iter_bytes())
    _wait_for(synthesizer.closed)


def _wait_for(event: asyncio.Event) -> None:
    """Wait in this thread for what happens on the server's loop."""
    for _ in range(200):
        if event.is_set():
            return
        threading.Event().wait(0.02)
    pytest.fail("nothing happened")
