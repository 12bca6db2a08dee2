"""`POST /asr` and `POST /detect-language` with scripted models."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from realtime.audio.formats import Encoding, encode
from realtime.speech.transcript import Hypothesis
from tests.support.recordings import silence, tone, wav_file
from tests.support.scripted_models import ScriptedRecognizer, Serve
from tests.support.uploads import TWO_WORDS, error, upload

TEXT = "440. 880.\n"
RAW = encode(TWO_WORDS, Encoding.PCM16)


def asr(client: TestClient, data: bytes = wav_file(TWO_WORDS), path: str = "/asr", /, **query: str) -> Any:
    return client.post(path, params=query, files={"audio_file": ("my film.mkv", data)})


def detect(client: TestClient, data: bytes = wav_file(TWO_WORDS), /, **query: str) -> Any:
    return asr(client, data, "/detect-language", **query)


def test_a_recording_becomes_text_with_the_headers_of_the_original(client: TestClient) -> None:
    answer = asr(client)
    assert (answer.status_code, answer.text) == (200, TEXT)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="my%20film.mkv.txt"'
    assert answer.headers["asr-engine"] == "vivavoce"


@pytest.mark.parametrize("output", ["srt", "vtt"])
def test_subtitles_are_those_of_other_endpoints_as_plain_text(client: TestClient, output: str) -> None:
    answer = asr(client, output=output)
    assert answer.text == upload(client, response_format=output).text
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"].endswith(f'.{output}"')


def test_a_table_has_the_times_in_milliseconds(client: TestClient) -> None:
    header, *rows = asr(client, output="tsv").text.splitlines()
    assert header == "start\tend\ttext"
    segments = upload(client, response_format="verbose_json").json()["segments"]
    assert rows == [
        f"{1000 * each['start']:.0f}\t{1000 * each['end']:.0f}\t{each['text'].strip()}" for each in segments
    ]


@pytest.mark.parametrize("wanted", ["true", "false"])
def test_json_has_the_segments_of_faster_whisper(client: TestClient, wanted: str) -> None:
    body = json.loads(asr(client, output="json", word_timestamps=wanted).text)
    assert body.keys() == {"language", "segments", "text"}
    assert (body["language"], body["text"]) == ("fr", "440. 880.")
    segment = body["segments"][0]
    assert segment.keys() == {
        "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio",
        "no_speech_prob", "language", "words",
    }  # fmt: skip
    words = [{"start": segment["start"], "end": segment["end"], "word": " 440.", "probability": 0.9}]
    assert segment["words"] == (words if wanted == "true" else None)


def test_a_recording_without_a_header_is_what_bazarr_sends(client: TestClient) -> None:
    assert asr(client, RAW, encode="false").text == TEXT
    assert asr(client, RAW + b"\0", encode="false").text == TEXT


def test_a_recording_with_a_header_is_decoded_though_the_client_says_that_it_has_none(client: TestClient) -> None:
    assert asr(client, wav_file(TWO_WORDS), encode="false").text == TEXT


def test_a_recording_without_a_header_needs_the_parameter(client: TestClient) -> None:
    assert asr(client, RAW).status_code == 400


def test_the_limits_of_recordings_hold_without_a_header_too(serve: Serve) -> None:
    answer = asr(serve(max_upload_seconds=4), RAW, encode="false")
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "audio_too_long"
    assert asr(serve(), bytes(100), encode="false").json()["error"]["code"] == "audio_too_short"
    assert asr(serve(max_upload_bytes=1000), RAW, encode="false").json()["error"]["param"] == "audio_file"


def test_the_query_says_how_to_transcribe(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    asr(client, task="translate", language="german", initial_prompt="Names.", vad_filter="false", video_file="/a.mkv")
    request = recognizer.requests[-1]
    assert (request.translate, request.language, request.prompt) == (True, "de", "Names.")
    assert request.raise_level is False


def test_fields_of_the_form_count_as_well(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    files = {"audio_file": ("a.wav", wav_file(TWO_WORDS))}
    assert client.post("/asr", data={"output": "vtt", "language": "nl"}, files=files).text.startswith("WEBVTT")
    assert recognizer.requests[-1].language == "nl"


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ({"task": "summarize"}, "invalid_value", "task"),
        ({"output": "xml"}, "invalid_value", "output"),
        ({"language": "klingon"}, "invalid_value", "language"),
        ({"encode": "perhaps"}, "invalid_value", "encode"),
        ({"diarize": "true"}, "unsupported_value", "diarize"),
    ],
)
def test_what_cannot_be_done_is_refused(client: TestClient, query: dict[str, str], code: str, param: str) -> None:
    assert error(asr(client, **query)) == (400, code, param)


@pytest.mark.parametrize("path", ["/asr", "/detect-language"])
def test_a_request_without_a_recording_names_the_part(client: TestClient, path: str) -> None:
    assert error(client.post(path, files={"file": ("a.wav", wav_file(TWO_WORDS))}))[2] == "audio_file"
    assert client.post(path, content=RAW).status_code == 415


# The language.


def languages(**probabilities: float) -> Any:
    return lambda _, said: replace(said, languages=probabilities)


def test_the_language_has_a_name_a_code_and_a_confidence(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    recognizer.decorate = languages(de=0.8, nl=0.2)
    assert detect(client).json() == {"detected_language": "german", "language_code": "de", "confidence": 0.8}


def test_the_language_of_a_recording_without_a_header_is_detected(client: TestClient) -> None:
    assert detect(client, RAW, encode="false", video_file="a.mkv").json()["language_code"] == "fr"


def test_long_speech_counts_more_than_short(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    def said(request: Any, hypothesis: Hypothesis) -> Hypothesis:
        return replace(hypothesis, languages={"de": 1.0} if request.seconds > 4 else {"en": 1.0})

    recognizer.decorate = said
    recording = np.concatenate([tone(1, 440), silence(1), tone(1, 660), silence(1), tone(6, 880)])
    assert detect(client, wav_file(recording)).json()["language_code"] == "de"


def test_speech_may_come_late(client: TestClient) -> None:
    recording = np.concatenate([silence(60), TWO_WORDS])
    assert detect(client, wav_file(recording)).json()["language_code"] == "fr"


def test_the_rest_of_a_long_recording_is_not_transcribed(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    recording = np.concatenate([part for _ in range(20) for part in (tone(12, 440), silence(1))])
    assert detect(client, wav_file(recording)).json()["language_code"] == "fr"
    assert len(recognizer.requests) < 10


def test_without_speech_there_is_no_language(client: TestClient) -> None:
    """Bazarr takes an empty object for a recording that it cannot use; anything else would stop it."""
    answer = detect(client, wav_file(silence(3)))
    assert (answer.status_code, answer.json()) == (200, {})
