"""The beta of the OpenAI dialect; every message of a conversation is validated against the types of OpenAI's client."""

import json
from dataclasses import replace
from typing import Any

import pytest
from openai.types.beta.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from realtime.audio.formats import AudioFormat, Encoding
from realtime.session.commands import CreateResponse
from realtime.session.config import Modality
from realtime.session.conversation import FunctionCall, Item, ItemStatus, Message, Role, TextPart
from realtime.session.events import Event, SessionConfigured
from realtime.session.response_events import (
    ResponseFinished,
    ResponseItemAdded,
    ResponseItemFinished,
    ResponseStarted,
    ResponseStatus,
    ResponseTextExtended,
)
from realtime.speech.endpointing import TurnDetection
from realtime.wire.openai.session_object import WireSession
from tests.support.openai_dialect import (
    BETA,
    CHAT,
    CONVERSATION,
    SPOKEN,
    TRANSCRIPTION,
    Client,
    Json,
    answer,
    create,
    types,
    utterance,
)

SERVER_EVENTS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


class BetaClient(Client):
    """A client that speaks the beta."""

    def __init__(self, session: WireSession = CONVERSATION) -> None:
        super().__init__(replace(session, model="gpt-4o-realtime-preview"), handshake=BETA)

    def tell(self, *events: Event) -> list[Json]:
        messages = [json.loads(frame) for event in events for frame in self.codec.encode(event)]
        for message in messages:
            assert SERVER_EVENTS.validate_python(message).type == message["type"]
        return messages


@pytest.mark.parametrize(
    "announced",
    [
        {"headers": {"openai-beta": "realtime=v1"}},
        {"headers": {"openai-beta": "assistants=v2, realtime=v1"}},
        {"subprotocols": ["realtime", "openai-beta.realtime-v1"]},
    ],
)
def test_a_transcription_client_of_the_beta_is_greeted_in_its_own_words(announced: Json) -> None:
    (greeting,) = Client(TRANSCRIPTION, handshake=announced).codec.greeting()
    created = json.loads(greeting)
    assert created["type"] == "transcription_session.created"
    assert created["session"] == {
        "id": "sess_1",
        "object": "realtime.transcription_session",
        "expires_at": 0,
        "modalities": ["text"],
        "input_audio_format": "pcm16",
        "input_audio_transcription": {"model": "whisper-base", "language": None, "prompt": None},
        "input_audio_noise_reduction": None,
        "turn_detection": {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 500,
        },
        "include": None,
        "client_secret": None,
    }


def test_a_transcription_session_can_be_updated_as_in_the_beta() -> None:
    client = Client(TRANSCRIPTION)
    (command,) = client.send(
        {
            "type": "transcription_session.update",
            "session": {
                "input_audio_format": "g711_ulaw",
                "input_audio_transcription": {"model": "tiny", "language": "en", "prompt": "Vivavoce"},
                "turn_detection": {"type": "server_vad", "threshold": 0.6, "silence_duration_ms": 700},
                "input_audio_noise_reduction": {"type": "near_field"},
                "include": ["item.input_audio_transcription.logprobs"],
            },
        }
    )
    config = command.config
    assert (config.input_format, config.language, config.prompt) == (
        AudioFormat(Encoding.MULAW, 8_000),
        "en",
        "Vivavoce",
    )
    assert config.turn_detection == TurnDetection(threshold=0.6, silence=11_200)
    (frame,) = client.codec.encode(SessionConfigured(config))
    updated = json.loads(frame)
    assert updated["type"] == "transcription_session.updated"
    shown = updated["session"]
    assert shown["input_audio_format"] == "g711_ulaw"
    assert shown["input_audio_transcription"] == {"model": "whisper-tiny.en", "language": "en", "prompt": "Vivavoce"}
    assert shown["input_audio_noise_reduction"] == {"type": "near_field"}
    assert shown["turn_detection"]["silence_duration_ms"] == 700
    assert shown["include"] == ["item.input_audio_transcription.logprobs"]


def test_each_update_is_confirmed_in_the_version_in_which_it_was_asked_for() -> None:
    client = Client(TRANSCRIPTION)
    kinds = ("session.update", "transcription_session.update", "session.update")
    commands = [client.send({"type": kind, "session": {}})[0] for kind in kinds]
    frames = [frame for each in commands for frame in client.codec.encode(SessionConfigured(each.config))]
    assert [json.loads(frame)["type"] for frame in frames] == [f"{kind}d" for kind in kinds]


def test_an_update_of_the_beta_makes_a_conversation_a_transcription_session() -> None:
    client = Client()
    (command,) = client.send({"type": "transcription_session.update", "session": {"turn_detection": None}})
    assert command.config.transcribe
    assert client.refusal(json.dumps({"type": "response.create"}))["code"] == "invalid_value"


