"""The real `openai` package against a real server on this machine."""

import asyncio
import io
import socket
import threading
import wave
from collections.abc import Callable, Iterator

import numpy as np
import openai
import pytest
import uvicorn
from recordings import compressed_file, silence, tone, wav_file
from scripted_models import ScriptedRecognizer, ScriptedSynthesizer
from starlette.applications import Starlette

from realtime.settings import Settings

TWO_WORDS = np.concatenate([silence(1), tone(1, 440), silence(1), tone(1, 880), silence(1)])
KEY = "a-key"


@pytest.fixture
def address(application: Callable[[Settings], Starlette]) -> Iterator[str]:
    settings = Settings(api_keys=(KEY,), max_upload_bytes=10_000_000)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application(settings), ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=address, api_key=KEY, max_retries=0, timeout=20) as client:
        yield client


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
    assert (refusal.value.param, refusal.value.code) == ("file", "unsupported_audio")
    assert refusal.value.request_id


def test_an_upload_that_is_too_large_is_413(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as refusal:
        client.audio.transcriptions.create(model="whisper-1", file=bytes(12_000_000))
    assert (refusal.value.status_code, refusal.value.code) == (413, "too_large")


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


def test_models(client: openai.OpenAI) -> None:
    assert "whisper-base" in {model.id for model in client.models.list()}
    assert client.models.retrieve("hibari-tts").owned_by == "vivavoce"
    assert client.models.retrieve("whisper-1").id == "whisper-1"


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
