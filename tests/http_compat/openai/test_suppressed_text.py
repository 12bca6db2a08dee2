"""Suppressed text of uploads is listed in verbose_json and in streams, and counted."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from tests.support.recordings import silence, tone, wav_file
from tests.support.scripted_models import ScriptedRecognizer
from tests.support.uploads import LONG, upload

RECORDING = wav_file(LONG)


@pytest.fixture
def mistaken(recognizer: ScriptedRecognizer) -> ScriptedRecognizer:
    """Return a recognizer that repeats itself in the second and the fourth segment."""

    def decorate(_: TranscriptionRequest, said: Hypothesis) -> Hypothesis:
        broken = said.text in {" 660.", " 1100."}
        return replace(said, compression_ratio=9.0, average_log_probability=-1.2) if broken else said

    recognizer.decorate = decorate
    return recognizer


def counted(client: TestClient, reason: str) -> float:
    name = f'vivavoce_segments_suppressed_total{{reason="{reason}"}} '
    (line,) = (line for line in client.get("/metrics").text.splitlines() if line.startswith(name))
    return float(line.removeprefix(name))


def segments(suppressed: list[dict[str, Any]]) -> list[tuple[int, int, str]]:
    return [(round(each["start"]), round(each["end"]), each["reason"]) for each in suppressed]


@pytest.mark.usefixtures("mistaken")
@pytest.mark.parametrize("language", ["", "en"])
def test_verbose_json_lists_suppressed_segments_with_reasons(client: TestClient, language: str) -> None:
    answer = upload(client, RECORDING, response_format="verbose_json", language=language).json()
    assert answer["text"] == "440. 880. 1320. 1540."
    assert segments(answer["suppressed"]) == [(12, 24, "repetition"), (36, 48, "repetition")]


@pytest.mark.usefixtures("mistaken")
@pytest.mark.parametrize("wanted", ["json", "text", "srt", "vtt", "verbose_json"])
def test_a_header_of_every_format_says_why_text_was_suppressed(client: TestClient, wanted: str) -> None:
    assert upload(client, RECORDING, response_format=wanted).headers["x-vivavoce-suppressed"] == "repetition"


@pytest.mark.usefixtures("mistaken")
def test_json_lists_suppressed_segments(client: TestClient) -> None:
    suppressed = upload(client, RECORDING).json()["suppressed"]
    assert segments(suppressed) == [(12, 24, "repetition"), (36, 48, "repetition")]


def test_without_suppressed_text_nothing_says_so(client: TestClient) -> None:
    answer = upload(client, RECORDING)
    assert "x-vivavoce-suppressed" not in answer.headers
    assert "suppressed" not in answer.json()


def test_a_likely_repetition_is_not_suppressed_unless_it_never_ends(
    client: TestClient, recognizer: ScriptedRecognizer
) -> None:
    recognizer.decorate = lambda _, said: replace(said, compression_ratio=9.0, ended=said.text != " 660.")
    assert upload(client, RECORDING).json()["text"] == "440. 880. 1100. 1320. 1540."


@pytest.mark.usefixtures("mistaken")
def test_the_last_event_of_a_stream_contains_suppressed_segments(client: TestClient) -> None:
    *_, done, _ = upload(client, RECORDING, stream="true").text.split("\n\n")
    suppressed = json.loads(done.removeprefix("data: "))["suppressed"]
    assert [reason for _, _, reason in segments(suppressed)] == ["repetition", "repetition"]


def test_without_suppressed_segments_the_field_is_absent(client: TestClient) -> None:
    assert "suppressed" not in upload(client, response_format="verbose_json").json()
    assert "suppressed" not in upload(client, stream="true").text


@pytest.mark.usefixtures("mistaken")
def test_suppressed_segments_are_counted_by_reason(client: TestClient) -> None:
    upload(client, RECORDING)
    upload(client, RECORDING, stream="true")
    assert (counted(client, "repetition"), counted(client, "no_speech")) == (4, 0)


def test_sounds_too_short_for_speech_are_not_transcribed(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    click = np.concatenate([silence(1), tone(WINDOW / SAMPLE_RATE), silence(1)])
    answer = upload(client, wav_file(click), response_format="verbose_json").json()
    assert (answer["text"], "suppressed" in answer, recognizer.requests) == ("", False, [])
