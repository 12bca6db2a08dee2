"""The OpenAI dialect; every message is validated against the types of OpenAI's client."""

import base64
import json
import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.errors import EngineError, Overloaded, UnsupportedAudio
from realtime.session.commands import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    CreateItem,
    CreateResponse,
    ItemReference,
)
from realtime.session.config import Modality
from realtime.session.conversation import FunctionCall, Item, ItemStatus, Message, Role, TextPart
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    CommandRefused,
    IdleTimeoutReached,
    RecordingTranscribed,
    RefusalReason,
    SessionConfigured,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptFailed,
    TranscriptRevised,
)
from realtime.session.generation import ChatFunctionChoice, ChatTool, ChatUsage
from realtime.session.response_events import (
    EndReason,
    Response,
    ResponseAudioExtended,
    ResponseFinished,
    ResponseFlushed,
    ResponseItemAdded,
    ResponseItemFinished,
    ResponseStarted,
    ResponseStatus,
    ResponseTextExtended,
    ResponseWordsTimed,
)
from realtime.speech.certainty import CERTAIN
from realtime.speech.endpointing import EndOfTurn, TurnDetection
from realtime.speech.speech_timing import SpokenWord
from realtime.speech.suppression import Suppression
from realtime.speech.transcript import Word
from realtime.wire.codec import Close, MediaChunk, VoiceRecording
from realtime.wire.openai.client_events import RefusedRequest
from tests.support.openai_dialect import (
    CHAT,
    CONVERSATION,
    HELLO,
    JOBS,
    LONGEST,
    PCM_24K,
    SERVER_EVENTS,
    SPOKEN,
    TRANSCRIPTION,
    Client,
    Json,
    answer,
    checked,
    create,
    types,
    utterance,
)

GOLDEN = Path(__file__).parents[3] / "data" / "openai_conversation.jsonl"
ALLOWED = {
    "session.created",
    "session.updated",
    "error",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "input_audio_buffer.cleared",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.deleted",
    "conversation.item.retrieved",
    "conversation.item.truncated",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
    "conversation.item.input_audio_transcription.failed",
    "response.created",
    "rate_limits.updated",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
}


def test_validation_against_the_types_of_the_client_rejects_wrong_events() -> None:
    completed = Client(TRANSCRIPTION).tell(TranscriptCompleted("item_u1", "", (), "en", 16_000))[0]
    del completed["usage"]
    with pytest.raises(ValidationError):
        SERVER_EVENTS.validate_python(completed)


# The greeting and the session object.


def test_a_conversation_begins_with_its_session_alone() -> None:
    (created,) = Client().greeting()
    assert created["session"] == {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_1",
        "model": "local",
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": 0,
        "include": None,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                    "idle_timeout_ms": None,
                    "create_response": False,
                    "interrupt_response": True,
                },
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "calm", "speed": 1.0},
        },
    }


def test_a_transcription_session_begins_with_its_session_alone() -> None:
    (created,) = Client(TRANSCRIPTION).greeting()
    assert created["session"] == {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": "sess_1",
        "expires_at": 0,
        "include": None,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": {"model": "whisper-base", "language": None, "prompt": None},
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                },
            }
        },
    }


def test_an_update_changes_only_what_is_present() -> None:
    client = Client()
    before = client.update()
    assert client.update(instructions="Be brief.") == before | {"instructions": "Be brief."}


def test_two_updates_in_a_row_are_confirmed_each_with_its_own_state() -> None:
    client = Client()
    first = client.send({"type": "session.update", "session": {"instructions": "one"}})[0]
    second = client.send({"type": "session.update", "session": {"instructions": "two"}})[0]
    updates = client.tell(SessionConfigured(first.config), SessionConfigured(second.config))
    assert [each["session"]["instructions"] for each in updates] == ["one", "two"]


def test_turn_detection_is_replaced_whole() -> None:
    client = Client()
    client.update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.8}}})
    shown = client.update(audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 350}}})
    assert shown["audio"]["input"]["turn_detection"]["threshold"] == 0.5
    assert shown["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 350


def test_transcription_keeps_the_fields_left_out() -> None:
    client = Client()
    client.update(audio={"input": {"transcription": {"model": "tiny", "language": "en", "prompt": "Berlin"}}})
    shown = client.update(audio={"input": {"transcription": {"prompt": None}}})
    assert shown["audio"]["input"]["transcription"] == {"model": "whisper-tiny.en", "language": "en", "prompt": None}


def test_a_translation_is_shown_for_as_long_as_it_is_effective() -> None:
    client = Client()
    untranslated = {"model": "whisper-base", "language": None, "prompt": None}
    for asked, shown in (
        ({}, untranslated),
        ({"task": "translate"}, untranslated | {"task": "translate"}),
        ({"prompt": None}, untranslated | {"task": "translate"}),
        ({"task": "transcribe"}, untranslated),
        ({"task": "translate"}, untranslated | {"task": "translate"}),
        ({"task": None}, untranslated),
    ):
        assert client.update(audio={"input": {"transcription": asked}})["audio"]["input"]["transcription"] == shown


def test_a_translation_reaches_the_session() -> None:
    asked = {"type": "session.update", "session": {"audio": {"input": {"transcription": {"task": "translate"}}}}}
    (command,) = Client(TRANSCRIPTION).send(asked)
    assert command.config.translate


def test_a_translation_may_be_asked_for_in_the_flat_form() -> None:
    shown = Client().update(input_audio_transcription={"task": "translate"})
    assert shown["audio"]["input"]["transcription"]["task"] == "translate"


@pytest.mark.parametrize(
    ("session", "param"),
    [
        (
            {"audio": {"input": {"transcription": {"model": "tiny", "task": "translate"}}}},
            "session.audio.input.transcription.task",
        ),
        (
            {"input_audio_transcription": {"model": "tiny", "task": "translate"}},
            "session.input_audio_transcription.task",
        ),
    ],
)
def test_a_model_that_cannot_translate_is_not_asked_to(session: Json, param: str) -> None:
    client = Client(TRANSCRIPTION)
    before = client.update()
    error = client.refusal(json.dumps({"type": "session.update", "event_id": "e9", "session": session}))
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "invalid_value", param)
    assert (error["message"], error["event_id"]) == ("The model 'whisper-tiny.en' cannot translate.", "e9")
    assert client.update() == before


def test_a_session_that_translates_keeps_a_model_that_can() -> None:
    client = Client(TRANSCRIPTION)
    client.update(audio={"input": {"transcription": {"task": "translate"}}})
    session = {"audio": {"input": {"transcription": {"model": "tiny"}}}}
    client.refusal(json.dumps({"type": "session.update", "session": session}))
    assert client.update()["audio"]["input"]["transcription"]["model"] == "whisper-base"


def test_transcription_is_off_in_a_conversation_unless_asked_for() -> None:
    client = Client()
    command = client.send({"type": "session.update", "session": {"audio": {"input": {"transcription": {}}}}})[0]
    assert command.config.transcribe
    command = client.send({"type": "session.update", "session": {"audio": {"input": {"transcription": None}}}})[0]
    assert not command.config.transcribe


def test_transcription_stays_on_in_a_transcription_session() -> None:
    shown = Client(TRANSCRIPTION).update(audio={"input": {"transcription": None}})
    assert shown["audio"]["input"]["transcription"]["model"] == "whisper-base"


def test_milliseconds_become_samples() -> None:
    detection = {"type": "server_vad", "threshold": 0.6, "prefix_padding_ms": 600, "silence_duration_ms": 350}
    update = {"type": "session.update", "session": {"audio": {"input": {"turn_detection": detection}}}}
    assert Client().send(update)[0].config.turn_detection == TurnDetection(0.6, 9_600, 5_600)


