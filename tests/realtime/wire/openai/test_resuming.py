"""What the OpenAI dialect says about sessions that can be resumed, and how clients ask for them."""

import base64
import json
from collections.abc import Mapping

import pytest

from realtime.catalogue.table import WHISPER_BASE
from realtime.errors import ClientError, Unauthorized
from realtime.wire.codec import Close, Handshake, ResumeRequest
from realtime.wire.openai.codec import OpenAICodec
from realtime.wire.openai.resuming import refusal, resume_request
from realtime.wire.vosk.codec import VoskCodec


def handshake(*extensions: str) -> Handshake:
    return Handshake(
        session_id="sess_1",
        query={"ext": extensions},
        new_id=lambda kind: f"{kind}_1",
        find_recognizer=lambda _: WHISPER_BASE,
        find_voice=lambda _: "calm",
        max_input_characters=1_000,
    )


def test_messages_and_bytes_of_audio_are_counted() -> None:
    codec = OpenAICodec.open(handshake("resume,binary"))
    assert codec.resumption is not None
    codec.decode(bytes(960))
    codec.decode(json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(480)).decode()}))
    codec.decode(json.dumps({"type": "input_audio_buffer.commit"}))
    with pytest.raises(ClientError):
        codec.decode("no event")
    received = json.loads(codec.resumption.received())
    assert (received["type"], received["messages"], received["audio_bytes"]) == ("x.session.received", 4, 1440)
    resumed = json.loads(codec.resumption.resumed(8))
    assert (resumed["type"], resumed["messages"], resumed["next_sequence"]) == ("x.session.resumed", 4, 8)


def test_a_client_says_what_it_has_received() -> None:
    codec, plain = OpenAICodec.open(handshake("resume")), OpenAICodec.open(handshake())
    assert codec.resumption is not None
    assert codec.resumption.delivered == 0
    for each in (codec, plain):
        assert not each.decode(json.dumps({"type": "x.session.received", "messages": 7}))
    assert codec.resumption.delivered == 7
    with pytest.raises(ClientError):
        codec.decode(json.dumps({"type": "x.session.received", "messages": -1}))


def test_a_session_is_offered_with_its_token() -> None:
    resumption = OpenAICodec.open(handshake("resume")).resumption
    assert resumption is not None
    offer = json.loads(resumption.offer("secret", 60.0))
    assert (offer["type"], offer["session_id"]) == ("x.session.resumable", "sess_1")
    assert (offer["token"], offer["timeout_seconds"]) == ("secret", 60.0)


def test_a_message_keeps_its_fields_beside_its_number() -> None:
    resumption = OpenAICodec.open(handshake("resume")).resumption
    assert resumption is not None
    assert json.loads(resumption.numbered('{"type":"error","event_id":"e"}', 7)) == {
        "x_sequence": 7, "type": "error", "event_id": "e",
    }  # fmt: skip


def test_nothing_is_said_to_clients_that_have_not_asked() -> None:
    codec = OpenAICodec.open(handshake())
    assert codec.resumption is None
    codec.decode(json.dumps({"type": "input_audio_buffer.append", "audio": ""}))


def test_other_protocols_have_no_place_for_it() -> None:
    assert VoskCodec.open(handshake("resume")).resumption is None


QUERY = {"resume": "sess_1", "last_event": "12"}


@pytest.mark.parametrize(
    ("headers", "subprotocols", "expected"),
    [
        ({"x-resume-token": "secret"}, [], ResumeRequest("sess_1", "secret", 12, reads_refusals=True)),
        ({}, ["realtime", "x-resume-token.secret"], ResumeRequest("sess_1", "secret", 12, reads_refusals=False)),
        ({}, ["realtime"], ResumeRequest("sess_1", "", 12, reads_refusals=True)),
    ],
)
def test_the_token_comes_in_a_header_or_a_subprotocol(
    headers: Mapping[str, str], subprotocols: list[str], expected: ResumeRequest
) -> None:
    assert resume_request(QUERY, headers, subprotocols) == expected


def test_a_handshake_without_a_session_opens_a_new_one() -> None:
    assert resume_request({"model": "whisper-1"}, {"x-resume-token": "secret"}, []) is None


@pytest.mark.parametrize("number", ["", "-1", "1.5", "²", "x"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(ClientError) as refused:
        resume_request({"resume": "sess_1", "last_event": number}, {}, [])
    assert refused.value.param == "last_event"


def test_an_endless_number_is_read_as_a_large_one() -> None:
    request = resume_request({"resume": "sess_1", "last_event": "9" * 10_000}, {}, [])
    assert request is not None
    assert request.number == 10**18 - 1


def test_a_refusal_after_the_handshake_is_an_event_and_a_close() -> None:
    event, close = refusal(Unauthorized("No."), lambda kind: f"{kind}_1")
    assert isinstance(event, str)
    assert json.loads(event)["error"]["code"] == "invalid_api_key"
    assert close == Close(1008, "invalid_api_key")