def test_an_update_of_the_beta_cannot_turn_a_conversation_that_has_begun_into_a_transcription_session() -> None:
    client = Client()
    client.send({"type": "input_audio_buffer.append", "audio": "AAAA"})
    error = client.refusal(json.dumps({"type": "transcription_session.update", "session": {}}))
    assert (error["code"], error["param"]) == ("invalid_value", "session.type")


# Conversations.


def test_a_conversation_of_the_beta_begins_with_a_flat_session() -> None:
    (greeting,) = BetaClient().codec.greeting()
    created = json.loads(greeting)
    assert created["type"] == "session.created"
    assert created["session"] == {
        "id": "sess_1",
        "object": "realtime.session",
        "expires_at": 0,
        "model": "gpt-4o-realtime-preview",
        "modalities": ["audio", "text"],
        "instructions": "",
        "voice": "calm",
        "speed": 1.0,
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": None,
        "input_audio_noise_reduction": None,
        "turn_detection": {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 500,
            "idle_timeout_ms": None,
            "create_response": False,
            "interrupt_response": True,
        },
        "tools": [],
        "tool_choice": "auto",
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
        "tracing": None,
        "include": None,
        "client_secret": None,
    }


def test_an_update_of_the_beta_is_confirmed_with_a_flat_session() -> None:
    shown = BetaClient().update(
        modalities=["text"],
        voice="bright",
        output_audio_format="g711_ulaw",
        input_audio_format="g711_alaw",
        max_response_output_tokens=200,
        temperature=0.7,
    )
    assert shown["modalities"] == ["text"]
    assert (shown["voice"], shown["max_response_output_tokens"]) == ("bright", 200)
    assert (shown["input_audio_format"], shown["output_audio_format"]) == ("g711_alaw", "g711_ulaw")


def test_a_container_has_the_same_name_in_the_beta() -> None:
    client = BetaClient()
    update = {"input": {"format": {"type": "audio/webm"}}}
    (configure,) = client.send({"type": "session.update", "session": {"audio": update}})
    (frame,) = client.codec.encode(SessionConfigured(configure.config))
    assert json.loads(frame)["session"]["input_audio_format"] == "audio/webm"


def test_a_turn_and_its_answer_have_the_names_of_the_beta() -> None:
    client = BetaClient(session=replace(CHAT, transcription=True))
    messages = client.tell(*utterance(), *answer())
    assert types(messages) == [
        "input_audio_buffer.speech_started",
        "conversation.item.input_audio_transcription.delta",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
        "response.audio_transcript.delta",
        "response.audio.delta",
        "response.audio_transcript.delta",
        "response.audio.delta",
        "response.audio.done",
        "response.audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    response = messages[-1]["response"]
    assert response["modalities"] == ["audio", "text"]
    assert (response["voice"], response["output_audio_format"], response["temperature"]) == ("calm", "pcm16", 0.8)
    assert response["output"][0]["content"] == [{"type": "audio", "transcript": "Done. The lights are off."}]
    assert not {"audio", "output_modalities"} & set(response)


def test_a_written_answer_and_a_tool_call_have_the_names_of_the_beta() -> None:
    written = replace(SPOKEN, modality=Modality.TEXT)
    said = Item("item_s1", Message(Role.ASSISTANT, (TextPart("Done."),)))
    call = Item("item_c1", FunctionCall("call_1", "switch", "{}"))
    messages = BetaClient(session=CHAT).tell(
        ResponseStarted(written),
        ResponseItemAdded(written, 0, Item("item_s1", Message(Role.ASSISTANT), ItemStatus.IN_PROGRESS), None),
        ResponseTextExtended(written, 0, "item_s1", "Done."),
        ResponseItemFinished(written, 0, said, None),
        ResponseItemAdded(written, 1, replace(call, status=ItemStatus.IN_PROGRESS), "item_s1"),
        ResponseItemFinished(written, 1, call, "item_s1"),
        ResponseFinished(written, ResponseStatus.COMPLETED, (said, call)),
    )
    assert {"response.text.delta", "response.text.done"} < set(types(messages))
    response = messages[-1]["response"]
    assert response["modalities"] == ["text"]
    assert response["output"][0]["content"] == [{"type": "text", "text": "Done."}]
    assert response["output"][1]["type"] == "function_call"


def test_an_item_of_the_client_is_reported_once_in_the_beta() -> None:
    (created,) = BetaClient().ask(create("Hello."))
    assert created["type"] == "conversation.item.created"
    assert created["item"]["content"] == [{"type": "text", "text": "Hello."}]


def test_the_parameters_of_a_response_may_be_those_of_the_beta() -> None:
    parameters = {"voice": "bright", "output_audio_format": "g711_ulaw", "max_response_output_tokens": 100}
    (command,) = BetaClient().send({"type": "response.create", "response": parameters | {"modalities": ["text"]}})
    assert isinstance(command, CreateResponse)
    assert (command.voice, command.max_output_tokens, command.modality) == ("bright", 100, Modality.TEXT)
    assert command.output_format == AudioFormat(Encoding.MULAW, 8_000)