@pytest.mark.parametrize(
    ("asked", "shown", "silence", "end_of_turn"),
    [
        ("high", "high", 6_400, EndOfTurn(4_608, 25_600)),
        ("low", "low", 19_200, EndOfTurn(19_200, 64_000)),
        (None, "auto", 11_200, EndOfTurn(12_800, 32_000)),
    ],
)
def test_eagerness_says_how_long_a_silence_ends_a_turn(
    asked: str | None, shown: str, silence: int, end_of_turn: EndOfTurn
) -> None:
    client = Client()
    detection = {"type": "semantic_vad", "eagerness": asked}
    command = client.send({"type": "session.update", "session": {"audio": {"input": {"turn_detection": detection}}}})[0]
    (updated,) = client.tell(SessionConfigured(command.config))
    assert command.config.turn_detection == TurnDetection(silence=silence, end_of_turn=end_of_turn)
    assert updated["session"]["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": shown,
        "create_response": False,
        "interrupt_response": True,
    }


def test_turn_detection_null_leaves_turns_to_the_client() -> None:
    client = Client()
    assert client.update(audio={"input": {"turn_detection": None}})["audio"]["input"]["turn_detection"] is None


@pytest.mark.parametrize(
    "model",
    ["gpt-realtime-whisper", "gpt-live-transcribe", "gpt-live-transcribe-2026-06-01", "openai/gpt-live-transcribe"],
)
def test_clients_of_streaming_models_commit_manually(model: str) -> None:
    shown = Client(TRANSCRIPTION).update(type="transcription", audio={"input": {"transcription": {"model": model}}})
    assert shown["audio"]["input"]["turn_detection"] is None
    assert shown["audio"]["input"]["transcription"]["model"] == "whisper-base"


def test_clients_of_streaming_models_may_still_ask_for_turn_detection() -> None:
    asked = {"transcription": {"model": "gpt-realtime-whisper"}, "turn_detection": {"type": "server_vad"}}
    assert Client(TRANSCRIPTION).update(audio={"input": asked})["audio"]["input"]["turn_detection"] is not None


def test_unknown_models_and_voices_leave_the_current_ones() -> None:
    shown = Client().update(
        model="gpt-realtime",
        audio={"input": {"transcription": {"model": "gpt-4o-transcribe"}}, "output": {"voice": "marin"}},
    )
    assert (shown["model"], shown["audio"]["output"]["voice"]) == ("local", "calm")
    assert shown["audio"]["input"]["transcription"] == {"model": "whisper-base", "language": None, "prompt": None}


@pytest.mark.parametrize("voice", ["bright", {"id": "bright"}])
def test_a_voice_is_shown_as_a_plain_string(voice: object) -> None:
    assert Client().update(audio={"output": {"voice": voice}})["audio"]["output"]["voice"] == "bright"


def test_what_cannot_be_honoured_is_ignored() -> None:
    client = Client()
    before = client.update()
    after = client.update(
        model="gpt-realtime",
        tracing="auto",
        truncation={"type": "retention_ratio", "retention_ratio": 0.5},
        prompt={"id": "pmpt_1"},
        reasoning={"effort": "low"},
        parallel_tool_calls=True,
        output_modalities=["text", "audio"],
        colour="blue",
        tools=[{"type": "mcp", "server_label": "x"}],
        tool_choice=None,
        audio={"input": {"noise_reduction": {"type": "magic"}}, "output": {"speed": 1.0}},
    )
    assert after == before


def test_nulls_mean_the_default() -> None:
    client = Client()
    before = client.update()
    nulls: Json = {
        "input": {"format": None, "transcription": None, "noise_reduction": None},
        "output": {"format": None, "voice": None, "speed": None},
    }
    assert client.update(type=None, instructions=None, tools=None, audio=nulls) == before
    assert client.update(audio=None) == before


def test_tools_and_tool_choice_are_shown_again() -> None:
    tool = {"type": "function", "name": "dim", "description": "Dim the light.", "parameters": {"type": "object"}}
    shown = Client().update(tools=[tool], tool_choice={"type": "function", "name": "dim"})
    assert shown["tools"] == [tool]
    assert shown["tool_choice"] == {"type": "function", "name": "dim"}


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_a_tool_choice_without_a_function_is_shown_again(choice: str) -> None:
    assert Client().update(tool_choice=choice)["tool_choice"] == choice


def test_a_tool_choice_of_another_type_leaves_the_current_one() -> None:
    client = Client()
    client.update(tool_choice="none")
    assert client.update(tool_choice={"type": "mcp"})["tool_choice"] == "none"


def test_a_tool_choice_may_be_the_name_of_a_function() -> None:
    client, tools = Client(), [{"type": "function", "name": "dim"}]
    assert client.update(tools=tools, tool_choice="dim")["tool_choice"] == {"type": "function", "name": "dim"}
    assert response(client, tool_choice="dim").tool_choice == ChatFunctionChoice("dim")
    refused = {"type": "response.create", "response": {"tool_choice": "dim", "tools": []}}
    assert client.refusal(json.dumps(refused))["param"] == "response.tool_choice"


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("tool_choice", "maybe", "tool_choice"),
        ("include", ["item.input_audio_transcription.logprobs", "nope"], "include[1]"),
        ("speed", 9, "speed"),
        ("speed", 0.2, "speed"),
        ("audio", {"output": {"speed": 1.6}}, "audio.output.speed"),
        ("max_output_tokens", 0, "max_output_tokens"),
        ("max_output_tokens", 4097, "max_output_tokens"),
        ("max_output_tokens", "many", "max_output_tokens"),
        ("max_response_output_tokens", 10**30, "max_response_output_tokens"),
    ],
)
def test_a_value_outside_of_the_protocol_refuses_the_whole_update(field: str, value: object, param: str) -> None:
    client = Client()
    before = client.update()
    update = {"type": "session.update", "event_id": "e1", "session": {"instructions": "Be brief.", field: value}}
    error = client.refusal(json.dumps(update))
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", f"session.{param}", "e1")
    assert client.update() == before


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"conversation": "other"}, "conversation"),
        ({"max_output_tokens": 5000}, "max_output_tokens"),
        ({"audio": {"output": {"speed": 0}}}, "audio.output.speed"),
    ],
)
def test_a_response_with_a_value_outside_of_the_protocol_is_refused(parameters: Json, param: str) -> None:
    error = Client().refusal(json.dumps({"type": "response.create", "response": parameters}))
    assert (error["code"], error["param"]) == ("invalid_value", f"response.{param}")


def test_noise_reduction_is_shown_without_effect() -> None:
    shown = Client().update(audio={"input": {"noise_reduction": {"type": "near_field"}}})
    assert shown["audio"]["input"]["noise_reduction"] == {"type": "near_field"}


@pytest.mark.parametrize(
    ("asked", "encoding", "rate"),
    [
        ({"type": "audio/pcm"}, Encoding.PCM16, 24_000),
        ({"type": "audio/pcmu"}, Encoding.MULAW, 8_000),
        ({"type": "audio/pcma"}, Encoding.ALAW, 8_000),
    ],
)
def test_formats_become_encodings(asked: Json, encoding: Encoding, rate: int) -> None:
    audio = {"input": {"format": asked}, "output": {"format": asked}}
    config = Client().send({"type": "session.update", "session": {"audio": audio}})[0].config
    assert config.input_format == config.output_format == AudioFormat(encoding, rate)


