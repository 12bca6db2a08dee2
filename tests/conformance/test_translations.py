"""Translations, and transcripts as Xinference's clients receive them."""

from pathlib import Path

import pytest

from tests.support.client_programs import (
    ALL_CLIENTS,
    CURL,
    XINFERENCE,
    XINFERENCE_1,
    XINFERENCE_ASYNC,
    XINFERENCES,
    PublishedClient,
    by,
    refused,
)
from tests.support.scripted_models import ScriptedRecognizer


@by(*ALL_CLIENTS)
def test_a_translation_is_a_text(client: PublishedClient, recognizer: ScriptedRecognizer, recordings: Path) -> None:
    assert client.translate(recordings / "two-words.wav")["text"] == "440. 880."
    assert all(request.translate for request in recognizer.requests)


@by(*ALL_CLIENTS)
def test_a_verbose_translation_is_english(client: PublishedClient, recordings: Path) -> None:
    answer = client.translate(recordings / "two-words.wav", response_format="verbose_json")
    assert (answer["language"], answer["text"]) == ("english", "440. 880.")
    assert answer["task"] == "translate"
    assert len(answer["segments"]) == 2


@by(*ALL_CLIENTS)
def test_an_english_model_does_not_translate(client: PublishedClient, recordings: Path) -> None:
    with refused(client, 400, "unsupported_model", "model", "'whisper-tiny.en' does not support translation"):
        client.translate(recordings / "two-words.wav", model="whisper-tiny.en")


@by(*XINFERENCES)
def test_a_model_is_an_audio_model(client: PublishedClient) -> None:
    kind = client.do("handle", model="whisper-base")
    assert kind == ("AsyncRESTfulAudioModelHandle" if client.name == XINFERENCE_ASYNC else "RESTfulAudioModelHandle")


@by(*XINFERENCES)
def test_both_granularities_are_returned(client: PublishedClient, recordings: Path) -> None:
    options = {} if client.name == XINFERENCE_1 else {"hotword": "440"}  # which that version cannot send
    answer = client.transcribe(
        recordings / "two-words.wav",
        model="whisper-base",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        **options,
    )
    assert [word["word"] for word in answer["words"]] == ["440.", "880."]
    assert [segment["text"] for segment in answer["segments"]] == [" 440.", " 880."]


@by(XINFERENCE, XINFERENCE_ASYNC)
def test_a_hotword_reaches_the_recognizer(
    client: PublishedClient, recognizer: ScriptedRecognizer, recordings: Path
) -> None:
    client.transcribe(recordings / "two-words.wav", hotword="Kathryn")
    assert recognizer.requests[-1].hotwords == "Kathryn"


@by(CURL)
@pytest.mark.parametrize("granularities", ["word,segment", "['word', 'segment']"])
def test_granularities_may_be_one_text_as_an_older_client_writes_them(
    client: PublishedClient, recordings: Path, granularities: str
) -> None:
    answer = client.transcribe(
        recordings / "two-words.wav", response_format="verbose_json", timestamp_granularities=granularities
    )
    assert len(answer["words"]) == len(answer["segments"]) == 2
