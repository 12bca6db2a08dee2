"""Translations into English; every message is validated against the types of OpenAI's client."""

import base64
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeTranslationServerEvent
from pydantic import TypeAdapter

from realtime.audio.formats import AudioFormat, Encoding
from realtime.catalogue.names import ModelNames
from realtime.errors import ClientError, EngineError, Overloaded
from realtime.session.events import Event, TranscriptCompleted
from realtime.session.jobs import CancelJob, Generate, ScoreTurn, ScoreWindows, Synthesize, Transcribe
from realtime.session.response_events import ResponseTextExtended
from realtime.settings import Settings
from realtime.wire.codec import Close, Handshake
from realtime.wire.openai.translations import TranslationCodec
from tests.support.scripted_conversation import Conversation, Microphone

Json = dict[str, Any]
SERVER_EVENTS: TypeAdapter[Any] = TypeAdapter(RealtimeTranslationServerEvent)
JOBS = (ScoreWindows, ScoreTurn, Transcribe, Synthesize, Generate, CancelJob)
NAMES = ModelNames(Settings())


def opened(
    session: Json | None = None, model: str = "gpt-realtime-translate", voice: str = "amber"
) -> TranslationCodec:
    numbers = itertools.count(1)
    return TranslationCodec.open(
        Handshake(
            session_id="sess_1",
            query={"model": [model]},
            new_id=lambda prefix: f"{prefix}_{next(numbers)}",
            find_recognizer=NAMES.recognizer,
            find_voice={"": voice}.get,
            max_input_characters=100,
            session=json.dumps(session).encode() if session else b"",
        )
    )


class Interpreted:
    """A connection with its session, whose engines answer at once except for those that are held."""

    def __init__(self, *held: Any, session: Json | None = None) -> None:
        self.codec = opened(session)
        self.conversation = Conversation(self.codec.config, held=held)
        self.closed = False
        self.messages: list[Json] = []
        self._reported = 0

    def send(self, kind: str, **fields: Any) -> None:
        for command in self.codec.decode(json.dumps({"type": kind, **fields})):
            self.conversation.send(command)
        self.report()

    def speak(self, *audio: bytes) -> None:
        """Send audio at 16 kHz, of which every sample is played 1.5 times as fast."""
        for each in audio:
            for start in range(0, len(each), 960):
                self.conversation.now += 0.02
                data = base64.b64encode(each[start : start + 960]).decode()
                self.send("session.input_audio_buffer.append", audio=data)

    def report(self) -> None:
        fresh = self.conversation.outputs[self._reported :]
        self._reported = len(self.conversation.outputs)
        for output in fresh:
            if not isinstance(output, JOBS):
                self.tell(output)

    def tell(self, event: Event) -> None:
        for frame in self.codec.encode(event):
            if isinstance(frame, Close):
                self.closed = True
            else:
                message = json.loads(frame)
                assert SERVER_EVENTS.validate_python(message).type == message["type"]
                self.messages.append(message)

    def of(self, kind: str) -> list[Json]:
        return [message for message in self.messages if message["type"] == kind]

    def refuse(self, error: ClientError) -> None:
        (frame,) = self.codec.encode_error(error)
        assert isinstance(frame, str)
        assert SERVER_EVENTS.validate_python(json.loads(frame)).type == "error"

    @property
    def text(self) -> str:
        return self.transcript("output")

    def transcript(self, side: str) -> str:
        return "".join(message["delta"] for message in self.of(f"session.{side}_transcript.delta"))


def refusal(codec: TranslationCodec, message: str | bytes) -> Json:
    with pytest.raises(ClientError) as caught:
        codec.decode(message)
    (frame,) = codec.encode_error(caught.value)
    assert isinstance(frame, str)
    error: Json = json.loads(frame)["error"]
    return error


def update(**audio: Any) -> str:
    return json.dumps({"type": "session.update", "event_id": "e1", "session": {"audio": audio}})


def test_a_translation_begins_with_its_session() -> None:
    (greeting,) = opened().greeting()
    created = json.loads(greeting)
    assert SERVER_EVENTS.validate_python(created).type == "session.created"
    assert created["session"] == {
        "id": "sess_1",
        "type": "translation",
        "model": "gpt-realtime-translate",
        "expires_at": 86_400,
        "audio": {"input": {"transcription": None, "noise_reduction": None}, "output": {"language": "en"}},
    }


