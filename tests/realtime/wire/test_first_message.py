"""The path that vosk-server and WhisperLive share."""

from typing import Any

import pytest

from realtime.wire.codec import Close
from realtime.wire.dialects import served_paths
from realtime.wire.first_message import FirstMessageCodec
from realtime.wire.vosk.codec import VoskCodec
from realtime.wire.whisperlive.codec import WhisperLiveCodec
from tests.support.dialect_client import DialectClient, handshake
from tests.support.scripted_conversation import Microphone, words_between


def client() -> DialectClient:
    return DialectClient(FirstMessageCodec, held=())


def test_a_uid_is_that_of_a_client_of_whisperlive() -> None:
    ours = client()
    assert ours.send({"uid": "me", "audio_format": "int16"})[0]["message"] == "SERVER_READY"
    messages = ours.send(Microphone().speech(0.64))
    assert messages[-1]["segments"][0]["text"] == words_between(0, 0.64)


@pytest.mark.parametrize("first", [{"config": {"sample_rate": 16_000}}, bytes(100), "no JSON", "[" * 100_000, "\ud800"])
def test_any_other_message_is_that_of_a_client_of_vosk(first: Any) -> None:
    ours = client()
    ours.send(first)
    assert ours.send({"eof": 1}) == [{"text": ""}, Close()]


def test_only_the_first_message_counts() -> None:
    ours = client()
    ours.send({"config": {}})
    assert "error" in ours.send({"uid": "me"})[0]
    assert ours.codec.idle_timeout_seconds is None
    assert ours.codec.encode_draining(30.0) == []


def test_errors_are_in_the_form_of_the_dialect() -> None:
    ours = client()
    ours.send({"uid": "me"})
    assert ours.send("text")[0]["status"] == "WARNING"


@pytest.mark.parametrize(
    ("names", "codec"),
    [
        (["vosk", "whisperlive"], FirstMessageCodec),
        (["vosk"], VoskCodec),
        (["whisperlive"], WhisperLiveCodec),
        (["openai"], None),
    ],
)
def test_the_path_belongs_to_those_that_are_served(names: list[str], codec: type | None) -> None:
    dialect = served_paths(names).get("/")
    assert (None if dialect is None else type(dialect.open(handshake()))) == codec
