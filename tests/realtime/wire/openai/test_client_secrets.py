"""Requests for client secrets, and the sessions that they open."""

import json
from typing import Any

import pytest

from realtime.catalogue.names import ModelNames
from realtime.errors import ClientError
from realtime.settings import Settings
from realtime.wire.codec import Handshake
from realtime.wire.openai.beta import BETA_HEADERS
from realtime.wire.openai.client_secrets import SecretKind, read_secret_request, secret_object
from realtime.wire.openai.codec import OpenAICodec


def opened(session: bytes, headers: dict[str, str] | None = None, **query: Any) -> OpenAICodec:
    return OpenAICodec.open(
        Handshake(
            session_id="sess_1",
            query=query,
            new_id=lambda prefix: f"{prefix}_1",
            find_recognizer=ModelNames(Settings()).recognizer,
            find_voice={"": "amber"}.get,
            max_input_characters=100,
            headers=headers or {},
            session=session,
        )
    )


@pytest.mark.parametrize("body", [b"", b"{}", b'{"session": null, "expires_after": null}'])
def test_everything_in_a_request_is_optional(body: bytes) -> None:
    request = read_secret_request(SecretKind.CLIENT_SECRETS, body)
    assert (request.seconds, request.session) == (600, b"{}")


def test_a_secret_carries_the_session_that_it_opens() -> None:
    session = {"type": "realtime", "model": "mine", "instructions": "Hi."}
    body = json.dumps({"session": session, "expires_after": {"anchor": "created_at", "seconds": 7200}})
    request = read_secret_request(SecretKind.CLIENT_SECRETS, body.encode())
    assert (request.seconds, json.loads(request.session)) == (7200, session)
    codec = opened(request.session, model=["theirs"])
    answer = secret_object(SecretKind.CLIENT_SECRETS, codec.greeting()[0], "ek_1", 1_600)
    assert (answer["value"], answer["expires_at"]) == ("ek_1", 1_600)
    assert (answer["session"]["model"], answer["session"]["instructions"]) == ("mine", "Hi.")


def test_a_secret_for_transcription_opens_a_transcription_session() -> None:
    codec = opened(b'{"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-tiny"}}}}')
    assert codec.config.transcribe
    assert codec.config.recognizer.name == "whisper-tiny"


def test_a_secret_for_translation_says_what_it_is_for() -> None:
    request = read_secret_request(SecretKind.TRANSLATIONS, b'{"session": {"model": "gpt-realtime-translate"}}')
    greeting = '{"session": {"type": "translation"}}'
    answer = secret_object(SecretKind.TRANSLATIONS, greeting, "ek_1", 1_600)
    assert (request.seconds, answer["session"]["type"]) == (600, "translation")
    with pytest.raises(ClientError) as caught:
        read_secret_request(SecretKind.TRANSLATIONS, b"{}")
    assert caught.value.param == "session"


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (SecretKind.BETA_SESSIONS, "realtime.session"),
        (SecretKind.BETA_TRANSCRIPTION_SESSIONS, "realtime.transcription_session"),
    ],
)
def test_the_endpoints_of_the_beta_answer_with_a_flat_session(kind: SecretKind, shown: str) -> None:
    body = b'{"input_audio_format": "g711_ulaw", "client_secret": {"expires_after": {"seconds": 20}}}'
    request = read_secret_request(kind, body)
    answer = secret_object(kind, opened(request.session, BETA_HEADERS).greeting()[0], "ek_1", 1_020)
    assert request.seconds == 20
    assert (answer["object"], answer["input_audio_format"]) == (shown, "g711_ulaw")
    assert answer["client_secret"] == {"value": "ek_1", "expires_at": 1_020}
    assert read_secret_request(kind, b"").seconds == 600


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"expires_after": {"seconds": 9}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "expires_after.seconds"),
        ({"expires_after": {"anchor": "used_at"}}, "expires_after.anchor"),
        ({"session": {"audio": {"input": {"format": {"type": "audio/opus"}}}}}, "session.audio.input.format.type"),
        ([], None),
    ],
)
def test_a_request_that_is_not_valid_is_refused(body: Any, param: str | None) -> None:
    with pytest.raises(ClientError) as caught:
        read_secret_request(SecretKind.CLIENT_SECRETS, json.dumps(body).encode())
    assert caught.value.param == param
    assert caught.value.http_status == 400


@pytest.mark.parametrize("kind", SecretKind)
def test_a_number_out_of_range_in_an_unknown_field_is_ignored(kind: SecretKind) -> None:
    request = read_secret_request(kind, b'{"session": {"model": "any"}, "other": 1e999}')
    assert request.seconds > 0


def test_a_body_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(ClientError):
        read_secret_request(SecretKind.CLIENT_SECRETS, b"\xff")


def test_a_session_that_is_not_possible_opens_no_connection() -> None:
    with pytest.raises(ClientError, match="cannot translate"):
        opened(b'{"audio": {"input": {"transcription": {"model": "whisper-tiny.en", "task": "translate"}}}}')


def test_a_call_cannot_be_joined() -> None:
    with pytest.raises(ClientError) as refused:
        opened(b"", call_id=["rtc_1"])
    assert (refused.value.http_status, refused.value.param) == (400, "call_id")


@pytest.mark.parametrize(
    ("query", "param", "choices"),
    [
        ({"ext": ["partial"]}, "ext", "'partials', 'finals', 'words', 'binary', 'draining', and 'resume'"),
        ({"ext": ["partials,Resume"]}, "ext", "'partials', 'finals', 'words', 'binary', 'draining', and 'resume'"),
        ({"ext": ["partials", "finals"]}, "ext", "exclude each other"),
        ({"intent": ["transcribe"]}, "intent", "'transcription', 'conversation', and 'realtime'"),
    ],
)
def test_a_value_of_the_query_that_is_not_known_is_refused_with_those_that_are(
    query: Any, param: str, choices: str
) -> None:
    with pytest.raises(ClientError, match=choices) as refused:
        opened(b"", **query)
    assert (refused.value.http_status, refused.value.param) == (400, param)


@pytest.mark.parametrize(
    "query",
    [
        {"ext": ["partials, words", "resume"]},
        {"ext": [""]},
        {"ext": ["partials,"]},
        {"intent": [""]},
        {"intent": ["realtime"]},
        {"api-version": ["2025-04-01"], "diarize": ["maybe"]},
    ],
)
def test_values_of_the_query_that_are_known_and_parameters_that_are_not_open_a_session(
    query: Any,
) -> None:
    assert opened(b"", **query).greeting()


def test_a_model_of_the_query_that_means_nothing_is_told_with_an_extension() -> None:
    (created,) = opened(b"", intent=["transcription"], model=["nobody"], ext=["partials"]).greeting()
    assert json.loads(created)["session"]["x_substituted"] == ["model"]
    (created,) = opened(b"", intent=["transcription"], model=["whisper-1"], ext=["partials"]).greeting()
    assert "x_substituted" not in json.loads(created)["session"]
