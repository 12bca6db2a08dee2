import hashlib
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from realtime.audio.formats import Encoding, encode
from tests.support.recordings import channels_file, silence, tone, wav_file
from tests.support.scripted_models import ScriptedRecognizer, Serve
from tests.support.uploads import TWO_WORDS

RECORDING = wav_file(TWO_WORDS)


def transcribe(client: TestClient, data: bytes = RECORDING, media_type: str = "audio/wav", **query: Any) -> Any:
    return client.post("/v1/listen", content=data, params=query, headers={"content-type": media_type})


def alternative(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["results"]["channels"][0]["alternatives"]
    return found


def refused(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    assert body.keys() == {"err_code", "err_msg", "request_id"}
    assert body["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["err_code"], body["err_msg"]


def test_a_recording_is_transcribed_with_its_words(client: TestClient) -> None:
    answer = transcribe(client, punctuate="true")
    found = alternative(answer)
    words = found["words"]
    assert found["transcript"] == " ".join(word["punctuated_word"] for word in words)
    assert found["transcript"].endswith(".")
    assert len(words) == 2
    assert words[0].keys() == {"word", "start", "end", "confidence", "punctuated_word"}
    assert 0 <= words[0]["start"] < words[0]["end"] <= words[1]["start"]
    assert found["confidence"] == 0.9


def test_the_metadata_describe_the_recording_and_the_model(client: TestClient) -> None:
    answer = transcribe(client)
    metadata = answer.json()["metadata"]
    assert metadata["sha256"] == hashlib.sha256(RECORDING).hexdigest()
    assert metadata["duration"] == pytest.approx(len(TWO_WORDS) / 16_000, abs=0.01)
    assert metadata["request_id"] == answer.headers["dg-request-id"] == answer.headers["x-request-id"]
    (identifier,) = metadata["models"]
    assert metadata["model_info"][identifier]["name"] == "whisper-base"
    assert metadata["created"].endswith("Z")


def test_without_punctuation_the_transcript_is_in_lower_case(client: TestClient) -> None:
    found = alternative(transcribe(client))
    assert "." not in found["transcript"]
    assert "punctuated_word" not in found["words"][0]


@pytest.mark.parametrize("encoding", ["linear16", "mulaw"])
def test_raw_audio_is_as_the_query_says(client: TestClient, encoding: str) -> None:
    samples = np.concatenate([tone(0.5, sample_rate=8_000), silence(0.7, 8_000)])
    raw = encode(samples, Encoding.PCM16 if encoding == "linear16" else Encoding.MULAW)
    stereo = np.repeat(np.frombuffer(raw, "<i2"), 2).tobytes() if encoding == "linear16" else raw
    channels = "2" if encoding == "linear16" else "1"
    answer = transcribe(client, stereo, "audio/raw", encoding=encoding, sample_rate="8000", channels=channels)
    assert alternative(answer)["transcript"] == "440"
    assert answer.json()["metadata"]["duration"] == 1.2


def test_the_language_is_that_of_the_query_or_detected(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    transcribe(client, language="de-DE")
    assert recognizer.requests[-1].language == "de"
    channel = transcribe(client, detect_language="true").json()["results"]["channels"][0]
    assert (channel["detected_language"], channel["language_confidence"]) == ("fr", 1.0)
    channel = transcribe(client, detect_language=["de", "fr-CA"]).json()["results"]["channels"][0]
    assert (channel["detected_language"], recognizer.requests[-1].candidates) == ("fr", ("de", "fr"))


def test_terms_to_expect_are_given_to_the_recognizer(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    transcribe(client, keyterm=["Vivavoce", "Hibari"])
    assert recognizer.requests[-1].hotwords == "Vivavoce, Hibari"


def test_utterances_are_the_words_between_pauses(client: TestClient) -> None:
    recording = wav_file(np.concatenate([tone(0.5), silence(1.5), tone(0.5, 880), silence(0.5)]))
    results = transcribe(client, recording, utterances="true").json()["results"]
    first, second = results["utterances"]
    assert (first["transcript"], second["transcript"]) == ("440", "880")
    assert first["end"] + 0.8 <= second["start"]
    together = transcribe(client, recording, utterances="true", utt_split="5").json()["results"]["utterances"]
    assert [each["transcript"] for each in together] == ["440 880"]


@pytest.mark.parametrize("raw", [False, True])
def test_channels_are_transcribed_by_themselves_on_request(client: TestClient, raw: bool) -> None:
    left = np.concatenate([tone(0.5), silence(2.0)])
    right = np.concatenate([silence(1.5), tone(0.5, 880), silence(0.5)])
    interleaved = np.stack([left, right], axis=1).reshape(-1)
    options = {"multichannel": "true", "utterances": "true"}
    if raw:
        options |= {"encoding": "linear16", "sample_rate": "16000", "channels": "2"}
    data = encode(interleaved, Encoding.PCM16) if raw else channels_file(left, right)
    answer = transcribe(client, data, **options).json()
    channels = [each["alternatives"][0]["transcript"] for each in answer["results"]["channels"]]
    assert channels == ["440", "880"]
    assert [(each["channel"], each["transcript"]) for each in answer["results"]["utterances"]] == [
        (0, "440"),
        (1, "880"),
    ]
    assert answer["metadata"]["channels"] == 2


def test_paragraphs_consist_of_sentences(client: TestClient) -> None:
    recording = wav_file(np.concatenate([tone(0.4), silence(0.7), tone(0.4), silence(2.5), tone(0.4, 880), silence(1)]))
    found = alternative(transcribe(client, recording, smart_format="true"))
    paragraphs = found["paragraphs"]["paragraphs"]
    assert [[each["text"] for each in paragraph["sentences"]] for paragraph in paragraphs] == [
        ["440.", "440."],
        ["880."],
    ]
    assert found["paragraphs"]["transcript"] == "\n440. 440.\n880."
    assert paragraphs[0]["num_words"] == 2


def test_a_recording_without_speech_has_an_empty_transcript(client: TestClient) -> None:
    options = {"utterances": "true", "paragraphs": "true", "detect_language": "true"}
    answer = transcribe(client, wav_file(silence(1.0)), **options)
    found = alternative(answer)
    assert (found["transcript"], found["confidence"], found["words"]) == ("", 0.0, [])
    assert answer.json()["results"]["utterances"] == []


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ({"data": b""}, 400, "no audio"),
        ({"data": b"no audio at all" * 100}, 400, ""),
        ({"data": b'{"url":"https://example.org/a.wav"}', "media_type": "application/json"}, 400, "is not fetched"),
        ({"callback": "https://example.org"}, 400, "`callback` is not supported"),
        ({"encoding": "amr-wb"}, 400, "'amr-wb' is not supported"),
        ({"language": "klingon"}, 400, "klingon"),
        ({"utt_split": "x", "utterances": "true"}, 400, "`utt_split` must be a number"),
    ],
)
def test_what_cannot_be_done_is_refused_in_the_form_of_deepgram(
    client: TestClient, options: dict[str, Any], status: int, words: str
) -> None:
    found, code, message = refused(transcribe(client, **options))
    assert (found, code) == (status, "Bad Request")
    assert words in message


def test_a_key_is_a_token(serve: Serve) -> None:
    with serve(api_keys=("first-key",)) as client:
        assert refused(transcribe(client))[:2] == (401, "INVALID_AUTH")
        headers = {"authorization": "Token first-key", "content-type": "audio/wav"}
        assert client.post("/v1/listen", content=RECORDING, headers=headers).status_code == 200


@pytest.mark.parametrize("query", [{"utterances": "maybe"}, {"detect_language": "maybe"}])
def test_a_parameter_that_is_neither_true_nor_false_is_refused(client: TestClient, query: Any) -> None:
    status, code, message = refused(transcribe(client, **query))
    assert (status, code) == (400, "Bad Request")
    assert "'maybe'" in message


def test_a_recording_that_is_too_large_is_refused(serve: Serve) -> None:
    with serve(max_upload_bytes=1000) as client:
        assert refused(transcribe(client))[:2] == (413, "PAYLOAD_TOO_LARGE")


def test_only_the_endpoints_of_the_named_dialects_are_served(serve: Serve) -> None:
    with serve(dialects=("openai",)) as client:
        assert transcribe(client).status_code == 404
        described = client.get("/openapi.json").json()["paths"]
        for path in ("/v1/listen", "/asr", "/detect-language"):
            assert client.post(path).status_code == 404
            assert path not in described
    with serve(dialects=("deepgram",)) as client:
        assert transcribe(client).status_code == 200
        assert client.post("/v1/audio/speech", json={}).status_code == 404
        assert client.post("/v1/realtime/translations/client_secrets", json={}).status_code == 404
    with serve(dialects=("whisper-asr-webservice",)) as client:
        assert transcribe(client).status_code == 404
        assert client.post("/asr").status_code == 415