def test_other_sample_rates_are_shown_after_they_are_requested() -> None:
    client = Client()
    update = {
        "type": "session.update",
        "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
    }
    (frame,) = client.codec.encode(SessionConfigured(client.send(update)[0].config))
    assert json.loads(frame)["session"]["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 16_000}


def test_flat_fields_are_read_where_audio_is_absent() -> None:
    shown = Client().update(
        voice="bright",
        input_audio_format="g711_ulaw",
        input_audio_transcription={"model": "whisper-1", "language": "en"},
        turn_detection=None,
    )
    assert shown["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert shown["audio"]["input"]["transcription"]["language"] == "en"
    assert shown["audio"]["input"]["turn_detection"] is None
    assert shown["audio"]["output"]["voice"] == "bright"


def test_an_idle_timeout_is_shown_where_silence_can_be_answered() -> None:
    asked = {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 6_000}}}}
    for session, milliseconds in ((CHAT, 6_000), (replace(CHAT, config=replace(CHAT.config, chat=False)), None)):
        client = Client(session)
        assert client.update(**asked)["audio"]["input"]["turn_detection"]["idle_timeout_ms"] == milliseconds
        assert client.codec.config.idle_timeout == (milliseconds and 6.0)
    client = Client(CHAT)
    for turn_detection in ({"type": "semantic_vad"}, {"type": "server_vad"}, None):
        client.update(**asked)
        client.update(audio={"input": {"turn_detection": turn_detection}})
        assert client.codec.config.idle_timeout is None


def test_a_silence_that_is_answered_is_reported() -> None:
    (triggered,) = Client(CHAT).tell(IdleTimeoutReached("item_u1", 16_000, 112_000))
    assert triggered["type"] == "input_audio_buffer.timeout_triggered"
    assert (triggered["audio_start_ms"], triggered["audio_end_ms"], triggered["item_id"]) == (1_000, 7_000, "item_u1")


# Languages.


@pytest.mark.parametrize(("asked", "code"), [("en-US", "en"), ("zh_CN", "zh"), ("English", "en"), ("", None)])
def test_a_language_is_shown_as_its_code(asked: str, code: str | None) -> None:
    client = Client()
    client.update(audio={"input": {"transcription": {"language": "de"}}})
    shown = client.update(audio={"input": {"transcription": {"language": asked}}})
    assert shown["audio"]["input"]["transcription"]["language"] == code


def test_an_unknown_language_leaves_the_current_one() -> None:
    client = Client()
    client.update(audio={"input": {"transcription": {"language": "de"}}})
    shown = client.update(audio={"input": {"transcription": {"language": "xx"}}})
    assert shown["audio"]["input"]["transcription"]["language"] == "de"


def test_languages_to_choose_from_are_shown_to_those_who_set_them() -> None:
    client = Client()
    shown = client.update(audio={"input": {"transcription": {"languages": ["German", "xx", "fr", "de", "auto"]}}})
    assert shown["audio"]["input"]["transcription"]["languages"] == ["de", "fr"]
    shown = client.update(audio={"input": {"transcription": {"languages": None}}})
    assert "languages" not in shown["audio"]["input"]["transcription"]


def test_a_long_prompt_is_cut_at_its_beginning() -> None:
    shown = Client().update(audio={"input": {"transcription": {"prompt": "x" * 3_000 + "end"}}})
    prompt = shown["audio"]["input"]["transcription"]["prompt"]
    assert len(prompt) == 2_000
    assert prompt.endswith("end")


def test_keywords_are_shown_and_precede_the_prompt_that_the_recognizer_gets() -> None:
    client = Client()
    for asked, shown, prompt in (
        (
            {"keywords": ["Vivavoce", "", "Silero"]},
            {"prompt": None, "keywords": ["Vivavoce", "Silero"]},
            "Vivavoce, Silero",
        ),
        (
            {"prompt": "A talk."},
            {"prompt": "A talk.", "keywords": ["Vivavoce", "Silero"]},
            "Vivavoce, Silero\nA talk.",
        ),
        ({"keywords": None}, {"prompt": "A talk."}, "A talk."),
    ):
        session = client.update(audio={"input": {"transcription": asked}})
        assert session["audio"]["input"]["transcription"] == {"model": "whisper-base", "language": None} | shown
        assert client.codec.config.prompt == prompt


def test_of_too_many_keywords_the_first_are_used() -> None:
    shown = Client().update(audio={"input": {"transcription": {"keywords": ["Vivavoce", "x" * 3_000, "end"]}}})
    assert shown["audio"]["input"]["transcription"]["keywords"] == ["Vivavoce"]


def test_a_longer_delay_lets_words_wait_longer_for_confirmation() -> None:
    client = Client()
    asked = []
    for delay in ("minimal", "low", "medium", "high", "xhigh"):
        shown = client.update(audio={"input": {"transcription": {"delay": delay}}})
        assert shown["audio"]["input"]["transcription"]["delay"] == delay
        asked.append(client.codec.config.certainty)
    for each in ("probability", "age", "span"):
        values = [getattr(certainty, each) for certainty in asked]
        assert values == sorted(values)
    assert len(set(asked)) == len(asked)
    shown = client.update(audio={"input": {"transcription": {"delay": None}}})
    assert "delay" not in shown["audio"]["input"]["transcription"]
    assert client.codec.config.certainty == CERTAIN


def test_a_session_may_change_its_type_before_the_first_audio() -> None:
    assert Client().update(type="transcription")["object"] == "realtime.transcription_session"


def test_a_session_keeps_its_type_after_the_first_audio() -> None:
    client = Client()
    client.send({"type": "input_audio_buffer.append", "audio": "AAAA"})
    update = {"type": "session.update", "event_id": "e7", "session": {"type": "transcription"}}
    error = client.refusal(json.dumps(update))
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "session.type", "e7")
    assert client.update(type="realtime")["type"] == "realtime"


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"audio": {"input": {"format": {"type": "audio/opus"}}}}, "session.audio.input.format.type"),
        ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 1}}}}, "session.audio.input.format.rate"),
        ({"audio": {"input": {"turn_detection": {"type": "magic"}}}}, "session.audio.input.turn_detection.type"),
        (
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 1.1}}}},
            "session.audio.input.turn_detection.threshold",
        ),
        (
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": -1}}}},
            "session.audio.input.turn_detection.silence_duration_ms",
        ),
        (
            {"audio": {"input": {"transcription": {"task": "summarise"}}}},
            "session.audio.input.transcription.task",
        ),
        ({"type": "translation"}, "session.type"),
    ],
)
def test_an_update_with_an_impossible_value_changes_nothing(session: Json, param: str) -> None:
    client = Client()
    before = client.update()
    broken = {"type": "session.update", "event_id": "e9", "session": {"tool_choice": "none", **session}}
    error = client.refusal(json.dumps(broken))
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_value")
    assert (error["param"], error["event_id"]) == (param, "e9")
    assert client.update() == before


# Commands.


def test_an_append_is_decoded_from_base64() -> None:
    data = bytes(range(256))
    message = {"type": "input_audio_buffer.append", "audio": base64.b64encode(data).decode()}
    assert Client().send(message) == [AppendAudio(data)]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("audio/webm", "audio/webm"),
        ("audio/webm;codecs=opus", "audio/webm"),
        ("audio/ogg; codecs=opus", "audio/ogg"),
        ("Audio/MP4;codecs=mp4a.40.2", "audio/mp4"),
        ("video/webm;codecs=vp8,opus", "video/webm"),
    ],
)
def test_audio_may_come_in_a_container(asked: str, shown: str) -> None:
    client = Client(binary=True)
    (configure,) = client.send({"type": "session.update", "session": {"audio": {"input": {"format": {"type": asked}}}}})
    (frame,) = client.codec.encode(SessionConfigured(configure.config))
    assert json.loads(frame)["session"]["audio"]["input"]["format"] == {"type": shown}
    assert client.codec.config.input_format == AudioFormat(Encoding.PCM16, SAMPLE_RATE)
    assert client.codec.decode(b"\x1a\x45") == [MediaChunk(b"\x1a\x45")]
    assert client.codec.decode(b"") == []
    client.send({"type": "session.update", "session": {"audio": {"input": {"turn_detection": None}}}})
    assert client.codec.decode(b"\x1a\x45") == [MediaChunk(b"\x1a\x45")]
    client.send({"type": "session.update", "session": {"audio": {"input": {"format": None}}}})
    assert client.codec.decode(b"\1\0") == [AppendAudio(b"\1\0")]


