"""Transcriptions: response formats, granularities, streams, file names, options, temperatures and file size."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from http_compat import streaming as streams
from realtime.errors import EngineError
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis, Word
from tests.support.client_programs import (
    ALL_CLIENTS,
    CURL,
    OPENAI,
    PYTHON,
    PYTHON_1,
    XINFERENCE,
    XINFERENCE_ASYNC,
    PublishedClient,
    Refused,
    by,
    refused,
)
from tests.support.http_service import HttpService
from tests.support.scripted_models import ScriptedRecognizer

SIX_WORDS = "440. 660. 880. 1100. 1320. 1540."
SRT = "1\n00:00:00,980 --> 00:00:02,004\n440.\n\n2\n00:00:02,996 --> 00:00:04,020\n880.\n\n"
KEYS_OF_A_SEGMENT = {
    "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio", "no_speech_prob",
}  # fmt: skip
FALLBACK = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
BOTH = ["word", "segment"]


@by(*ALL_CLIENTS)
def test_a_transcript_is_text_and_seconds(client: PublishedClient, recordings: Path) -> None:
    answer = client.transcribe(recordings / "two-words.wav")
    assert answer == {"text": "440. 880.", "usage": {"type": "duration", "seconds": 5.0}}


@by(PYTHON, PYTHON_1)
@pytest.mark.parametrize(
    ("task", "response_format", "kind"),
    [
        ("transcribe", "json", "Transcription"),
        ("transcribe", "verbose_json", "TranscriptionVerbose"),
        ("translate", "json", "Translation"),
        ("translate", "verbose_json", "TranslationVerbose"),
    ],
)
def test_answers_are_of_the_client_s_types(
    client: PublishedClient, recordings: Path, task: str, response_format: str, kind: str
) -> None:
    client.begin(task, file=str(recordings / "two-words.wav"), response_format=response_format)
    assert client.end()["type"] == kind


@by(*ALL_CLIENTS)
def test_verbose_json_has_segments_and_no_words(client: PublishedClient, recordings: Path) -> None:
    answer = client.transcribe(recordings / "two-words.wav", response_format="verbose_json", language="en")
    assert (answer["language"], answer["text"]) == ("english", "440. 880.")
    assert answer["duration"] == pytest.approx(5.0, abs=0.05)
    assert [segment["text"] for segment in answer["segments"]] == [" 440.", " 880."]
    assert all(segment.keys() >= KEYS_OF_A_SEGMENT for segment in answer["segments"])
    assert answer.get("words") is None


@by(*ALL_CLIENTS)
@pytest.mark.parametrize("granularities", [["word"], BOTH], ids=["word", "both"])
def test_words_are_present_on_demand(client: PublishedClient, recordings: Path, granularities: list[str]) -> None:
    answer = client.transcribe(
        recordings / "two-words.wav", response_format="verbose_json", timestamp_granularities=granularities
    )
    assert [word["word"] for word in answer["words"]] == ["440.", "880."]
    times = [time for word in answer["words"] for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert (answer["segments"] is None) == (granularities == ["word"])


@by(*ALL_CLIENTS)
@pytest.mark.parametrize("granularities", [["word"], ["segment"], BOTH], ids=["word", "segment", "both"])
def test_granularities_without_verbose_json_are_ignored(
    client: PublishedClient, recordings: Path, granularities: list[str]
) -> None:
    answer = client.transcribe(recordings / "two-words.wav", timestamp_granularities=granularities)
    assert answer["text"] == "440. 880."


@by(*OPENAI, CURL, XINFERENCE, XINFERENCE_ASYNC)
@pytest.mark.parametrize(
    ("response_format", "expected"),
    [("text", "440. 880.\n"), ("srt", SRT), ("vtt", "WEBVTT\n\n" + re.sub(r"(?m)^\d\n", "", SRT).replace(",", "."))],
)
def test_texts_are_strings(
    client: PublishedClient, server: HttpService, recordings: Path, response_format: str, expected: str
) -> None:
    assert client.transcribe(recordings / "two-words.wav", response_format=response_format) == expected
    if client.name in {*OPENAI, CURL}:
        media_type, charset = server.responses[-1].headers["content-type"].split("; ")
        subtitles = {"srt": "application/x-subrip", "vtt": "text/vtt"}
        assert (media_type, charset) == (subtitles.get(response_format, "text/plain"), "charset=utf-8")


def in_chinese(request: TranscriptionRequest, said: Hypothesis) -> Hypothesis:
    return replace(said, words=(Word("你好。", 0, 8_000, 0.9),), language="zh")


@by(*OPENAI, CURL, XINFERENCE, XINFERENCE_ASYNC)
@pytest.mark.parametrize("response_format", ["text", "srt", "vtt"])
def test_chinese_survives(
    client: PublishedClient, recognizer: ScriptedRecognizer, recordings: Path, response_format: str
) -> None:
    recognizer.decorate = in_chinese
    assert "你好。" in client.transcribe(recordings / "two-words.wav", response_format=response_format)


@by(*OPENAI, CURL)
def test_deltas_add_up_to_the_text(client: PublishedClient, server: HttpService, recordings: Path) -> None:
    *deltas, done = client.transcribe(recordings / "six-words.wav", stream=True)
    assert {delta["type"] for delta in deltas} == {"transcript.text.delta"}
    assert done["type"] == "transcript.text.done"
    assert "".join(delta["delta"] for delta in deltas) == done["text"] == SIX_WORDS
    assert server.responses[-1].headers["content-type"].startswith("text/event-stream")


@by(*OPENAI, CURL)
def test_the_first_words_arrive_before_the_last_are_transcribed(
    client: PublishedClient, recognizer: ScriptedRecognizer, recordings: Path
) -> None:
    gate = recognizer.gate = asyncio.Event()
    recognizer.free = 1
    client.begin("transcribe", file=str(recordings / "six-words.wav"), stream=True)
    client.wait_for_first()
    assert recognizer.loop is not None
    recognizer.loop.call_soon_threadsafe(gate.set)
    assert client.end()["value"][-1]["text"] == SIX_WORDS


@by(*OPENAI)
def test_clients_ignore_heartbeats(
    client: PublishedClient, recognizer: ScriptedRecognizer, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)
    gate = recognizer.gate = asyncio.Event()
    recognizer.free = 1
    client.begin("transcribe", file=str(recordings / "six-words.wav"), stream=True)
    client.wait_for_first()
    assert recognizer.loop is not None
    recognizer.loop.call_soon_threadsafe(recognizer.loop.call_later, 0.1, gate.set)
    assert client.end()["value"][-1]["text"] == SIX_WORDS


@by(*OPENAI)
def test_a_failure_in_a_stream_is_raised_with_its_code(
    client: PublishedClient, recognizer: ScriptedRecognizer, recordings: Path
) -> None:
    recognizer.failure, recognizer.fails_after = EngineError("It broke."), 1
    client.begin("transcribe", file=str(recordings / "six-words.wav"), stream=True)
    client.wait_for_first()
    with pytest.raises(Refused) as failure:
        client.end()
    assert (failure.value.raised, failure.value.known["code"]) == ("APIError", "engine_failed")


@by(CURL)
def test_a_failure_in_a_stream_is_the_last_event(
    client: PublishedClient, recognizer: ScriptedRecognizer, recordings: Path
) -> None:
    recognizer.failure, recognizer.fails_after = EngineError("It broke."), 1
    *_, last = client.transcribe(recordings / "six-words.wav", stream=True)
    assert last["error"]["code"] == "engine_failed"


@by(*OPENAI, CURL)
def test_a_bad_file_is_refused_before_the_stream(client: PublishedClient, recordings: Path) -> None:
    with refused(client, 400, "invalid_file_format", "file", "Invalid file format"):
        client.transcribe(recordings / "letter.mp3", stream=True)


@by(*ALL_CLIENTS)
@pytest.mark.parametrize("file", ["mp3-inside", "wav-inside.mp3"])
def test_the_format_of_a_file_is_detected_by_its_content(client: PublishedClient, recordings: Path, file: str) -> None:
    named = {"named": True} if client.name in {PYTHON, PYTHON_1} and file.endswith(".mp3") else {}
    assert client.transcribe(recordings / file, **named)["text"] == "440. 880."


@by(*OPENAI, CURL, XINFERENCE, XINFERENCE_ASYNC)
@pytest.mark.parametrize(
    ("strategy", "seconds"),
    [
        ("auto", [15.1]),
        ({"type": "server_vad", "threshold": 0.6, "silence_duration_ms": 100, "prefix_padding_ms": 50}, [11.4, 3.2]),
    ],
    ids=["auto", "server_vad"],
)
def test_the_chunking_strategy_reaches_the_detector(
    client: PublishedClient, recognizer: ScriptedRecognizer, recordings: Path, strategy: Any, seconds: list[float]
) -> None:
    answer = client.transcribe(recordings / "a-short-pause.wav", chunking_strategy=strategy)
    assert answer["text"] == "440. 880."
    assert [round(request.seconds, 1) for request in recognizer.requests] == seconds


@by(*OPENAI, CURL, XINFERENCE, XINFERENCE_ASYNC)
@pytest.mark.parametrize("words", [{"hotwords": "one, two"}, {"keywords": ["one", "two"]}], ids=["text", "list"])
def test_whisper_s_options_reach_the_recognizer(
    client: PublishedClient, recognizer: ScriptedRecognizer, recordings: Path, words: dict[str, Any]
) -> None:
    client.transcribe(recordings / "two-words.wav", vad_filter=True, beam_size=3, **words)
    request = recognizer.requests[-1]
    assert (request.decoding.beam_size, request.hotwords) == (3, "one, two")


@by(*ALL_CLIENTS)
@pytest.mark.parametrize(
    ("fields", "temperatures"), [({}, FALLBACK), ({"temperature": 0}, FALLBACK), ({"temperature": 0.4}, (0.4,))]
)
def test_no_temperature_means_fallback_temperatures(
    client: PublishedClient,
    recognizer: ScriptedRecognizer,
    recordings: Path,
    fields: dict[str, float],
    temperatures: tuple[float, ...],
) -> None:
    client.transcribe(recordings / "two-words.wav", **fields)
    assert recognizer.requests[-1].decoding.temperatures == temperatures


@by(*ALL_CLIENTS)
def test_a_file_over_the_limit_is_413_and_not_a_broken_connection(client: PublishedClient, recordings: Path) -> None:
    with refused(client, 413, "file_too_large", "file", "Maximum content size limit"):
        client.transcribe(recordings / "large.wav")
