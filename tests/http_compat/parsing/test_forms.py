"""Multipart forms and JSON as programs write them: parts, preambles, repeated fields, the query, byte order marks."""

import codecs
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from http_compat.parsing.bodies import MAX_FIELD_BYTES
from tests.support.recordings import wav_file
from tests.support.scripted_models import ScriptedRecognizer, ScriptedSynthesizer
from tests.support.uploads import TRANSCRIPTIONS, TWO_WORDS, error, upload

FILE = 'form-data; name="file"; filename="a.wav"'
WAV = wav_file(TWO_WORDS)


def form(*parts: tuple[str, bytes], before: bytes = b"", after: bytes = b"") -> bytes:
    body = b"".join(b"--cut\r\nContent-Disposition: %s\r\n\r\n%s\r\n" % (name.encode(), data) for name, data in parts)
    return before + body + b"--cut--\r\n" + after


def post(client: TestClient, body: bytes) -> Any:
    return client.post(TRANSCRIPTIONS, content=body, headers={"content-type": "multipart/form-data; boundary=cut"})


MODEL = ('form-data; name="model"', b"whisper-1")


@pytest.mark.parametrize(
    "disposition",
    [FILE, 'form-data; name="file"', "form-data; name=file", 'form-data; name="file"; filename=""',
     "form-data; name=\"file\"; filename*=UTF-8''stra%C3%9Fe.wav"],
)  # fmt: skip
def test_the_recording_needs_no_filename(client: TestClient, disposition: str) -> None:
    for parts in [((disposition, WAV), MODEL), (MODEL, (disposition, WAV))]:
        assert post(client, form(*parts)).json()["text"] == "440. 880."


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("br", 415), ("identity", 200), ("utf-8", 200)])
def test_a_compressed_body_is_refused_as_such(client: TestClient, encoding: str, status: int) -> None:
    headers = {"content-type": "multipart/form-data; boundary=cut", "content-encoding": encoding}
    answer = client.post(TRANSCRIPTIONS, content=form((FILE, WAV), MODEL), headers=headers)
    assert answer.status_code == status
    assert status == 200 or error(answer)[1] == "unsupported_media_type"


@pytest.mark.parametrize("text", [b"talk.mp3", b"https://pages.example/talk.mp3", "gespräch.wav\n".encode(), b"{}"])
def test_a_text_instead_of_the_recording_is_refused_with_a_hint(client: TestClient, text: bytes) -> None:
    answer = post(client, form(MODEL, ('form-data; name="file"', text)))
    assert error(answer) == (400, "invalid_type", "file")
    assert "-F file=@talk.mp3" in answer.json()["detail"]


def test_few_bytes_without_a_filename_are_a_file_of_an_unknown_format(client: TestClient) -> None:
    answer = post(client, form(MODEL, ('form-data; name="file"', b"\x00\xff\x00")))
    assert error(answer) == (400, "invalid_file_format", "file")


@pytest.mark.parametrize(
    "preamble", [b"\r\n", b"\n", b"This is a multi-part message in MIME format.\r\n", b"--no--cut\r\n-\r\n" * 300]
)
@pytest.mark.parametrize("epilogue", [b"", b"\r\nThe end.\r\n"])
def test_what_surrounds_the_parts_is_ignored(client: TestClient, preamble: bytes, epilogue: bytes) -> None:
    body = form(MODEL, (FILE, WAV), before=preamble, after=epilogue)
    assert post(client, body).json()["text"] == "440. 880."


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
def test_a_body_without_the_declared_boundary_is_refused(client: TestClient, size: int) -> None:
    assert error(post(client, b"x" * size)) == (400, "invalid_multipart", None)


@pytest.mark.parametrize(("name", "param"), [("prompt", "prompt"), ("a b", None)])
def test_a_field_that_is_too_long_is_named(client: TestClient, name: str, param: str | None) -> None:
    answer = post(client, form(MODEL, (f'form-data; name="{name}"', b"x" * (MAX_FIELD_BYTES + 1)), (FILE, WAV)))
    assert error(answer) == (400, "string_above_max_length", param)
    assert "must not exceed 65536 bytes" in answer.json()["detail"]


def test_a_second_file_is_refused_with_the_name_of_the_part_for_the_recording(client: TestClient) -> None:
    answer = post(client, form(MODEL, (FILE, WAV), ('form-data; name="talk"; filename="b.wav"', WAV)))
    assert error(answer) == (400, "invalid_type", "talk")
    assert answer.json()["detail"] == "`talk` must not be a file; the recording goes into `file`."


def test_a_field_repeated_with_the_same_value_is_one_field(client: TestClient) -> None:
    assert upload(client, model=["whisper-1", "whisper-1"], temperature=["0", "0"]).status_code == 200


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("model", ("whisper-1", "whisper-tiny")),
        ("temperature", ("0", "1")),
        ("language", ("de", "fr")),
        ("stream", ("true", "false")),
        ("response_format", ("json", "text")),
    ],
)
def test_a_field_repeated_with_different_values_is_refused(
    client: TestClient, name: str, values: tuple[str, ...]
) -> None:
    assert error(upload(client, **{name: list(values)})) == (400, "invalid_value", name)


@pytest.mark.parametrize("nothing", ["", " ", "null", "None", "undefined"])
def test_a_text_that_stands_for_no_value_is_a_missing_field(
    client: TestClient, recognizer: ScriptedRecognizer, nothing: str
) -> None:
    fields = ("language", "prompt", "response_format", "temperature", "stream", "hotwords", "kwargs", "include[]")
    assert upload(client, **dict.fromkeys(fields, nothing)).json()["text"] == "440. 880."
    request = recognizer.requests[0]
    assert (request.language, request.prompt, request.hotwords) == (None, "", "")


def test_the_query_has_what_the_form_lacks(client: TestClient, recognizer: ScriptedRecognizer) -> None:
    path = f"{TRANSCRIPTIONS}?model=nobody&language=de&response_format=text&beam_size=3"
    answer = upload(client, WAV, path, response_format="verbose_json")
    assert answer.json()["language"] == "german"
    assert (recognizer.requests[0].language, recognizer.requests[0].decoding.beam_size) == ("de", 3)


@pytest.mark.parametrize("response_format", ["json", "text", "srt", "vtt"])
def test_granularities_are_ignored_where_the_format_has_none(client: TestClient, response_format: str) -> None:
    fields = {"timestamp_granularities[]": "segment,word", "word_timestamps": "true"}
    answer = upload(client, response_format=response_format, **fields)
    assert answer.text == upload(client, response_format=response_format).text


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    ],
)
def test_json_may_begin_with_a_byte_order_mark(
    client: TestClient, synthesizer: ScriptedSynthesizer, encode: Any
) -> None:
    body = encode(json.dumps({"model": "tts-1", "input": "Grüße."}, ensure_ascii=False))
    answer = client.post("/v1/audio/speech", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert synthesizer.spoken[0][0] == "Grüße."


def test_a_byte_order_mark_before_something_else_is_refused(client: TestClient) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/audio/speech", content=codecs.BOM_UTF16_LE + b"{", headers=headers)
    assert error(answer) == (400, "invalid_json", None)


def test_json_may_hold_the_recording_as_chat_messages_do(client: TestClient) -> None:
    body = {"model": "whisper-1", "input_audio": {"data": codecs.encode(WAV, "base64").decode().replace("\n", "")}}
    assert client.post(TRANSCRIPTIONS, json=body).json()["text"] == "440. 880."