@pytest.mark.parametrize("asked", ["audio/pcm;rate=16000", "audio/opus", "webm", "", 7])
def test_an_unknown_type_of_audio_is_refused(asked: object) -> None:
    update = {"type": "session.update", "session": {"audio": {"input": {"format": {"type": asked}}}}}
    assert Client().refusal(json.dumps(update))["param"] == "session.audio.input.format.type"


def test_responses_come_in_no_container() -> None:
    update = {"type": "session.update", "session": {"audio": {"output": {"format": {"type": "audio/webm"}}}}}
    assert Client().refusal(json.dumps(update))["param"] == "session.audio.output.format.type"


def test_a_binary_frame_is_an_append_where_it_was_agreed_on() -> None:
    assert Client(binary=True).codec.decode(b"\x01\x02\x03") == [AppendAudio(b"\x01\x02\x03")]


def test_a_binary_frame_closes_other_connections() -> None:
    with pytest.raises(UnsupportedAudio) as caught:
        Client().codec.decode(b"\x01\x02")
    assert caught.value.close_code == 1003


def test_buffer_and_response_requests_carry_the_clients_id() -> None:
    client = Client()
    assert client.send({"type": "input_audio_buffer.commit", "event_id": "a"}) == [CommitAudio("a", min_samples=1_600)]
    assert client.send({"type": "input_audio_buffer.clear"}) == [ClearAudio()]
    assert client.send({"type": "output_audio_buffer.clear"}) == []
    cancel = {"type": "response.cancel", "response_id": "resp_1", "event_id": "b"}
    assert client.send(cancel) == [CancelResponse("resp_1", "b")]


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ("hello", "invalid_json", None),
        ("", "invalid_json", None),
        ("\ud800", "invalid_json", None),
        ("[" * 100_000, "invalid_event", None),
        ('{"x":' * 100_000, "invalid_json", None),
        ("[]", "invalid_event", None),
        ("{}", "invalid_event", "type"),
        ('{"type":null}', "invalid_event", "type"),
        ('{"type":"input_audio_buffer.fill"}', "invalid_value", "type"),
        ('{"type":"input_audio_buffer.append"}', "invalid_event", "audio"),
        ('{"type":"input_audio_buffer.append","audio":"%%"}', "invalid_value", "audio"),
        ('{"type":"session.update"}', "invalid_event", "session"),
        ('{"type":"session.update","session":null}', "invalid_type", "session"),
        ('{"type":"session.update","session":{"instructions":3}}', "invalid_type", "session.instructions"),
        ('{"type":"session.update","event_id":7,"session":{}}', "invalid_type", "event_id"),
        ('{"type":"conversation.item.create","item":{"type":"mcp_call"}}', "invalid_value", "item.type"),
        ('{"type":"conversation.item.delete","item_id":""}', "invalid_value", "item_id"),
    ],
)
def test_a_malformed_message_is_answered_with_one_error(message: str, code: str, param: str | None) -> None:
    error = Client().refusal(message)
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)


def test_an_error_names_the_request_and_stays_short() -> None:
    error = Client().refusal(json.dumps({"type": "x" * 1_000_000, "event_id": "e1"}))
    assert error["event_id"] == "e1"
    assert len(error["message"]) < 500


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=12,
)
session_keys = st.sampled_from(
    [
        "type",
        "audio",
        "input",
        "output",
        "format",
        "turn_detection",
        "transcription",
        "task",
        "voice",
        "speed",
        "tools",
        "rate",
    ]
)
sessions: st.SearchStrategy[Any] = st.recursive(
    json_values | st.sampled_from(["realtime", "audio/pcm", "audio/pcmu", "server_vad", "semantic_vad", 0.5, 300]),
    lambda values: st.dictionaries(session_keys, values, max_size=5),
    max_leaves=12,
)
requests = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["session.update", "input_audio_buffer.append", "conversation.item.create", "response.create"]
        )
    },
    optional={
        "session": sessions,
        "audio": json_values,
        "item": json_values,
        "response": json_values,
        "event_id": json_values,
    },
)


@settings(max_examples=300, deadline=None)
@given(st.text() | json_values.map(json.dumps) | requests.map(json.dumps))
def test_whatever_is_sent_is_understood_or_refused(message: str) -> None:
    client = Client()
    try:
        commands = client.codec.decode(message)
    except RefusedRequest as error:
        checked(client.codec.encode_error(error))
        return
    for command in commands:
        assert not isinstance(command, MediaChunk | VoiceRecording)
        for output in client.session.receive(command, 0.0):
            if not isinstance(output, JOBS):
                checked(client.codec.encode(output))


# Requests for a response.


def response(client: Client | None = None, **parameters: Any) -> CreateResponse:
    """Return the command of a request for a response."""
    (command,) = (client or Client()).send({"type": "response.create", "event_id": "e1", "response": parameters})
    assert isinstance(command, CreateResponse)
    return command


def test_a_request_for_a_response_is_passed_on_whole() -> None:
    tool = {"type": "function", "name": "dim", "description": "Dim the light.", "parameters": {"type": "object"}}
    command = response(
        conversation="none",
        input=[create("hello")["item"], {"type": "item_reference", "id": "x"}],
        instructions="Answer politely.",
        output_modalities=["text"],
        audio={"output": {"voice": "bright", "format": {"type": "audio/pcmu"}, "speed": 1.25}},
        tools=[tool, {"type": "mcp", "server_label": "x"}],
        tool_choice={"type": "function", "name": "dim"},
        max_output_tokens=100,
        metadata={"a": "b"},
    )
    assert command == CreateResponse(
        in_conversation=False,
        input=(Message(Role.ASSISTANT, (TextPart("hello"),)), ItemReference("x")),
        instructions="Answer politely.",
        modality=Modality.TEXT,
        voice="bright",
        speed=1.25,
        output_format=AudioFormat(Encoding.MULAW, 8_000),
        tools=(ChatTool("dim", "Dim the light.", {"type": "object"}),),
        tool_choice=ChatFunctionChoice("dim"),
        max_output_tokens=100,
        metadata={"a": "b"},
        request_id="e1",
    )


def test_what_a_request_for_a_response_leaves_out_is_that_of_the_session() -> None:
    assert response() == CreateResponse(request_id="e1")
    assert Client().send({"type": "response.create"}) == [CreateResponse()]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"type": "response.create", "response": {"output_modalities": ["video"]}}, "response.output_modalities[0]"),
        ({"type": "session.update", "session": {"modalities": ["text", "video"]}}, "session.modalities[1]"),
    ],
)
def test_an_unknown_modality_is_refused(message: Json, param: str) -> None:
    error = Client().refusal(json.dumps(message))
    assert (error["code"], error["param"]) == ("invalid_value", param)


def test_modalities_are_read_as_in_the_beta_too() -> None:
    assert response(modalities=["text"]).modality is Modality.TEXT
    assert response(modalities=["audio", "text"]).modality is Modality.AUDIO


def test_a_limit_of_tokens_may_be_infinite() -> None:
    assert response(max_output_tokens="inf").max_output_tokens is None


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"instructions": "x" * (LONGEST + 1)}, "response.instructions"),
        ({"input": [create("x" * (LONGEST + 1))["item"]]}, "response.input[0].content"),
    ],
)
def test_a_request_with_too_much_text_is_refused(parameters: Json, param: str) -> None:
    request = {"type": "response.create", "event_id": "e1", "response": parameters}
    error = Client().refusal(json.dumps(request))
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", param, "e1")
    assert response(instructions="x" * LONGEST).instructions == "x" * LONGEST


def test_an_unknown_voice_leaves_the_response_that_of_the_session() -> None:
    command = response(audio={"output": {"voice": "marin"}})
    assert (command.voice, command.voice_unknown) == (None, True)
    assert not response(audio={"output": {"voice": "bright"}}).voice_unknown