def test_speech_is_translated_by_the_recognizer_and_spoken() -> None:
    config = opened().config
    assert (config.translate, config.transcribe, config.speak_transcripts) == (True, True, True)
    assert config.input_format == config.output_format == AudioFormat(Encoding.PCM16, 24_000)
    assert (config.voice, config.recognizer) == ("amber", NAMES.recognizer(""))
    assert opened(voice="").config.voice == ""


def test_a_recognizer_that_cannot_translate_is_refused() -> None:
    with pytest.raises(ClientError, match="cannot translate"):
        opened(model="whisper-tiny.en")


def test_the_session_of_a_key_is_the_one_that_begins() -> None:
    session = {"model": "mine", "audio": {"input": {"noise_reduction": {"type": "near_field"}}}}
    shown = json.loads(opened(session).greeting()[0])["session"]
    assert (shown["model"], shown["audio"]["input"]["noise_reduction"]) == ("mine", {"type": "near_field"})
    with pytest.raises(ClientError, match="English only"):
        opened({"audio": {"output": {"language": "es"}}})


def test_an_update_is_confirmed_with_what_is_in_effect() -> None:
    client = Interpreted()
    client.send(
        "session.update",
        session={
            "audio": {
                "input": {"transcription": {"model": "whisper-1"}, "noise_reduction": {"type": "far_field"}},
                "output": {"language": "en-US"},
            }
        },
    )
    client.send("session.update", session={"audio": {"input": {"noise_reduction": None}}})
    client.send("session.update", session={})
    inputs = [each["session"]["audio"]["input"] for each in client.of("session.updated")]
    assert [each["noise_reduction"] for each in inputs] == [{"type": "far_field"}, None, None]
    assert all(each["transcription"] == {"model": "whisper-base"} for each in inputs)
    client.send("session.update", session={"audio": {"input": {"transcription": None}}})
    assert client.messages[-1]["session"]["audio"]["input"]["transcription"] is None


@pytest.mark.parametrize("language", ["es", "klingon"])
def test_another_target_language_is_refused(language: str) -> None:
    error = refusal(opened(), update(output={"language": language}))
    assert (error["code"], error["param"]) == ("invalid_value", "session.audio.output.language")
    assert error["event_id"] == "e1"


@pytest.mark.parametrize("message", ["{", '{"type": "response.create"}', '{"type": "session.update"}', b"\0\0"])
def test_what_is_no_event_of_a_translation_is_refused(message: str | bytes) -> None:
    assert refusal(opened(), message)["type"] == "invalid_request_error"


def test_what_is_said_is_spoken_in_order_and_told_in_text() -> None:
    client, microphone = Interpreted(), Microphone()
    for _ in range(2):
        client.speak(microphone.speech(1.92), microphone.silence(1.5))
    client.conversation.wait(5)
    client.report()
    spoken = client.of("session.output_audio.delta")
    assert {(each["sample_rate"], each["channels"], each["format"]) for each in spoken} == {(24_000, 1, "pcm16")}
    first, second = client.conversation.outputs_of(TranscriptCompleted)
    assert client.text == f"{first.text} {second.text}"
    spoken_texts = client.conversation.outputs_of(ResponseTextExtended)
    assert "".join(event.delta for event in spoken_texts).replace("w", " w").split() == client.text.split()
    assert all(each["elapsed_ms"] % 200 == 0 for each in client.messages)
    assert client.messages[0]["elapsed_ms"] < client.messages[-1]["elapsed_ms"]
    assert not client.closed


def test_what_is_said_is_told_in_its_own_language_too_where_the_client_asks_for_it() -> None:
    client, microphone = Interpreted(session=IN_BOTH_LANGUAGES), Microphone()
    for _ in range(2):
        client.speak(microphone.speech(1.92), microphone.silence(1.5))
    client.send("session.close")
    client.conversation.wait(5)
    client.report()
    first, _, second, _ = client.conversation.outputs_of(TranscriptCompleted)
    assert client.text == client.transcript("input") == f"{first.text} {second.text}"
    assert [request.translate for request in client.conversation.finals[:4]] == [True, False] * 2
    spoken = "".join(event.delta for event in client.conversation.outputs_of(ResponseTextExtended))
    assert spoken.replace("w", " w").split() == client.text.split()
    assert client.messages[-1]["type"] == "session.closed"


def test_whether_the_source_is_transcribed_cannot_change_once_there_is_audio() -> None:
    client, microphone = Interpreted(), Microphone()
    client.speak(microphone.speech(1.0))
    client.send("session.update", session={"audio": {"input": {"transcription": {}}}})
    assert client.messages[-1]["session"]["audio"]["input"]["transcription"] is None
    client.speak(microphone.silence(1.5))
    assert client.text
    assert client.transcript("input") == ""


