"""Speech: response formats, streams, events, voices and invalid fields."""

import asyncio
import base64
import io
import json
import wave
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_programs import (
    ALL_CLIENTS,
    CURL,
    NODE,
    OPENAI,
    PYTHON,
    PYTHON_1,
    XINFERENCE,
    XINFERENCE_1,
    XINFERENCE_ASYNC,
    XINFERENCES,
    PublishedClient,
    Refused,
    by,
    refused,
    speech,
)
from tests.support.http_service import HttpService
from tests.support.realtime_service import eventually
from tests.support.recordings import duration
from tests.support.scripted_models import ScriptedSynthesizer

BROKEN_OFF = {
    PYTHON: "RemoteProtocolError",
    PYTHON_1: "RemoteProtocolError",
    NODE: "TypeError",  # which is how fetch says that the connection broke off
    XINFERENCE: "ChunkedEncodingError",
    XINFERENCE_1: "ChunkedEncodingError",
    XINFERENCE_ASYNC: "ClientPayloadError",
    CURL: "",
}
START_OF = {"mp3": b"ID3", "opus": b"OggS", "aac": b"\xff\xf1", "flac": b"fLaC", "wav": b"RIFF", "pcm": b""}
TYPE_OF = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm",
}  # fmt: skip
UNKNOWN_SIZE = b"\xff\xff\xff\xff"


@by(*XINFERENCES)
def test_streamed_chunks_make_one_file(client: PublishedClient) -> None:
    heard = client.speak("Many words. " * 10, stream=True)
    assert len(heard.chunks) > 5
    assert all(heard.chunks)
    assert b": ping" not in heard.data
    assert duration(heard.data) == pytest.approx(12, abs=0.3)


@by(*XINFERENCES)
def test_a_voice_is_cloned_from_a_recording_with_its_words(
    client: PublishedClient, server: HttpService, recordings: Path
) -> None:
    prompt = str(recordings / "two-words.wav")
    heard = client.speak("Many words.", model="ChatTTS", prompt=prompt, prompt_text="Two words.")
    assert duration(heard.data) == pytest.approx(1.1, abs=0.1)
    (style,) = server.models.synthesizers["ChatTTS"].styles
    assert style.clip is not None
    assert style.clip.transcript == "Two words."


@by(*XINFERENCES)
def test_a_voice_to_clone_is_refused_with_a_clear_error(client: PublishedClient, recordings: Path) -> None:
    with refused(client, 400, "unsupported_value", "prompt_speech", "hibari-tts does not clone voices"):
        client.speak(prompt=str(recordings / "two-words.wav"))


@by(*ALL_CLIENTS)
@pytest.mark.parametrize("response_format", TYPE_OF)
def test_text_becomes_a_file_of_its_format(client: PublishedClient, server: HttpService, response_format: str) -> None:
    data = client.speak(response_format=response_format).data
    headers = server.responses[-1].headers
    assert headers["content-type"].startswith(TYPE_OF[response_format])
    if response_format not in {"flac", "wav"} and client.name not in XINFERENCES:  # they send `stream`
        assert "content-length" not in headers
    else:
        assert int(headers["content-length"]) == len(data)
    assert data.startswith(START_OF[response_format])
    seconds = len(data) / 48_000 if response_format == "pcm" else duration(data)
    assert seconds == pytest.approx(1.0, abs=0.09 if response_format == "aac" else 0.06)  # ADTS knows only whole frames
    if response_format == "wav":
        with wave.open(io.BytesIO(data)) as reader:
            assert reader.getnframes() * 2 == len(data) - 44


@by(PYTHON, PYTHON_1)
@pytest.mark.parametrize("response_format", TYPE_OF)
def test_the_asynchronous_client_gets_the_same_file(client: PublishedClient, response_format: str) -> None:
    spoken = speech(client.do("speak_async", input="Ten chars.", response_format=response_format))
    same = client.speak(response_format=response_format)
    assert len(spoken.data) == len(same.data)
    assert spoken.data.startswith(START_OF[response_format])


@by(PYTHON, PYTHON_1)
@pytest.mark.parametrize("task", ["leave_speech", "speak_async"])
def test_a_client_that_leaves_midway_ends_the_speech(
    client: PublishedClient, synthesizer: ScriptedSynthesizer, task: str
) -> None:
    synthesizer.gate = asyncio.Event()  # which stays closed
    leaving = {"leaves": True} if task == "speak_async" else {}
    assert client.do(task, input="Many words. " * 10, response_format="mp3", **leaving)
    assert eventually(synthesizer.closed.is_set)