def test_that_a_response_has_another_voice_is_told_to_clients_with_an_extension() -> None:
    begun = ResponseStarted(Response("resp_1", False, Modality.AUDIO, PCM_24K, "calm", None, voice_unknown=True))
    shown = Client(extended=True).tell(begun)[0]["response"]
    assert (shown["audio"]["output"]["voice"], shown["x_substituted"]) == ("calm", ["voice"])
    assert "x_substituted" not in Client().tell(begun)[0]["response"]


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({str(key): "" for key in range(17)}, "invalid_value"),
        ({"k" * 65: ""}, "invalid_value"),
        ({"k": "v" * 513}, "invalid_value"),
        ({"k": None}, "invalid_type"),
    ],
)
def test_metadata_beyond_the_limits_of_the_protocol_are_refused(metadata: Json, code: str) -> None:
    error = Client().refusal(json.dumps({"type": "response.create", "response": {"metadata": metadata}}))
    assert error["code"] == code
    assert error["param"].startswith("response.metadata")


def test_metadata_up_to_the_limits_of_the_protocol_are_accepted() -> None:
    metadata = {f"{key:064}": "v" * 512 for key in range(16)}
    assert response(metadata=metadata).metadata == metadata


def test_a_response_without_text_is_a_failed_response() -> None:
    created, _, done = Client().ask({"type": "response.create", "response": {"metadata": {"client_event_id": "e1"}}})
    assert created["type"] == "response.created"
    assert created["response"]["metadata"] == {"client_event_id": "e1"}
    assert done["type"] == "response.done"
    assert done["response"]["id"] == created["response"]["id"]
    assert done["response"]["status"] == "failed"
    assert done["response"]["status_details"]["error"]["code"] == "backend_not_configured"
    assert done["response"]["usage"]["total_tokens"] == 0


def test_an_unknown_item_as_input_is_refused() -> None:
    request = {
        "type": "response.create",
        "event_id": "e1",
        "response": {"input": [{"type": "item_reference", "id": "x"}]},
    }
    (error,) = Client().ask(request)
    assert (error["error"]["param"], error["error"]["event_id"]) == ("response.input", "e1")
    assert error["error"]["message"] == "Item 'x' does not exist."


# What a chat backend changes.


def test_with_a_chat_backend_turns_are_answered_unless_the_client_says_no() -> None:
    client = Client(CHAT)
    assert client.update()["audio"]["input"]["turn_detection"]["create_response"] is True
    silent = {"turn_detection": {"type": "server_vad", "create_response": False}}
    assert client.update(audio={"input": silent})["audio"]["input"]["turn_detection"]["create_response"] is False
    again = {"turn_detection": {"type": "semantic_vad"}}
    assert client.update(audio={"input": again})["audio"]["input"]["turn_detection"]["create_response"] is True


def test_without_a_chat_backend_no_turn_is_answered() -> None:
    asked = {"turn_detection": {"type": "server_vad", "create_response": True}}
    assert Client().update(audio={"input": asked})["audio"]["input"]["turn_detection"]["create_response"] is False


def test_a_transcription_session_answers_nothing() -> None:
    (command,) = Client(CHAT).send({"type": "session.update", "session": {"type": "transcription"}})
    assert not command.config.create_response


@pytest.mark.parametrize("wanted", [True, False])
def test_a_transcription_session_that_becomes_a_conversation_answers_as_the_client_said(wanted: bool) -> None:
    client = Client(CHAT)
    detection = {"type": "server_vad", "create_response": wanted, "idle_timeout_ms": 6000}
    client.update(type="transcription", audio={"input": {"turn_detection": detection}})
    shown = client.update(type="realtime")["audio"]["input"]["turn_detection"]
    assert (shown["create_response"], shown["idle_timeout_ms"]) == (wanted, 6000)


def test_transcripts_that_only_the_chat_backend_needs_are_not_sent() -> None:
    client = Client(CHAT)
    assert types(client.tell(*utterance())) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert client.update(audio={"input": {"transcription": {}}})["audio"]["input"]["transcription"] is not None
    assert types(client.tell(utterance()[-1])) == ["conversation.item.input_audio_transcription.completed"]


def test_a_session_shows_what_the_chat_backend_is_asked_for() -> None:
    shown = Client(CHAT).update(output_modalities=["text"], max_output_tokens=200, instructions="Be brief.")
    assert (shown["output_modalities"], shown["max_output_tokens"]) == (["text"], 200)
    assert shown["instructions"] == "Be brief."
    assert Client(CHAT).update(modalities=["text"], max_response_output_tokens=7)["max_output_tokens"] == 7
    assert Client(CHAT).update(max_output_tokens=None)["max_output_tokens"] == "inf"


def test_only_other_dialects_are_told_of_a_flush() -> None:
    assert Client().tell(ResponseFlushed(SPOKEN)) == []


def test_a_written_response_is_reported_in_order() -> None:
    written = Response("resp_1", True, Modality.TEXT, PCM_24K, "calm", None)
    said = Item("item_s1", Message(Role.ASSISTANT, (TextPart("Done."),)))
    messages = Client(CHAT).tell(
        ResponseStarted(written),
        ResponseItemAdded(written, 0, Item("item_s1", Message(Role.ASSISTANT), ItemStatus.IN_PROGRESS), None),
        ResponseTextExtended(written, 0, "item_s1", "Done."),
        ResponseItemFinished(written, 0, said, None),
        ResponseFinished(written, ResponseStatus.COMPLETED, (said,), usage=ChatUsage(12, 3)),
    )
    assert types(messages) == [
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert messages[4]["part"] == {"type": "text", "text": ""}
    done = messages[-1]["response"]
    assert (done["output_modalities"], done["output"][0]["content"][0]["text"]) == (["text"], "Done.")
    usage = done["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (12, 3, 15)


def test_a_tool_call_is_reported_in_order() -> None:
    call = FunctionCall("call_1", "dim", '{"level":3}')
    done = Item("item_c1", call)
    messages = Client(CHAT).tell(
        ResponseStarted(SPOKEN),
        ResponseItemAdded(SPOKEN, 0, Item("item_c1", replace(call, arguments=""), ItemStatus.IN_PROGRESS), "item_u1"),
        ResponseItemFinished(SPOKEN, 0, done, "item_u1"),
        ResponseFinished(SPOKEN, ResponseStatus.COMPLETED, (done,)),
    )
    assert types(messages) == [
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert (messages[5]["name"], messages[5]["arguments"]) == ("dim", '{"level":3}')
    assert messages[3]["item"]["arguments"] == ""
    assert messages[-1]["response"]["output"] == [messages[6]["item"]]


def test_log_probabilities_come_with_the_transcript_for_those_who_ask() -> None:
    client = Client(TRANSCRIPTION)
    asked = ["item.input_audio_transcription.logprobs"]
    (updated,) = client.ask({"type": "session.update", "session": {"include": asked}})
    assert updated["session"]["include"] == asked
    (completed,) = client.tell(utterance()[-1])
    assert [each["token"] for each in completed["logprobs"]] == [" Hello", " there."]
    assert completed["logprobs"][1]["logprob"] == pytest.approx(-0.2877, abs=1e-4)
    assert bytes(completed["logprobs"][0]["bytes"]) == b" Hello"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "response.create"},
        create("hello"),
        {"type": "conversation.item.delete", "item_id": "x"},
        {"type": "conversation.item.retrieve", "item_id": "x"},
        {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 0},
    ],
)
def test_a_transcription_session_refuses_responses_and_items(message: Json) -> None:
    error = Client(TRANSCRIPTION).refusal(json.dumps({**message, "event_id": "e1"}))
    assert (error["type"], error["event_id"]) == ("invalid_request_error", "e1")


# Items.


def test_an_item_a_client_creates_is_added_and_done() -> None:
    client = Client()
    added, done = client.ask(create("hello", item={"id": "mine"}))
    item = {
        "id": "mine",
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "hello"}],
    }
    assert (added["type"], added["item"], added["previous_item_id"]) == ("conversation.item.added", item, None)
    assert (done["type"], done["item"], done["previous_item_id"]) == ("conversation.item.done", item, None)