def test_the_rest_is_spoken_before_the_connection_closes() -> None:
    client, microphone = Interpreted(Synthesize), Microphone()
    client.speak(microphone.speech(1.92))
    client.send("session.close")
    assert client.text
    assert not client.of("session.closed")
    client.conversation.release(Synthesize)
    client.conversation.wait(1)
    client.report()
    assert client.messages[-1]["type"] == "session.closed"
    assert client.of("session.output_audio.delta")
    assert client.closed
    assert client.codec.decode(json.dumps({"type": "session.close"})) == []


def test_turns_that_wait_for_the_speech_before_them_are_spoken_before_the_connection_closes() -> None:
    client, microphone = Interpreted(Synthesize), Microphone()
    for _ in range(3):
        client.speak(microphone.speech(1.92), microphone.silence(1.5))
    client.send("session.close")
    assert not client.of("session.closed")
    client.conversation.release(Synthesize)
    client.conversation.wait(1)
    client.report()
    assert client.messages[-1]["type"] == "session.closed"
    assert len(client.of("session.closed")) == 1


def test_a_translation_of_silence_closes_at_once() -> None:
    client, microphone = Interpreted(), Microphone()
    client.speak(microphone.silence(0.5))
    client.send("session.close")
    assert [message["type"] for message in client.messages] == ["session.closed"]


def test_failures_of_the_models_are_reported_and_do_not_keep_the_connection_open() -> None:
    client, microphone = Interpreted(Transcribe, Synthesize), Microphone()
    client.speak(microphone.speech(0.96))
    client.send("session.close")
    client.conversation.fail(Transcribe)
    client.report()
    assert [message["type"] for message in client.messages] == ["error", "session.closed"]
    client = Interpreted(Synthesize)
    client.speak(microphone.speech(1.92))
    client.send("session.close")
    client.conversation.fail(Synthesize)
    client.report()
    assert [message["type"] for message in client.messages[-2:]] == ["error", "session.closed"]


def test_nothing_counts_after_the_end() -> None:
    codec = opened()
    assert len(codec.decode('{"type": "session.close"}')) == 1
    assert codec.decode('{"type": "session.close"}') == []
    assert codec.idle_timeout_seconds is None


def test_an_error_that_ends_the_connection_is_reported_and_closes_it() -> None:
    for error, code in ((Overloaded("busy"), 1013), (EngineError("broken"), 1011)):
        frame, close = opened().encode_error(error, final=True)
        assert isinstance(frame, str)
        assert json.loads(frame)["error"]["code"] == error.code
        assert close == Close(code, error.code)


IN_BOTH_LANGUAGES: Json = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
LOUD = base64.b64encode(b"\x10\x27" * 24_000).decode()
QUIET = base64.b64encode(bytes(48_000)).decode()
HOSTILE = (
    st.sampled_from(
        [
            *(
                {"type": "session.input_audio_buffer.append", "audio": audio}
                for audio in (LOUD, LOUD, QUIET, "", "AA==", "?", 7)
            ),
            {"type": "session.update", "session": {"audio": {"output": {"language": "es"}}}},
            {"type": "session.update", "session": {"audio": {"input": {"noise_reduction": {"type": 1}}}}},
            {"type": "session.update", "session": {"audio": None, "model": "other"}},
            {"type": "session.update", "session": IN_BOTH_LANGUAGES},
            {"type": "session.update", "event_id": 10**30},
            {"type": "session.close", "event_id": None},
            {"type": "response.create"},
            {"type": None},
            [],
        ]
    ).map(json.dumps)
    | st.text(max_size=9)
    | st.just("[" * 50_000)
)


@given(st.lists(HOSTILE | st.binary(max_size=4), max_size=12), st.sampled_from([None, IN_BOTH_LANGUAGES]))
def test_a_hostile_client_gets_one_error_for_each_message_and_its_session_closes(
    script: list[str | bytes], session: Json | None
) -> None:
    client = Interpreted(session=session)
    for message in script:
        try:
            commands = client.codec.decode(message)
        except ClientError as error:
            client.refuse(error)
        else:
            for command in commands:
                client.conversation.send(command)
            client.report()
    client.send("session.close")
    assert len(client.of("session.closed")) == 1
    assert client.closed
    assert client.messages[-1]["type"] == "session.closed"
