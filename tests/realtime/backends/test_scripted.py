"""The scripted backend, in this process and over HTTP with the client: both say the same."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest

from realtime.backends.client import ChatClient
from realtime.backends.configured import configured_backend
from realtime.backends.scripted import ScriptedBackend, scripted_answer
from realtime.backends.scripted_server import scripted_app
from realtime.session.generation import (
    ChatDelta,
    ChatError,
    ChatFinished,
    ChatFinishReason,
    ChatFunctionChoice,
    ChatInterrupted,
    ChatMessage,
    ChatRequest,
    ChatRole,
    ChatTextDelta,
    ChatTool,
    ChatToolCall,
    ChatToolCallDelta,
)
from realtime.settings import Settings
from tests.support.chat_server import chat_client, deltas_of
from tests.support.http_service import listening

WEATHER = ChatTool(
    "get_weather",
    "Tell the weather.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}, "days": {"type": "integer"}},
    },
)
LIGHT = ChatTool("light_on")


def said(*texts: str) -> ChatRequest:
    """Return a request after the user has said these texts."""
    return ChatRequest(tuple(ChatMessage(ChatRole.USER, text) for text in texts), (WEATHER, LIGHT))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with listening(scripted_app()) as url:
        yield url


@pytest.fixture(params=["in this process", "over HTTP"])
def ask(request: pytest.FixtureRequest, server: str) -> Callable[[ChatRequest], list[ChatDelta]]:
    async def over_http(asked: ChatRequest) -> list[ChatDelta]:
        async with chat_client(server) as client:
            return await deltas_of(client, asked)

    def answer(asked: ChatRequest) -> list[ChatDelta]:
        return asyncio.run(over_http(asked) if request.param == "over HTTP" else deltas_of(ScriptedBackend(), asked))

    return answer


Ask = Callable[[ChatRequest], list[ChatDelta]]


def text_of(deltas: list[ChatDelta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, ChatTextDelta))


def calls_of(deltas: list[ChatDelta]) -> dict[str, str]:
    found: dict[str, str] = {}
    for delta in deltas:
        if isinstance(delta, ChatToolCallDelta):
            found[delta.name] = found.get(delta.name, "") + delta.arguments
    return found


def test_it_repeats_what_the_user_said(ask: Ask) -> None:
    deltas = ask(said("Good morning."))
    assert text_of(deltas) == "You said: Good morning."
    assert isinstance(deltas[-1], ChatFinished)
    assert deltas[-1].finish_reason is ChatFinishReason.STOP


def test_it_calls_each_tool_that_the_user_names(ask: Ask) -> None:
    deltas = ask(said("Get weather, and light on!"))
    assert calls_of(deltas) == {"get_weather": '{"city": "sample", "unit": "C", "days": 1}', "light_on": "{}"}
    assert deltas[-1].finish_reason is ChatFinishReason.TOOL_CALLS  # type: ignore[union-attr]


def test_it_calls_the_tool_that_the_request_demands(ask: Ask) -> None:
    asked = said("Hello.")
    assert calls_of(ask(replace(asked, tool_choice="required"))).keys() == {"get_weather"}
    assert calls_of(ask(replace(asked, tool_choice=ChatFunctionChoice("light_on")))).keys() == {"light_on"}
    assert calls_of(ask(replace(said("Light on!"), tool_choice="none"))) == {}


def test_it_says_what_a_tool_has_answered(ask: Ask) -> None:
    call = ChatToolCall("call_1", "light_on", "{}")
    asked = said("Light on!")
    result = ChatMessage(ChatRole.TOOL, "It is on.", call_id="call_1")
    messages = (*asked.messages, ChatMessage(ChatRole.ASSISTANT, "", (call,)), result)
    assert text_of(ask(replace(asked, messages=messages))) == "The tool says: It is on."


def test_it_remembers_what_was_said_before(ask: Ask) -> None:
    before = ChatMessage(ChatRole.ASSISTANT, "You said: One.")
    first, second = said("One.", "Two.").messages
    deltas = ask(ChatRequest((first, before, second)))
    assert text_of(deltas) == "You said: Two. Before that you said: One."


def test_it_fails_when_it_is_asked_to(ask: Ask) -> None:
    with pytest.raises(ChatError):
        ask(said("Make an error."))
    for words in ("Break off.", "Now break off, please, in the middle."):
        with pytest.raises(ChatInterrupted):
            ask(said(words))


def test_it_speaks_long_or_slowly_when_it_is_asked_to() -> None:
    assert len(scripted_answer(said("Tell me a long story.")).words) > 100
    assert scripted_answer(said("Speak slow!")).word_seconds > 10 * scripted_answer(said("Hi.")).word_seconds


def test_the_server_lists_its_model_and_refuses_what_is_no_request(server: str) -> None:
    assert httpx.get(f"{server}/v1/models").json()["data"][0]["id"] == "scripted"
    assert httpx.post(f"{server}/v1/chat/completions", json={"messages": 1}).status_code == 400


def test_openais_own_client_understands_the_server(server: str) -> None:
    tools: Any = [
        {"type": "function", "function": {"name": "light_on", "parameters": {"type": "object", "properties": {}}}}
    ]
    with openai.OpenAI(base_url=f"{server}/v1", api_key="any") as client:
        messages: Any = [{"role": "user", "content": "Light on!"}]
        with client.chat.completions.stream(model="scripted", messages=messages, tools=tools) as stream:
            answer = stream.get_final_completion()
    (call,) = answer.choices[0].message.tool_calls or []
    assert (call.function.name, call.function.arguments) == ("light_on", "{}")


@pytest.mark.parametrize(
    ("base_url", "kind"), [(None, type(None)), ("scripted", ScriptedBackend), ("http://127.0.0.1:9", ChatClient)]
)
def test_the_settings_choose_the_backend(base_url: str | None, kind: type) -> None:
    backend = configured_backend(Settings(chat_base_url=base_url), lambda _: None)
    assert type(backend) is kind
    if backend is not None:
        asyncio.run(backend.aclose())