def test_an_item_can_come_first_or_after_another() -> None:
    client = Client()
    client.ask(create("b", item={"id": "b"}))
    client.ask(create("d", item={"id": "d"}))
    assert client.ask(create("a", item={"id": "a"}, previous_item_id="root"))[0]["previous_item_id"] is None
    assert client.ask(create("c", item={"id": "c"}, previous_item_id="b"))[0]["previous_item_id"] == "b"
    assert client.ask(create("e", item={"id": "e"}))[0]["previous_item_id"] == "d"


def test_the_predecessor_of_what_follows_a_deleted_item_is_the_one_before() -> None:
    client = Client()
    client.ask(create("a", item={"id": "a"}))
    client.ask(create("b", item={"id": "b"}))
    assert types(client.ask({"type": "conversation.item.delete", "item_id": "b"})) == ["conversation.item.deleted"]
    assert client.ask(create("c"))[0]["previous_item_id"] == "a"


def test_items_of_every_kind_are_shown_as_they_came() -> None:
    client = Client()
    call = {"type": "function_call", "call_id": "c1", "name": "dim", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c1", "output": "done"}
    for item in (call, output):
        added, _ = client.ask({"type": "conversation.item.create", "item": item})
        assert added["item"].items() >= item.items()
    assert client.ask(create("Be kind.", role="system"))[0]["item"]["role"] == "system"


def test_of_audio_in_an_item_the_transcript_is_stored() -> None:
    content = [
        {"type": "input_audio", "audio": "AAAA"},
        {"type": "input_audio", "transcript": "Well."},
        {"type": "input_hologram", "hologram": "AAAA"},
        {"type": "input_text", "text": "Look."},
    ]
    item = {"type": "message", "role": "user", "content": content}
    added, _ = Client().ask({"type": "conversation.item.create", "item": item})
    assert added["item"]["content"] == [
        {"type": "input_audio", "transcript": None},
        {"type": "input_audio", "transcript": "Well."},
        {"type": "input_text", "text": "Look."},
    ]


def test_the_audio_of_the_user_is_transcribed_where_the_client_gives_no_transcript() -> None:
    content = [
        {"type": "input_hologram"},
        {"type": "input_text", "text": "Listen:"},
        {"type": "input_audio", "audio": base64.b64encode(b"1234").decode()},
        {"type": "input_audio", "audio": "AAAA", "transcript": "Well."},
        {"type": "input_audio", "audio": ""},
    ]
    for role, audio in (("user", ((1, b"1234"),)), ("assistant", ()), ("system", ())):
        item = {"type": "message", "role": role, "content": content}
        (command,) = Client().codec.decode(json.dumps({"type": "conversation.item.create", "item": item}))
        assert isinstance(command, CreateItem)
        assert command.audio == audio


def test_audio_in_the_input_of_a_response_is_refused() -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AAAA"}]}
    error = Client().refusal(json.dumps({"type": "response.create", "event_id": "e1", "response": {"input": [item]}}))
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "response.input[0].content", "e1")
    assert "`item_reference`" in error["message"]


def test_an_image_is_refused() -> None:
    content = [
        {"type": "input_text", "text": "Look."},
        {"type": "input_image", "image_url": "data:image/png;base64,AA"},
    ]
    item = {"type": "message", "role": "user", "content": content}
    error = Client().refusal(json.dumps({"type": "conversation.item.create", "event_id": "e1", "item": item}))
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "item.content", "e1")
    assert error["message"] == "Images are not supported; send text or audio."


def test_an_item_after_an_unknown_one_is_refused() -> None:
    (error,) = Client().ask(create("a", previous_item_id="nowhere", event_id="e1"))
    assert (error["error"]["param"], error["error"]["event_id"]) == ("previous_item_id", "e1")


def test_an_item_with_an_id_in_use_is_refused() -> None:
    client = Client()
    client.ask(create("a", item={"id": "a"}))
    (error,) = client.ask(create("a", item={"id": "a"}))
    assert error["error"]["param"] == "item.id"


@pytest.mark.parametrize(
    "item",
    [
        create("x" * (LONGEST + 1))["item"],
        {"type": "function_call", "call_id": "c1", "name": "dim", "arguments": "x" * LONGEST},
        {"type": "function_call_output", "call_id": "c1", "output": "x" * LONGEST},
    ],
    ids=lambda item: item["type"],
)
def test_an_item_with_too_much_text_is_refused(item: Json) -> None:
    error = Client().refusal(json.dumps({"type": "conversation.item.create", "event_id": "e1", "item": item}))
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "item.content", "e1")


def test_an_item_of_too_many_pieces_is_refused() -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": ""}] * 257}
    error = Client().refusal(json.dumps({"type": "conversation.item.create", "item": item}))
    assert (error["code"], error["param"]) == ("invalid_value", "item.content")


