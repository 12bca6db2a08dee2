"""A chat backend that answers by rules, to try the service and to test programs without a model.

It repeats what the user said last, and before that. Some words make it do something else:

    error           fail before the first word
    break off       fail after the first words
    slow            say a word every half second
    long            say ten sentences
    a tool's name   call that tool, with sample arguments; several names call several tools

To the result of a tool it answers with that result.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Final

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
    ChatToolCallDelta,
    ChatUsage,
)

WORD_SECONDS: Final = 0.02
"""Time for each word, that of a model with about 60 tokens per second."""

SLOW_WORD_SECONDS: Final = 0.5
"""Time for each word of a slow answer: slower than it is spoken."""

WORDS_BEFORE_BREAK: Final = 3
"""Words of an answer that breaks off, fewer than the answer to "break off" alone has."""

_LONG: Final = " ".join(f"This is sentence number {n}, which goes on for a while." for n in range(1, 11))


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """What the rules say to a request: text and then tool calls, or a failure after `breaks_after` words."""

    text: str
    calls: tuple[ChatToolCallDelta, ...] = ()
    word_seconds: float = WORD_SECONDS
    breaks_after: int | None = None

    @property
    def words(self) -> list[str]:
        """The words with the white space around them; together they are the text."""
        return re.findall(r"\s*\S+", self.text)


def scripted_answer(request: ChatRequest) -> ScriptedAnswer:
    """Apply the rules to a request."""
    last = request.messages[-1] if request.messages else ChatMessage(ChatRole.USER)
    if last.role is ChatRole.TOOL:
        return ScriptedAnswer(f"The tool says: {last.text}")
    users = [message.text for message in request.messages if message.role is ChatRole.USER]
    heard = "\n".join(users).splitlines() or [""]  # what has no answer between it arrives as lines of one message
    words = f" {_plain(heard[-1])} "
    if " error " in words:
        return ScriptedAnswer("", breaks_after=0)
    if tools := _called(request, words):
        calls = (
            ChatToolCallDelta(index, f"call_{len(request.messages)}_{index}", tool.name, json.dumps(_sample(tool)))
            for index, tool in enumerate(tools)
        )
        return ScriptedAnswer("", tuple(calls))
    text = f"You said: {heard[-1]}" if len(heard) == 1 else f"You said: {heard[-1]} Before that you said: {heard[-2]}"
    return ScriptedAnswer(
        _LONG if " long " in words else text,
        word_seconds=SLOW_WORD_SECONDS if " slow " in words else WORD_SECONDS,
        breaks_after=WORDS_BEFORE_BREAK if " break off " in words else None,
    )


def _called(request: ChatRequest, words: str) -> list[ChatTool]:
    """Return the tools that the user names, or that the request demands."""
    match request.tool_choice:
        case ChatFunctionChoice(name):
            return [tool for tool in request.tools if tool.name == name]
        case "none":
            return []
        case choice:
            named = [tool for tool in request.tools if f" {_plain(tool.name)} " in words]
            return named or list(request.tools[:1] if choice == "required" else ())


def _plain(text: str) -> str:
    """Return the words of a text or a name in lower case, one space apart."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _sample(tool: ChatTool) -> dict[str, object]:
    """Return arguments that a schema allows, if it is simple."""
    properties = tool.parameters.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    samples = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    found: dict[str, object] = {}
    for name, schema in properties.items():
        schema = schema if isinstance(schema, Mapping) else {}
        choices = schema.get("enum")
        found[name] = (
            choices[0] if isinstance(choices, list) and choices else samples.get(str(schema.get("type")), "sample")
        )
    return found


class ScriptedBackend:
    """`ChatBackend` by rules, in this process."""

    async def aclose(self) -> None:
        """Do nothing."""

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[ChatDelta]]:
        """Request an answer; see `ChatBackend.stream`."""
        async with aclosing(self._deltas(request)) as deltas:
            yield deltas

    async def _deltas(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        answer = scripted_answer(request)
        if answer.breaks_after == 0:
            raise ChatError("the scripted backend was asked to fail")
        for number, word in enumerate(answer.words):
            if number == answer.breaks_after:
                raise ChatInterrupted("the scripted backend was asked to break off")
            await asyncio.sleep(answer.word_seconds)
            yield ChatTextDelta(word)
        for call in answer.calls:
            yield call
        reason = ChatFinishReason.TOOL_CALLS if answer.calls else ChatFinishReason.STOP
        prompt_tokens = sum(len(message.text.split()) for message in request.messages)
        yield ChatFinished(reason, ChatUsage(prompt_tokens, len(answer.words)))
