"""The codec of a connection follows from the path and the query of its websocket."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest

from realtime.catalogue.names import ModelNames
from realtime.errors import Unauthorized, UnsupportedAudio
from realtime.session.commands import AppendAudio, Configure
from realtime.session.events import SessionConfigured
from realtime.settings import DIALECTS as NAMES_OF_DIALECTS
from realtime.settings import Settings
from realtime.wire.codec import Codec, Handshake
from realtime.wire.dialects import DIALECTS, served_paths, without_key

OPENAI = DIALECTS["openai"]
REFUSAL = {"err_code", "err_msg", "request_id"}

NAMES = ModelNames(Settings())


def opened(path: str = "/v1/realtime", *, chat: bool = False, **query: Sequence[str]) -> Codec:
    numbers = itertools.count(1)
    handshake = Handshake(
        session_id="sess_1",
        query=query,
        new_id=lambda prefix: f"{prefix}_{next(numbers)}",
        find_recognizer=NAMES.recognizer,
        find_voice={"": "amber"}.get,
        max_input_characters=100,
        chat=chat,
    )
    return OPENAI[path].open(handshake)


def greeting(codec: Codec) -> Any:
    """Return the session object of the greeting."""
    return json.loads(codec.greeting()[0])["session"]


def test_every_dialect_can_be_named_in_the_settings() -> None:
    without_websockets = ("whisper-asr-webservice", "wyoming")
    assert (*DIALECTS, *without_websockets) == NAMES_OF_DIALECTS == Settings().dialects


@pytest.mark.parametrize(("name", "body"), [("openai", {"error", "detail"}), ("deepgram", REFUSAL)])
def test_a_refusal_has_the_form_of_its_dialect(name: str, body: set[str]) -> None:
    for dialect in DIALECTS[name].values():
        assert dialect.refusal(Unauthorized("No key."), "sess_1").keys() == body


def test_the_setting_says_when_a_silent_client_of_openai_is_disconnected() -> None:
    assert opened().idle_timeout_seconds is None


def test_only_the_paths_of_the_named_dialects_are_served() -> None:
    assert served_paths(["openai"]) == OPENAI
    assert served_paths([]) == {}


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/twilio/media/a/key", "/twilio/media/..."),
        ("/twilio/media", "/twilio/media"),
        ("/v1/realtime", "/v1/realtime"),
    ],
)
def test_the_key_in_a_path_is_not_for_the_log(path: str, logged: str) -> None:
    assert without_key(path) == logged


@pytest.mark.parametrize("path", OPENAI)
def test_every_path_opens_a_codec(path: str) -> None:
    assert greeting(opened(path))["id"] == "sess_1"


def test_without_a_query_a_session_is_a_conversation_with_the_default_models() -> None:
    codec = opened()
    assert greeting(codec)["type"] == "realtime"
    assert codec.config.transcribe is False
    assert (codec.config.recognizer, codec.config.voice) == (NAMES.recognizer(""), "amber")
    assert greeting(codec)["model"] == "whisper-base"


def test_the_model_of_a_conversation_is_shown_and_is_not_its_recognizer() -> None:
    codec = opened(model=["whisper-tiny"])
    assert greeting(codec)["model"] == "whisper-tiny"
    assert codec.config.recognizer == NAMES.recognizer("")


@pytest.mark.parametrize(("model", "answered"), [("gpt-realtime", True), ("tts-1", False), ("hibari-tts", False)])
def test_a_conversation_with_a_speech_model_speaks_texts_and_does_not_ask_the_chat_backend(
    model: str, answered: bool
) -> None:
    config = opened(chat=True, model=[model]).config
    assert (config.chat, config.create_response, config.transcribe) == (answered, answered, answered)


def test_the_model_of_a_transcription_session_is_its_recognizer() -> None:
    codec = opened(intent=["transcription"], model=["whisper-tiny"])
    assert greeting(codec)["type"] == "transcription"
    assert codec.config.transcribe
    assert codec.config.recognizer == NAMES.recognizer("whisper-tiny")


def test_an_unknown_model_stands_for_the_default_recognizer() -> None:
    config = opened(intent=["transcription"], model=["no-such-model"]).config
    assert config.recognizer == NAMES.recognizer("")


def test_of_a_repeated_parameter_the_last_value_counts() -> None:
    config = opened(intent=["transcription"], model=["no-such-model", "whisper-tiny"]).config
    assert config.recognizer == NAMES.recognizer("whisper-tiny")


@pytest.mark.parametrize("extensions", [["partials,binary"], ["binary", "partials"]])
def test_extensions_are_listed_or_repeated(extensions: Sequence[str]) -> None:
    codec = opened(ext=extensions)
    assert codec.config.include_partials
    assert codec.decode(b"\0\0") == [AppendAudio(b"\0\0")]


def test_finals_only_is_an_extension() -> None:
    assert not opened(ext=["finals"]).config.decode_partials
    assert opened().config.decode_partials


def test_without_extensions_there_are_no_partials_and_no_binary_messages() -> None:
    codec = opened()
    assert not codec.config.include_partials
    with pytest.raises(UnsupportedAudio):
        codec.decode(b"\0\0")


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        ("whisper-1", "whisper-base"),
        ("gpt-4o-transcribe", "whisper-base"),
        ("whisper-tiny", "whisper-tiny"),
        ("openai/whisper-tiny", "whisper-tiny"),
        ("no-such-model", "whisper-base"),
    ],
)
def test_the_session_shows_the_recognizer_in_effect_and_not_the_name_that_was_asked_for(asked: str, used: str) -> None:
    codec = opened(intent=["transcription"], model=[asked])
    assert greeting(codec)["audio"]["input"]["transcription"]["model"] == codec.config.recognizer.name == used
    codec = opened(intent=["transcription"])
    update = {"type": "session.update", "session": {"audio": {"input": {"transcription": {"model": asked}}}}}
    (configure,) = codec.decode(json.dumps(update))
    assert isinstance(configure, Configure)
    (frame,) = codec.encode(SessionConfigured(configure.config))
    assert isinstance(frame, str)
    shown = json.loads(frame)["session"]["audio"]["input"]["transcription"]["model"]
    assert shown == configure.config.recognizer.name == used


@pytest.mark.parametrize(("asked", "told"), [(["draining"], [30_000]), ([], [])])
def test_the_end_of_the_service_is_announced_to_clients_that_ask_for_it(asked: list[str], told: list[int]) -> None:
    messages = [json.loads(frame) for frame in opened(ext=asked).encode_draining(30.0)]
    assert [message["deadline_ms"] for message in messages if message["type"] == "x.session.draining"] == told
    assert len(messages) == len(told)