def test_the_largest_item_is_retrieved_in_less_than_the_1_mib_that_clients_take() -> None:
    client = Client()
    content = [{"type": "input_text", "text": "\x01" * (LONGEST // 256)}] * 256
    item = {"type": "message", "role": "user", "content": content, "id": "a" * 128}
    client.ask({"type": "conversation.item.create", "item": item})
    (request,) = client.send({"type": "conversation.item.retrieve", "item_id": "a" * 128})
    (retrieved,) = client.session.receive(request, 0.0)
    assert not isinstance(retrieved, JOBS)
    (frame,) = client.codec.encode(retrieved)
    assert checked([frame])[0]["item"]["content"] == content
    assert len(frame) < 2**20


@pytest.mark.parametrize("verb", ["delete", "retrieve", "truncate"])
def test_an_unknown_item_is_an_error_with_the_clients_id(verb: str) -> None:
    request = {"type": f"conversation.item.{verb}", "item_id": "z", "event_id": "rci_z"}
    (error,) = Client().ask(request)
    assert (error["error"]["code"], error["error"]["event_id"]) == (f"item_{verb}_invalid_item_id", "rci_z")


@pytest.mark.parametrize("audio_end_ms", [0, 500, 10**9])
def test_a_message_of_the_assistant_can_be_truncated_anywhere(audio_end_ms: int) -> None:
    client = Client()
    client.ask(create("hello", item={"id": "a"}))
    request = {"item_id": "a", "content_index": 0, "audio_end_ms": audio_end_ms}
    (truncated,) = client.ask({"type": "conversation.item.truncate", **request})
    assert truncated.items() >= {"type": "conversation.item.truncated", **request}.items()


def test_only_messages_of_the_assistant_can_be_truncated() -> None:
    client = Client()
    client.ask(create("hello", role="user", item={"id": "a"}))
    (error,) = client.ask({"type": "conversation.item.truncate", "item_id": "a"})
    assert error["error"]["message"] == "Only model output audio messages can be truncated."
    assert error["error"]["param"] == "item_id"


# Events of turns.


def test_a_turn_is_reported_in_order() -> None:
    assert types(Client(TRANSCRIPTION).tell(*utterance())) == [
        "input_audio_buffer.speech_started",
        "conversation.item.input_audio_transcription.delta",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
    ]


def test_samples_become_milliseconds() -> None:
    started, stopped = Client().tell(SpeechStarted("item_u1", 18_880), SpeechStopped("item_u1", 63_680))
    assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (1_180, 3_980)


def test_an_utterance_is_added_without_a_transcript() -> None:
    _, added, done = Client().tell(AudioCommitted("item_u1"))
    assert added["item"] == done["item"]
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]


def test_a_completed_transcript_says_how_long_the_audio_was() -> None:
    (completed,) = Client(TRANSCRIPTION).tell(
        TranscriptCompleted("item_u1", "", (), "en", 44_800, (Suppression.NO_SPEECH,))
    )
    assert completed["usage"] == {"type": "duration", "seconds": 2.8}
    assert completed["transcript"] == ""
    assert not completed.keys() & {"words", "language", "suppressed"}


MODEL_FAILED = "The model failed. See the server log for details."
"""What clients see of a failed engine, whose own message may hold paths of the server."""


def test_a_failed_transcript_is_no_error_event() -> None:
    (failed,) = Client(TRANSCRIPTION).tell(TranscriptFailed("item_u1", EngineError("out of memory")))
    assert failed["type"] == "conversation.item.input_audio_transcription.failed"
    assert failed["error"] == {"type": "transcription_error", "code": "engine_failed", "message": MODEL_FAILED}


def test_the_transcript_of_a_recording_names_its_part_where_transcripts_are_wanted() -> None:
    transcript = TranscriptCompleted("item_a", "Hello there.", words=HELLO, language="en", samples=16_000)
    done = RecordingTranscribed("item_a", 1, transcript)
    failed = RecordingTranscribed("item_a", 1, TranscriptFailed("item_a", EngineError("out of memory")))
    listening = replace(CHAT, transcription=True)
    for event, ending in ((done, "completed"), (failed, "failed")):
        (message,) = Client(listening).tell(event)
        assert message["type"] == f"conversation.item.input_audio_transcription.{ending}"
        assert (message["item_id"], message["content_index"]) == ("item_a", 1)
        assert Client(CHAT).tell(event) == []


def test_cleared_audio_is_confirmed() -> None:
    assert types(Client().tell(AudioCleared())) == ["input_audio_buffer.cleared"]


def test_revisions_are_sent_only_with_the_extension() -> None:
    revised = TranscriptRevised("item_u1", HELLO[:1], HELLO[1:], 16_000)
    assert Client().tell(revised) == []
    (partial,) = Client(TRANSCRIPTION, detailed=True).tell(revised)
    del partial["event_id"]
    assert partial == {
        "type": "x.transcription.partial",
        "item_id": "item_u1",
        "stable": " Hello",
        "text": " there.",
        "audio_end_ms": 1_000,
    }


def test_words_come_with_the_completed_transcript_with_the_extension() -> None:
    (completed,) = Client(TRANSCRIPTION, detailed=True).tell(TranscriptCompleted("item_u1", "", HELLO, "en", 16_000))
    assert [word["word"] for word in completed["words"]] == ["Hello", "there."]
    assert (completed["language"], completed["suppressed"]) == ("en", [])


def test_an_invalid_event_that_breaks_off_is_no_json() -> None:
    assert Client().refusal('{"type": "nonsense", "event_id": ')["code"] == "invalid_json"


def test_every_reason_for_suppressed_text_is_sent_to_clients_that_asked() -> None:
    reasons = (Suppression.REPETITION, Suppression.NO_SPEECH, Suppression.REPETITION)
    (completed,) = Client(TRANSCRIPTION, detailed=True).tell(
        TranscriptCompleted("item_u1", "", (), "en", 16_000, reasons)
    )
    assert completed["suppressed"] == ["repetition", "no_speech", "repetition"]


@pytest.mark.parametrize(("count", "shown"), [(5_000, 5_000), (5_001, 0)])
def test_the_words_of_a_very_long_utterance_are_left_out(count: int, shown: int) -> None:
    words = (Word(" Donaudampfschifffahrt", 1_600_001, 1_604_801, 1 / 3),) * count
    text = "".join(word.text for word in words)
    (frame,) = Client(TRANSCRIPTION, detailed=True).codec.encode(
        TranscriptCompleted("item_u1", text, words, "en", 16_000)
    )
    assert len(json.loads(frame)["words"]) == shown
    assert len(frame) < 2**20


# Events of responses.


def test_the_text_of_speech_says_when_it_is_spoken() -> None:
    parts = (
        ResponseTextExtended(SPOKEN, 0, "item_s1", "Done. "),
        ResponseAudioExtended(SPOKEN, 0, "item_s1", bytes(24_000), 0),
        ResponseTextExtended(SPOKEN, 0, "item_s1", "The lights are off."),
    )
    first, _, second = Client().tell(ResponseStarted(SPOKEN), *parts)[2:]
    assert (first["start_time"], second["start_time"]) == (0.0, 0.5)


def test_a_response_is_reported_in_order() -> None:
    assert types(Client().tell(*answer())) == [
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]


def test_a_response_outside_the_conversation_is_no_item_of_it() -> None:
    client = Client()
    messages = client.tell(*answer(Response("resp_1", False, Modality.AUDIO, PCM_24K, "calm", None)))
    assert not [each for each in types(messages) if each.startswith("conversation.")]
    assert messages[0]["response"]["conversation_id"] is None


def test_the_transcript_of_a_response_is_the_sum_of_its_deltas() -> None:
    messages = Client().tell(*answer())
    deltas = [each["delta"] for each in messages if each["type"] == "response.output_audio_transcript.delta"]
    transcript = next(each for each in messages if each["type"] == "response.output_audio_transcript.done")
    content = [{"type": "output_audio", "transcript": "".join(deltas)}]
    assert transcript["transcript"] == "".join(deltas) == "Done. The lights are off."
    assert messages[-1]["response"]["output"][0]["content"] == content


def test_a_response_item_is_added_without_content() -> None:
    messages = Client().tell(*answer()[:2])
    assert [each["item"]["content"] for each in messages if "item" in each] == [[], []]
    assert messages[-1]["part"] == {"type": "audio", "transcript": ""}


def test_a_response_object_has_all_that_clients_read() -> None:
    messages = Client().tell(*answer())
    created, done = messages[0]["response"], messages[-1]["response"]
    for response in (created, done):
        assert response.keys() >= {"id", "object", "status", "status_details", "output", "usage", "metadata"}
        assert response["metadata"] == {"client_event_id": "e1"}
        assert response["conversation_id"] == "conv_1"
    assert (created["status"], created["usage"]) == ("in_progress", None)
    assert done["status"] == "completed"
    assert done["status_details"] is None
    assert done["usage"].keys() == {
        "total_tokens",
        "input_tokens",
        "output_tokens",
        "input_token_details",
        "output_token_details",
    }


@pytest.mark.parametrize("reason", [EndReason.TURN_DETECTED, EndReason.CLIENT_CANCELLED])
def test_a_cancelled_response_has_its_reason_and_what_was_sent(reason: EndReason) -> None:
    done = Client().tell(*answer(status=ResponseStatus.CANCELLED, reason=reason))[-1]["response"]
    assert (done["status"], done["status_details"]) == ("cancelled", {"type": "cancelled", "reason": reason})
    assert done["output"][0]["status"] == "incomplete"
    assert done["output"][0]["content"][0]["transcript"] == "Done. The lights are off."


def test_an_incomplete_response_has_its_reason() -> None:
    end = EndReason.MAX_OUTPUT_TOKENS
    done = Client().tell(*answer(status=ResponseStatus.INCOMPLETE, reason=end))[-1]["response"]
    assert done["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}


def test_a_failed_response_has_its_error() -> None:
    failed = ResponseFinished(SPOKEN, ResponseStatus.FAILED, error=EngineError("no weights"))
    done = Client().tell(ResponseStarted(SPOKEN), failed)[-1]["response"]
    assert done["status"] == "failed"
    assert done["status_details"] == {
        "type": "failed",
        "error": {"type": "server_error", "code": "engine_failed", "message": MODEL_FAILED},
    }
    assert done["usage"] is not None


def test_no_frame_of_audio_is_too_large_and_none_of_it_is_lost() -> None:
    data = bytes(range(250)) * 4_000
    client = Client()
    client.tell(ResponseStarted(SPOKEN))
    frames = client.codec.encode(ResponseAudioExtended(SPOKEN, 0, "item_s1", data, 0))
    assert max(len(frame) for frame in frames) < 256 * 1024
    pieces = [base64.b64decode(each["delta"]) for each in checked(frames)]
    assert b"".join(pieces) == data
    assert all(len(piece) % 2 == 0 for piece in pieces)


def test_times_of_words_are_milliseconds_of_the_response() -> None:
    client = Client()
    client.tell(ResponseStarted(SPOKEN))
    words = (SpokenWord("In", 0, 4_800), SpokenWord("1984.", 7_200, 48_000))
    (event,) = map(json.loads, client.codec.encode(ResponseWordsTimed(SPOKEN, 0, "item_s1", words)))
    assert (event["type"], event["response_id"], event["item_id"]) == (
        "x.response.speech.words", SPOKEN.id, "item_s1",
    )  # fmt: skip
    assert event["words"] == [
        {"word": "In", "start_ms": 0, "end_ms": 200},
        {"word": "1984.", "start_ms": 300, "end_ms": 2_000},
    ]


@pytest.mark.parametrize(("encoding", "rate", "width"), [(Encoding.PCM16, 24_000, 2), (Encoding.MULAW, 8_000, 1)])
def test_binary_audio_says_which_response_and_where(encoding: Encoding, rate: int, width: int) -> None:
    client = Client(binary=True)
    client.tell(ResponseStarted(Response("resp_0", True, Modality.AUDIO, PCM_24K, "calm", None)))
    response = Response("resp_1", True, Modality.AUDIO, AudioFormat(encoding, rate), "calm", None)
    client.tell(ResponseStarted(response))
    frames = client.codec.encode(ResponseAudioExtended(response, 0, "item_s1", bytes(400_000), 1_000))
    offset = 1_000
    for frame in frames:
        assert isinstance(frame, bytes)
        assert struct.unpack_from("<II", frame) == (1, offset)
        offset += (len(frame) - 8) // width
    assert offset == 1_000 + 400_000 // width


# Errors, and what holds for all messages.


def test_a_refused_command_is_an_error_that_names_its_request() -> None:
    refused = CommandRefused(RefusalReason.RESPONSE_NOT_ACTIVE, CancelResponse(request_id="e1"))
    (error,) = Client().tell(refused)
    assert error["error"] == {
        "type": "invalid_request_error",
        "code": "response_cancel_not_active",
        "message": "Cancellation failed: no active response found",
        "param": None,
        "event_id": "e1",
    }


@pytest.mark.parametrize(
    ("model", "transcribe", "only_speaks"), [("tts-1", False, True), ("tts-1", True, False), ("local", False, False)]
)
def test_a_conversation_with_a_speech_model_only_speaks_unless_it_transcribes(
    model: str, transcribe: bool, only_speaks: bool
) -> None:
    config = replace(CONVERSATION.config, transcribe=transcribe)
    assert Client(replace(CONVERSATION, model=model, config=config)).codec.only_speaks is only_speaks


def test_an_invalid_value_is_refused_with_those_that_are_supported() -> None:
    update = {"type": "session.update", "session": {"audio": {"input": {"turn_detection": {"type": "vad"}}}}}
    error = Client().refusal(json.dumps(update))
    assert error["message"] == "Invalid value: 'vad'. Supported values are: 'server_vad' and 'semantic_vad'."


def test_a_commit_of_too_little_audio_is_refused_with_its_length() -> None:
    refused = CommandRefused(RefusalReason.TOO_LITTLE_TO_COMMIT, CommitAudio("e1"), samples=1_288)
    (error,) = Client().tell(refused)
    assert error["error"] == {
        "type": "invalid_request_error",
        "code": "input_audio_buffer_commit_empty",
        "message": "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but "
        "buffer only has 80.50ms of audio.",
        "param": None,
        "event_id": "e1",
    }


def test_names_that_mean_nothing_are_told_to_clients_with_an_extension() -> None:
    client = Client(extended=True)
    transcription, output = {"model": "nobody", "language": "xx"}, {"voice": "nobody"}
    shown = client.update(audio={"input": {"transcription": transcription}, "output": output})
    assert shown["x_substituted"] == ["language", "model", "voice"]
    transcription, output = {"model": "tiny", "language": "en"}, {"voice": "calm"}
    assert "x_substituted" not in client.update(audio={"input": {"transcription": transcription}, "output": output})
    shown = Client().update(audio={"output": {"voice": "nobody"}})
    assert "x_substituted" not in shown


def test_languages_that_the_model_does_not_transcribe_are_told_and_change_nothing() -> None:
    client = Client(extended=True)

    def transcription(**fields: object) -> dict[str, Any]:
        shown = client.update(audio={"input": {"transcription": fields}})
        return {**shown["audio"]["input"]["transcription"], "substituted": shown.get("x_substituted")}

    shown = transcription(languages=["de", "xx", "german"])
    assert (shown["languages"], shown["substituted"]) == (["de"], ["languages"])
    shown = transcription(languages=None, language="de")
    assert (shown["language"], shown["substituted"]) == ("de", None)
    shown = transcription(model="tiny")
    assert (shown["language"], shown["substituted"]) == (None, ["language"])
    assert transcription(language="en")["substituted"] is None
    shown = transcription(language="de")
    assert (shown["language"], shown["substituted"]) == ("en", ["language"])


def test_languages_that_the_voice_does_not_speak_are_told_at_the_end() -> None:
    *_, done = Client().tell(*answer(unspoken_languages=("de", "fr")))
    assert done["response"]["x_unspoken_languages"] == ["de", "fr"]
    *_, done = Client().tell(*answer())
    assert "x_unspoken_languages" not in done["response"]


def test_a_refused_response_names_the_one_in_progress() -> None:
    (error,) = Client().tell(CommandRefused(RefusalReason.RESPONSE_IN_PROGRESS, CreateResponse(), response_id="resp_1"))
    assert error["error"]["code"] == "conversation_already_has_active_response"
    assert "in progress: resp_1." in error["error"]["message"]


def test_a_fault_of_the_server_is_not_blamed_on_the_client() -> None:
    (error,) = checked(Client().codec.encode_error(Overloaded("too many sessions")))
    assert (error["error"]["type"], error["error"]["code"]) == ("server_error", "server_overloaded")


def test_the_last_error_of_a_connection_closes_it_with_its_code() -> None:
    message, close = Client().codec.encode_error(Overloaded("too many sessions"), final=True)
    checked([message])
    assert close == Close(1013, "server_overloaded")


def test_every_message_has_an_id_of_its_own() -> None:
    client = Client()
    messages = client.greeting() + client.tell(*utterance(), *answer())
    ids = [message["event_id"] for message in messages]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"event_\d+", each) for each in ids)


def conversation() -> list[Json]:
    """Return every type of message that a client without extensions can receive."""
    client = Client()
    messages = client.greeting()
    messages += client.ask({"type": "session.update", "session": {"audio": {"input": {"transcription": {}}}}})
    messages += client.ask(create("Please turn the lights off.", role="user"))
    messages += client.tell(*utterance(), TranscriptRevised("item_u1", HELLO, (), 9_600), *answer())
    messages += client.ask(create("The lights are off.", item={"id": "item_s2"}))
    messages += client.ask({"type": "conversation.item.truncate", "item_id": "item_s2", "audio_end_ms": 40})
    messages += client.ask({"type": "conversation.item.retrieve", "item_id": "item_s2"})
    messages += client.ask({"type": "conversation.item.delete", "item_id": "item_s2"})
    messages += client.ask({"type": "response.create"})
    messages += client.tell(
        TranscriptFailed("item_u2", EngineError("out of memory")),
        AudioCleared(),
        CommandRefused(RefusalReason.NOTHING_TO_COMMIT, CommitAudio()),
    )
    return messages


def test_only_event_types_that_every_client_accepts_are_sent() -> None:
    assert set(types(conversation())) == ALLOWED


def test_items_have_no_null_but_for_a_transcript() -> None:
    for message in conversation():
        for item in [message.get("item"), *(message.get("response") or {}).get("output", [])]:
            nulls = re.findall(r'"(\w+)": null', json.dumps(item)) if item else []
            assert set(nulls) <= {"transcript"}


def test_the_golden_conversation_is_reproduced_exactly() -> None:
    golden = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    assert conversation() == golden