@by(*ALL_CLIENTS)
def test_the_first_bytes_arrive_before_the_last_are_generated(
    client: PublishedClient, synthesizer: ScriptedSynthesizer, recordings: Path
) -> None:
    gate = synthesizer.gate = asyncio.Event()
    client.begin("speak", input="Ten chars.", response_format="wav", stream=True)
    client.wait_for_first()
    assert not synthesizer.closed.is_set()
    assert synthesizer.loop is not None
    synthesizer.loop.call_soon_threadsafe(gate.set)
    data = speech(client.end()["value"]).data
    assert (data[4:8], data[40:44]) == (UNKNOWN_SIZE, UNKNOWN_SIZE)
    file = recordings / "streamed"
    file.write_bytes(data)
    assert client.transcribe(file)["text"] == "440."


@by(*ALL_CLIENTS)
def test_a_voice_that_fails_midway_aborts_the_connection(client: PublishedClient) -> None:
    client.begin("speak", input="It breaks 💥 here.", response_format="pcm", stream=True)
    client.wait_for_first()
    with pytest.raises(Refused) as failure:
        client.end()
    assert failure.value.raised == BROKEN_OFF[client.name]


@by(*ALL_CLIENTS)
@pytest.mark.parametrize("fields", [{"stream": True}, {}], ids=["stream", "whole"])
def test_a_voice_that_fails_at_once_is_500(client: PublishedClient, fields: dict[str, bool]) -> None:
    with refused(client, 500, "engine_failed", None, "The model failed"):
        client.speak("💥 breaks at once.", **fields)


@by(*OPENAI, CURL)
def test_events_are_one_file_and_end_with_the_usage(client: PublishedClient, server: HttpService) -> None:
    lines = client.speak(voice={"id": "birch"}, response_format="wav", stream_format="sse").data.decode()
    assert server.responses[-1].headers["content-type"].startswith("text/event-stream")
    *deltas, done = [json.loads(line.removeprefix("data: ")) for line in lines.split("\n\n") if line]
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    assert duration(b"".join(base64.b64decode(delta["audio"]) for delta in deltas)) == pytest.approx(1.0, abs=0.01)
    usage = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
    assert done == {"type": "speech.audio.done", "usage": usage}


@by(*ALL_CLIENTS)
def test_the_default_speaks_for_an_unknown_voice(client: PublishedClient, synthesizer: ScriptedSynthesizer) -> None:
    client.speak(voice="af_bella")
    assert synthesizer.spoken[0][1] == "amber"


@by(XINFERENCE, XINFERENCE_1, XINFERENCE_ASYNC, CURL)
def test_an_empty_voice_is_the_default(client: PublishedClient, synthesizer: ScriptedSynthesizer) -> None:
    assert client.speak(voice="").data
    assert synthesizer.spoken[-1][1] == "amber"


@by(*ALL_CLIENTS)
@pytest.mark.parametrize(
    ("text", "fields", "code", "param", "words"),
    [
        ("", {}, "invalid_value", "input", "nothing to speak"),
        ("   ", {}, "invalid_value", "input", "nothing to speak"),
        ("!!!", {}, "invalid_value", "input", "nothing to speak"),
        ("a" * 100_000, {}, "string_above_max_length", "input", "`input` should have at most"),
        ("Hello.", {"speed": 5}, "invalid_value", "speed", "4.0"),
        ("Hello.", {"response_format": "mp4"}, "unsupported_value", "response_format", "mp3, "),
    ],
    ids=["empty", "blank", "marks", "long", "speed", "format"],
)
def test_invalid_speech_requests_are_400(
    client: PublishedClient, text: str, fields: dict[str, Any], code: str, param: str, words: str
) -> None:
    with refused(client, 400, code, param, words):
        client.speak(text, **fields)


@by(*OPENAI, CURL)
def test_instructions_are_accepted(client: PublishedClient) -> None:
    assert client.speak(instructions="Slowly, please.").data


@by(CURL)
def test_text_is_an_alias_of_input_and_a_stream_has_no_length(client: PublishedClient) -> None:
    body = json.dumps({"model": "tts-1", "text": "Ten chars.", "stream": True})
    answer = client.do("send", path="/v1/audio/speech", options=["--json", "@-"], body=body)
    assert (answer["status"], answer["headers"]["transfer-encoding"]) == (200, "chunked")
    assert duration(base64.b64decode(answer["data"])) == pytest.approx(1.0, abs=0.07)
