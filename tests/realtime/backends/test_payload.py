from typing import Any

import pytest

from realtime.backends.endpoint import completions_url, models_url, origin
from realtime.backends.payload import OPTIONAL, Prompting, body_of
from realtime.session.generation import (
    ChatFunctionChoice,
    ChatMessage,
    ChatRequest,
    ChatRole,
    ChatTool,
    ChatToolCall,
    ChatToolChoice,
)

QUESTION = ChatMessage(ChatRole.USER, "Is it raining?")
WEATHER = ChatTool("get_weather", "Tell the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def body(*messages: ChatMessage, instructions: str = "Be brief.", limit: int = 3000, **options: Any) -> dict[str, Any]:
    return body_of(ChatRequest(messages or (QUESTION,), **options), Prompting("llama", instructions, limit))


def test_a_plain_request_has_no_more_than_it_needs() -> None:
    assert body().keys() == {"model", "messages", "stream", "stream_options"}


def test_without_a_model_none_is_named() -> None:
    assert "model" not in body_of(ChatRequest((QUESTION,)), Prompting(None, "", 3000))


def test_the_default_instructions_are_used_where_there_are_no_others() -> None:
    assert body()["messages"][0] == {"role": "system", "content": "Be brief."}
    own = ChatMessage(ChatRole.SYSTEM, "Speak like a pirate.")
    assert body(own, QUESTION)["messages"][0] == {"role": "system", "content": "Speak like a pirate."}
    assert len(body(instructions="")["messages"]) == 1
    assert body(QUESTION, own)["messages"][0] == {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    ("arguments", "sent"), [('{"x": 1}', '{"x": 1}'), ('{"x": ', "{}"), ("", "{}"), ("[]", "{}"), ("[" * 100_000, "{}")]
)
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(arguments: str, sent: str) -> None:
    call = ChatToolCall("call_1", "get_weather", arguments)
    messages = body(ChatMessage(ChatRole.ASSISTANT, "", (call,)), limit=100_000)["messages"]
    assert messages[1]["tool_calls"][0]["function"]["arguments"] == sent


def test_calls_and_their_results_are_mapped() -> None:
    call = ChatToolCall("call_1", "get_weather", '{"city": "Oslo"}')
    messages = body(
        QUESTION, ChatMessage(ChatRole.ASSISTANT, "", (call,)), ChatMessage(ChatRole.TOOL, "wet", call_id="call_1")
    )
    assert messages["messages"][2:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
                }
            ],
        },
        {"role": "tool", "content": "wet", "tool_call_id": "call_1"},
    ]


def test_tools_are_mapped() -> None:
    assert body(tools=(WEATHER, ChatTool("stop")), parallel_tool_calls=False)["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "Tell the weather.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
        },
        {"type": "function", "function": {"name": "stop", "parameters": {"type": "object", "properties": {}}}},
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", None),
        ("none", "none"),
        ("required", "required"),
        (ChatFunctionChoice("get_weather"), {"type": "function", "function": {"name": "get_weather"}}),
    ],
)
def test_the_choice_of_a_tool_is_mapped(choice: ChatToolChoice, expected: object) -> None:
    assert body(tools=(WEATHER,), tool_choice=choice).get("tool_choice") == expected


def test_options_about_tools_are_left_out_without_tools() -> None:
    assert body(tool_choice="required", parallel_tool_calls=True).keys() == body().keys()


def test_tools_count_towards_the_limit_of_the_history() -> None:
    turns = [ChatMessage(ChatRole.USER, "What then? " * 9), ChatMessage(ChatRole.ASSISTANT, "Nothing. " * 9)] * 10
    large = ChatTool("large", "Word. " * 300)
    assert len(body(*turns, limit=1000)["messages"]) == 21
    assert len(body(*turns, limit=1000, tools=(large,))["messages"]) < 21


def test_optional_parameters_that_were_refused_are_renamed_or_left_out() -> None:
    request = ChatRequest((QUESTION,), (WEATHER,), parallel_tool_calls=True, temperature=0.5, max_output_tokens=9)
    found = body_of(request, Prompting("llama", "", 3000), frozenset(OPTIONAL))
    assert found.keys() == {"model", "messages", "stream", "tools", "max_completion_tokens"}
    assert found["max_completion_tokens"] == 9


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1"),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434/v1"),
        ("http://127.0.0.1:11434/v1/chat/completions", "http://127.0.0.1:11434/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
    ],
)
def test_the_address_may_be_that_of_the_server_the_api_or_the_endpoint(base_url: str, expected: str) -> None:
    assert str(completions_url(base_url)) == f"{expected}/chat/completions"
    assert str(models_url(base_url)) == f"{expected}/models"


def test_a_query_of_the_address_is_kept() -> None:
    url = completions_url("https://example.org/openai/v1?api-version=preview")
    assert str(url) == "https://example.org/openai/v1/chat/completions?api-version=preview"


def test_messages_name_scheme_host_and_port_only() -> None:
    assert origin("https://me:secret@example.org/v1?key=secret") == "https://example.org"
    assert origin("http://[::1]:8080/v1") == "http://[::1]:8080"
