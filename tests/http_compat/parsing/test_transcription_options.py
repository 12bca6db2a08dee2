"""The options of a transcription, and how they reach the detector and the recognizer."""

import json
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.speech.recognition import DecodingOptions, Thresholds, TranscriptionRequest
from realtime.speech.transcript import Hypothesis, Word
from tests.support.recordings import silence, tone, wav_file
from tests.support.scripted_models import ScriptedModels, ScriptedRecognizer
from tests.support.uploads import LONG, TWO_WORDS, error, upload

FALLBACK = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@pytest.mark.parametrize(
    ("fields", "temperatures"),
    [
        ({}, FALLBACK),
        ({"temperature": "0"}, FALLBACK),
        ({"temperature": "0.0"}, FALLBACK),
        ({"temperature": "0.4"}, (0.4,)),
    ],
)
def test_no_temperature_means_fallback_and_another_is_used_alone(
    client: TestClient, recognizer: ScriptedRecognizer, fields: dict[str, str], temperatures: tuple[float, ...]
) -> None:
    upload(client, **fields)
    assert recognizer.requests[0].decoding.temperatures == temperatures


def test_whisper_s_options_reach_the_recognizer(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    options = {
        "beam_size": "3", "best_of": "2", "patience": "1.5", "length_penalty": "0.5", "repetition_penalty": "1.2",
        "no_repeat_ngram_size": "4", "no_speech_threshold": "0.7", "log_prob_threshold": "-2",
        "compression_ratio_threshold": "3",
    }  # fmt: skip
    assert upload(client, **options).status_code == 200
    thresholds = Thresholds(0.7, -2.0, 3.0)
    assert recognizer.requests[0].decoding == DecodingOptions(
        FALLBACK, 3, 2, 1.5, 0.5, 1.2, 4, thresholds, thorough=True
    )


@pytest.mark.parametrize(
    ("fields", "hotwords"),
    [
        ({"hotwords": "Kathryn, Smyth"}, "Kathryn, Smyth"),
        ({"hotword": "Kathryn"}, "Kathryn"),
        ({"keywords[]": ["Kathryn", "Smyth"]}, "Kathryn, Smyth"),
        ({"kwargs": '{"hotword": "Kathryn"}'}, "Kathryn"),
    ],
)
def test_hotwords_have_many_names(
    client: TestClient, recognizer: ScriptedRecognizer, fields: dict[str, Any], hotwords: str
) -> None:
    upload(client, **fields)
    assert recognizer.requests[0].hotwords == hotwords


def test_kwargs_are_fields_and_the_form_takes_precedence(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    kwargs = {"beam_size": 5, "initial_prompt": "numbers", "language": "de", "nonsense": [{}], "temperature": None}
    upload(client, kwargs=json.dumps(kwargs), language="fr")
    request = recognizer.requests[0]
    assert (request.decoding.beam_size, request.prompt, request.language) == (5, "numbers", "fr")


def test_one_candidate_language_is_the_language(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    upload(client, **{"languages[]": ["German"]})
    assert recognizer.requests[0].language == "de"


@pytest.mark.parametrize(
    "fields", [{"language": "auto"}, {"languages[]": "auto"}, {"language": "Auto"}, {"kwargs": '{"language": "auto"}'}]
)
def test_an_automatic_language_is_detected(
    client: TestClient, recognizer: ScriptedRecognizer, fields: dict[str, str]
) -> None:
    assert upload(client, **fields).status_code == 200
    assert recognizer.requests[0].language is None


def test_candidate_languages_unknown_to_the_model_are_dropped(
    client: TestClient, recognizer: ScriptedRecognizer
) -> None:
    upload(client, **{"languages[]": ["de", "yue", "fr"]})
    assert (recognizer.requests[0].language, recognizer.requests[0].candidates) == (None, ("de", "fr"))


@pytest.mark.parametrize(("fields", "segments"), [({}, 1), ({"multilingual": "true"}, 2)])
def test_multilingual_speech_is_cut_at_every_pause(
    client: TestClient, recognizer: ScriptedRecognizer, fields: dict[str, str], segments: int
) -> None:
    recording = wav_file(np.concatenate([tone(3.0), silence(1.2), tone(3.0)]))
    assert upload(client, recording, **fields).status_code == 200
    assert len(recognizer.requests) == segments


@pytest.mark.parametrize(("model", "language"), [("whisper-base.en", "en"), ("Belle-whisper-large-v3-zh", "zh")])
def test_a_model_with_one_language_always_uses_it(
    client: TestClient, models: ScriptedModels, model: str, language: str
) -> None:
    upload(client, model=model)
    assert models.recognizers[model].requests[0].language == language


def test_logprobs_are_those_of_the_tokens(client: TestClient) -> None:
    answer = upload(client, **{"include[]": "logprobs"}).json()
    assert answer["logprobs"] == [
        {"token": token, "logprob": pytest.approx(-0.693, abs=0.001), "bytes": list(token.encode())}
        for token in (" 440.", " 880.")
    ]


def test_logprobs_are_absent_by_default(client: TestClient) -> None:
    assert "logprobs" not in upload(client).json()


def _segment_seconds(recognizer: ScriptedRecognizer) -> list[float]:
    return [round(request.seconds, 1) for request in recognizer.requests]


def test_a_shorter_silence_may_end_speech(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    recording = wav_file(np.concatenate([silence(1), tone(11), silence(0.3), tone(3, 880), silence(1)]))
    upload(client, recording)
    assert _segment_seconds(recognizer) == [15.1]
    recognizer.requests.clear()
    fields = {f"chunking_strategy[{name}]": value for name, value in _SHORT_SILENCES.items()}
    assert upload(client, recording, **fields).json()["text"] == "440. 880."
    assert _segment_seconds(recognizer) == [11.2, 3.2]


_SHORT_SILENCES = {"type": "server_vad", "prefix_padding_ms": "50", "silence_duration_ms": "100", "threshold": "0.6"}


@pytest.mark.parametrize(
    "fields",
    [
        {"chunking_strategy": json.dumps({**_SHORT_SILENCES, "threshold": 0.6})},
        {"kwargs": json.dumps({"chunking_strategy": _SHORT_SILENCES})},
        {"vad_parameters": '{"min_silence_duration_ms": 100, "speech_pad_ms": 50}', "vad_filter": "True"},
        {"vad_parameters[min_silence_duration_ms]": "100", "vad_parameters[speech_pad_ms]": "50"},
    ],
)
def test_the_detector_s_parameters_are_accepted_in_many_spellings(
    client: TestClient, recognizer: ScriptedRecognizer, fields: dict[str, str]
) -> None:
    assert upload(client, wav_file(np.concatenate([silence(1), tone(2), silence(1)])), **fields).status_code == 200
    assert _segment_seconds(recognizer) == [2.2]


@pytest.mark.parametrize("strategy", ["auto", ""])
def test_the_automatic_strategy_is_the_default_one(
    client: TestClient, recognizer: ScriptedRecognizer, strategy: str
) -> None:
    upload(client)
    upload(client, chunking_strategy=strategy)
    assert _segment_seconds(recognizer)[0] == _segment_seconds(recognizer)[1]


def test_without_the_vad_filter_silence_is_transcribed_too(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    answer = upload(client, wav_file(np.concatenate([silence(40), tone(1), silence(20)])), vad_filter="false")
    assert answer.json()["text"] == "440."
    assert sum(len(request.samples) for request in recognizer.requests) == 61 * SAMPLE_RATE


@pytest.mark.parametrize(("sound", "text"), [(silence(0.9), ""), (tone(0.9), "hello")])
def test_without_the_vad_filter_text_still_needs_evidence_of_speech(
    client: TestClient, recognizer: ScriptedRecognizer, sound: Samples, text: str
) -> None:
    words = (Word("hello", 0, SAMPLE_RATE, 0.9),)
    recognizer.decorate = lambda _, said: Hypothesis(words, said.language, no_speech_probability=0.9)
    assert upload(client, wav_file(sound), vad_filter="false").json()["text"] == text


def test_each_segment_gets_the_previous_text_on_demand(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    upload(client, wav_file(LONG), condition_on_previous_text="true", prompt="Pitches.", language="en")
    assert [request.prompt.split() for request in recognizer.requests[:3]] == [
        ["Pitches."], ["Pitches.", "440."], ["Pitches.", "440.", "660."],
    ]  # fmt: skip


def test_a_client_can_set_the_suppression_thresholds(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    recognizer.decorate = _doubtful
    assert upload(client).json()["text"] == ""
    assert upload(client, no_speech_threshold="1", log_prob_threshold="-5").json()["text"] == "440. 880."


def _doubtful(request: TranscriptionRequest, said: Hypothesis) -> Hypothesis:
    return Hypothesis(said.words, said.language, no_speech_probability=0.9, average_log_probability=-2.0)


def test_word_timestamps_is_the_granularity_word(client: TestClient) -> None:
    answer = upload(client, response_format="verbose_json", word_timestamps="true").json()
    assert len(answer["words"]) == len(answer["segments"]) == 2


@pytest.mark.parametrize(("response_format", "start"), [("text", "440. 880.\n"), ("srt", "1\n"), ("vtt", "WEBVTT\n\n")])
def test_xinference_s_clients_get_text_as_a_json_string(client: TestClient, response_format: str, start: str) -> None:
    answer = upload(client, response_format=response_format, kwargs="{}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().startswith(start)


@pytest.mark.parametrize("name", ["seed", "batch_size", "without_timestamps", "user"])
def test_unknown_fields_are_ignored(client: TestClient, name: str) -> None:
    assert upload(client, **{name: "7"}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"beam_size": "0"}, "invalid_value", "beam_size"),
        ({"beam_size": "11"}, "invalid_value", "beam_size"),
        ({"beam_size": "2.5"}, "invalid_value", "beam_size"),
        ({"best_of": "6"}, "invalid_value", "best_of"),
        ({"patience": "0.5"}, "invalid_value", "patience"),
        ({"repetition_penalty": "0.9"}, "invalid_value", "repetition_penalty"),
        ({"length_penalty": "inf"}, "invalid_value", "length_penalty"),
        ({"no_repeat_ngram_size": "-1"}, "invalid_value", "no_repeat_ngram_size"),
        ({"no_speech_threshold": "nan"}, "invalid_value", "no_speech_threshold"),
        ({"log_prob_threshold": "1"}, "invalid_value", "log_prob_threshold"),
        ({"compression_ratio_threshold": "much"}, "invalid_value", "compression_ratio_threshold"),
        ({"temperature": ["0", "0.2"]}, "invalid_value", "temperature"),
        ({"kwargs": '{"temperature": [0, 0.2]}'}, "invalid_value", "temperature"),
        ({"kwargs": '{"beam_size": true}'}, "invalid_value", "beam_size"),
        ({"kwargs": '{"a": ' + "[" * 5000}, "invalid_value", "kwargs"),
        ({"condition_on_previous_text": "sometimes"}, "invalid_value", "condition_on_previous_text"),
        ({"vad_filter": "2"}, "invalid_value", "vad_filter"),
        ({"vad_filter": "false", "vad_parameters": '{"threshold": 0.3}'}, "invalid_value", "vad_filter"),
        ({"vad_parameters": "strict"}, "invalid_value", "vad_parameters"),
        ({"vad_parameters": "{]"}, "invalid_value", "vad_parameters"),
        ({"vad_parameters": '{"threshold": 2}'}, "invalid_value", "vad_parameters[threshold]"),
        ({"chunking_strategy": "manual"}, "invalid_value", "chunking_strategy"),
        ({"chunking_strategy[threshold]": "0.5"}, "invalid_value", "chunking_strategy"),
        ({"chunking_strategy": '{"type": "semantic"}'}, "invalid_value", "chunking_strategy"),
        (
            {"chunking_strategy[type]": "server_vad", "chunking_strategy[silence_duration_ms]": "-1"},
            "invalid_value",
            "chunking_strategy[silence_duration_ms]",
        ),
        ({"include[]": "speakers"}, "invalid_value", "include"),
        ({"include[]": "logprobs", "response_format": "verbose_json"}, "invalid_value", "include"),
        ({"known_speaker_names[]": "Ada"}, "unsupported_value", "known_speaker_names"),
        ({"prefix": "Dear"}, "unsupported_value", "prefix"),
        ({"clip_timestamps[]": ["0", "1.5"]}, "unsupported_value", "clip_timestamps"),
        ({"suppress_tokens": "[-1, 50]"}, "unsupported_value", "suppress_tokens"),
        ({"stream": "true", "response_format": "srt"}, "unsupported_value", "response_format"),
    ],
)
def test_an_invalid_or_unsupported_option_is_400_and_named(
    client: TestClient, recognizer: ScriptedRecognizer, fields: dict[str, Any], code: str, param: str
) -> None:
    answer = upload(client, **fields)
    assert error(answer) == (400, code, param)
    assert f"`{param}`" in answer.json()["detail"]
    assert recognizer.requests == []


@pytest.mark.parametrize("fields", [{"clip_timestamps": "0"}, {"suppress_tokens": "[-1]"}, {"prefix": ""}])
def test_the_default_value_of_an_unsupported_option_is_accepted(client: TestClient, fields: dict[str, str]) -> None:
    assert upload(client, wav_file(TWO_WORDS), **fields).status_code == 200
