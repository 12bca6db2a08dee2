"""`POST /v1/audio/translations` with scripted models."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.recordings import wav_file
from tests.support.scripted_models import ScriptedModels, ScriptedRecognizer, Serve
from tests.support.uploads import TRANSLATIONS, TWO_WORDS, error, upload


def translate(client: TestClient, data: bytes = wav_file(TWO_WORDS), /, **fields: Any) -> Any:
    return upload(client, data, TRANSLATIONS, **fields)


def test_the_recognizer_is_asked_for_english(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    answer = translate(client)
    assert (answer.status_code, answer.json()["text"]) == (200, "440. 880.")
    assert [request.translate for request in recognizer.requests] == [True]


def test_a_transcription_is_not_translated(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    upload(client)
    assert [request.translate for request in recognizer.requests] == [False]


def test_the_language_of_a_translation_is_english_for_any_spoken_language(client: TestClient) -> None:
    answer = translate(client, response_format="verbose_json", language="german").json()
    assert (answer["task"], answer["language"], answer["language_code"]) == ("translate", "english", "en")
    assert (answer["duration"], len(answer["segments"]), answer["words"]) == (5.0, 2, None)


@pytest.mark.parametrize(("response_format", "start"), [("text", "440."), ("srt", "1\n"), ("vtt", "WEBVTT\n\n")])
def test_translations_are_text_too(client: TestClient, response_format: str, start: str) -> None:
    answer = translate(client, response_format=response_format)
    assert answer.text.startswith(start)


@pytest.mark.parametrize("model", ["whisper-tiny.en", "Belle-whisper-large-v3-zh", "whisper-large-v3-turbo"])
def test_a_model_that_cannot_translate_says_so_and_is_not_loaded(
    client: TestClient, models: ScriptedModels, model: str
) -> None:
    answer = translate(client, model=model)
    assert error(answer) == (400, "unsupported_model", "model")
    assert answer.json()["detail"] == f"The model {model!r} does not support translation."
    assert model not in models.recognizers


def test_a_repository_that_turns_out_to_be_english_cannot_translate(serve: Serve) -> None:
    answer = translate(serve(preload=("someone/their.en",)), model="someone/their.en")
    assert error(answer) == (400, "unsupported_model", "model")


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"response_format": "diarized_json"}, "unsupported_value", "response_format"),
        ({"response_format": "xml"}, "invalid_value", "response_format"),
        ({"temperature": "nan"}, "invalid_value", "temperature"),
        ({"model": "hibari-tts"}, "unsupported_model", "model"),
    ],
)
def test_a_bad_field_of_a_translation_is_400(client: TestClient, fields: dict[str, str], code: str, param: str) -> None:
    assert error(translate(client, **fields)) == (400, code, param)


def test_a_file_that_is_not_audio_is_not_translated(client: TestClient) -> None:
    assert error(translate(client, b"")) == (400, "empty_file", "file")
    assert error(translate(client, model="whisper-huge")) == (404, "model_not_found", "model")
