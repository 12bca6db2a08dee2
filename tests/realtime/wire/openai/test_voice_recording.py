"""Recordings of voices to clone in `session.update` and `response.create`."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from realtime.catalogue.names import lookup
from realtime.errors import ClientError, Overloaded, UnsupportedAudio
from realtime.session.commands import Configure, CreateResponse
from realtime.speech.style import ReferenceClip
from realtime.wire.codec import VoiceRecording
from realtime.wire.openai.client_events import InvalidValue
from realtime.wire.openai.codec import OpenAICodec
from tests.support.dialect_client import handshake
from tests.support.openai_dialect import Client, Json

CLONING = {"voice_model": lookup("ChatTTS")}
SPEECH = base64.b64encode(b"RIFF").decode()
CLIP = ReferenceClip(np.zeros(16_000, np.float32), "What Ann says.")


def client(**handshake: Any) -> Client:
    return Client(handshake=CLONING | handshake)


def update(**output: Any) -> Json:
    return {"type": "session.update", "event_id": "event_1", "session": {"audio": {"output": output}}}


def response(**output: Any) -> Json:
    return {"type": "response.create", "event_id": "event_1", "response": {"audio": {"output": output}}}


def recording(client: Client, message: Json) -> VoiceRecording:
    (found,) = client.send(message)
    assert isinstance(found, VoiceRecording)
    return found


def shown(client: Client) -> Json:
    output: Json = client.update()["audio"]["output"]
    return output


def test_a_recording_becomes_the_voice_of_the_session() -> None:
    ann = client()
    found = recording(ann, update(x_prompt_speech=SPEECH, x_prompt_text="What Ann says."))
    assert (found.data, found.transcript) == (b"RIFF", "What Ann says.")
    (configure,) = found.accept(CLIP)
    assert isinstance(configure, Configure)
    assert configure.config.clip is ann.codec.config.clip is CLIP


@pytest.mark.parametrize("output", [{"voice": "bright"}, {"x_prompt_speech": None}])
def test_a_named_voice_or_null_takes_the_place_of_a_recording(output: Json) -> None:
    ann = client()
    recording(ann, update(x_prompt_speech=SPEECH)).accept(CLIP)
    ann.send(update(speed=1.2))
    assert ann.codec.config.clip is CLIP
    ann.send(update(**output))
    assert ann.codec.config.clip is None


def test_the_session_shows_that_a_recording_is_in_effect() -> None:
    ann = client()
    assert "x_prompt_text" not in shown(ann)
    (configure,) = recording(ann, update(x_prompt_speech=SPEECH)).accept(CLIP)
    updated = [ann.codec.encode(event) for event in ann.session.receive(configure, 0.0)]  # type: ignore[arg-type]
    assert "What Ann says." in str(updated)


def test_a_response_can_have_a_recording_of_its_own() -> None:
    (create,) = recording(client(), response(x_prompt_speech=SPEECH, voice="calm")).accept(CLIP)
    assert isinstance(create, CreateResponse)
    assert (create.clip, create.voice) == (CLIP, "calm")


def test_a_recording_that_cannot_be_used_refuses_the_message() -> None:
    found = recording(client(), update(x_prompt_speech=SPEECH))
    error = found.refusal(UnsupportedAudio("This is no audio."))
    assert isinstance(error, InvalidValue)
    assert (error.message, error.param, error.request_id) == (
        "`x_prompt_speech`: This is no audio.", "session.audio.output.x_prompt_speech", "event_1",
    )  # fmt: skip


def test_a_recording_that_cannot_be_decoded_now_may_be_sent_again() -> None:
    ann = client()
    error = recording(ann, update(x_prompt_speech=SPEECH)).refusal(Overloaded("Too many files are being decoded."))
    (message,) = ann.codec.encode_error(error)
    assert isinstance(message, str)
    assert json.loads(message)["error"] == {
        "type": "server_error", "code": "server_overloaded", "message": "Too many files are being decoded.",
        "param": None, "event_id": "event_1",
    }  # fmt: skip


def test_a_message_can_be_refused_after_its_recording_was_read() -> None:
    found = recording(client(), response(x_prompt_speech=SPEECH) | {"event_id": "event_2"})
    message = update(x_prompt_speech=SPEECH)
    message["session"]["tool_choice"] = "nothing"
    with pytest.raises(ClientError, match="tool_choice"):
        recording(client(), message).accept(CLIP)
    assert found.accept(CLIP)


@pytest.mark.parametrize(
    ("message", "handshake", "param", "text"),
    [
        (update(x_prompt_speech=SPEECH), {"voice_model": lookup("hibari-tts")}, "session", "hibari-tts does not clone"),
        (response(x_prompt_speech=SPEECH), {"voice_model": None}, "response", "voice does not clone voices"),
        (update(x_prompt_text="Hi."), {}, "session", "needs a recording"),
        (response(x_prompt_text="Hi."), {}, "response", "needs a recording"),
    ],
)
def test_what_cannot_be_cloned_is_refused(message: Json, handshake: Json, param: str, text: str) -> None:
    error = client(**handshake).refusal(str(message).replace("'", '"').replace("None", "null"))
    assert (error["code"], error["param"]) == ("invalid_value", f"{param}.audio.output.x_prompt_speech")
    assert text in error["message"]


def test_a_recording_does_not_come_with_a_key() -> None:
    carried = b'{"audio": {"output": {"x_prompt_speech": "UklGRg=="}}}'
    with pytest.raises(InvalidValue, match="not with a key"):
        OpenAICodec.open(handshake(session=carried))
