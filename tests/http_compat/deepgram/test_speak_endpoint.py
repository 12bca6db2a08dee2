import io
import struct
from typing import Any

import pytest
from starlette.testclient import TestClient

from realtime.catalogue.names import lookup
from tests.support.recordings import duration
from tests.support.scripted_models import ScriptedModels, ScriptedSynthesizer, Serve

TEXT = {"text": "Hello there."}


def speak(client: TestClient, body: Any = None, **query: Any) -> Any:
    return client.post("/v1/speak", json=TEXT if body is None else body, params=query)


@pytest.mark.parametrize(
    ("query", "media_type", "start"),
    [
        ({}, "audio/mpeg", b"ID3"),
        ({"encoding": "opus", "bit_rate": "16000"}, "audio/ogg", b"OggS"),
        ({"encoding": "flac", "sample_rate": "16000"}, "audio/flac", b"fLaC"),
        ({"encoding": "aac"}, "audio/aac", b"\xff\xf1"),
        ({"encoding": "linear16"}, "audio/wav", b"RIFF"),
        ({"encoding": "mulaw", "sample_rate": "8000"}, "audio/wav", b"RIFF"),
    ],
)
def test_speech_comes_in_the_encoding_of_the_query(
    client: TestClient, query: dict[str, str], media_type: str, start: bytes
) -> None:
    answer = speak(client, **query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.content.startswith(start)
    assert duration(answer.content) == pytest.approx(duration(speak(client).content), abs=0.15)


@pytest.mark.parametrize(("encoding", "code", "bits"), [("linear16", 1, 16), ("alaw", 6, 8), ("mulaw", 7, 8)])
def test_the_header_of_wav_names_the_encoding(client: TestClient, encoding: str, code: int, bits: int) -> None:
    header = io.BytesIO(speak(client, encoding=encoding, container="wav", sample_rate="8000").content[20:36])
    assert struct.unpack("<HHIIHH", header.read()) == (code, 1, 8_000, 1_000 * bits, bits // 8, bits)


def test_without_a_container_there_are_only_samples(client: TestClient) -> None:
    answer = speak(client, encoding="linear16", container="none", sample_rate="16000")
    assert answer.headers["content-type"] == "audio/l16;rate=16000;channels=1"
    wav = speak(client, encoding="linear16", sample_rate="16000").content
    assert answer.content == wav[44:]


def test_the_headers_name_the_voice_and_count_the_characters(client: TestClient) -> None:
    answer = speak(client, model="aura-2-thalia-en")
    assert answer.headers["dg-char-count"] == "12"
    assert answer.headers["dg-model-name"]
    assert answer.headers["dg-request-id"] == answer.headers["x-request-id"]


def test_a_text_in_a_language_with_a_voice_of_its_own_is_spoken_by_that(
    client: TestClient, models: ScriptedModels
) -> None:
    models.voices_by_language["de"] = lookup("piper-de_DE-thorsten-medium")
    client.post("/v1/speak", json={"text": "Das Wetter ist heute schön."})
    assert len(models.synthesizers["piper-de_DE-thorsten-medium"].spoken) == 1


def test_plain_text_is_spoken(client: TestClient) -> None:
    answer = client.post("/v1/speak", content="Hello there.", headers={"content-type": "text/plain"})
    assert answer.status_code == 200


def test_the_speed_is_that_of_the_query(client: TestClient, synthesizer: ScriptedSynthesizer) -> None:
    assert speak(client, speed="2").status_code == 200
    assert synthesizer.spoken == [("Hello there.", "amber", 2.0)]


@pytest.mark.parametrize(
    ("body", "query", "words"),
    [
        ({}, {}, "`text` is missing"),
        ({"text": " "}, {}, "`text` is missing"),
        ({"url": "https://example.org"}, {}, "is not fetched"),
        (TEXT, {"encoding": "amr"}, "`encoding` must be one of"),
        (TEXT, {"encoding": "linear16", "container": "ogg"}, "`container` must be wav or none"),
        (TEXT, {"encoding": "linear16", "sample_rate": "1"}, "between 8000 and 48000"),
        (TEXT, {"speed": "x"}, "`speed` must be a number"),
        ({"text": "x" * 101}, {}, "more than 100 characters"),
    ],
)
def test_what_cannot_be_spoken_is_refused_in_the_form_of_deepgram(
    serve: Serve, body: Any, query: dict[str, str], words: str
) -> None:
    with serve(max_input_characters=100) as client:
        answer = speak(client, body, **query)
    found = answer.json()
    assert (answer.status_code, found["err_code"]) == (400, "Bad Request")
    assert words in found["err_msg"]
