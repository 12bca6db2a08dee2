"""Serve the scripted backend over HTTP, for other programs and for tests of the client.

Run `python -m realtime.backends.scripted_server --port 8001`.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from realtime.backends.scripted import ScriptedAnswer, scripted_answer
from realtime.errors import error_envelope
from realtime.session.generation import (
    ChatFunctionChoice,
    ChatMessage,
    ChatRequest,
    ChatRole,
    ChatTool,
    ChatToolChoice,
)

MODEL: Final = "scripted"
PIECE: Final = 8
"""Characters in a piece of the arguments of a tool call."""


class _Function(msgspec.Struct):
    name: str
    parameters: dict[str, object] = {}


class _Tool(msgspec.Struct):
    function: _Function


class _Message(msgspec.Struct):
    role: ChatRole
    content: str | None = None


class _Choice(msgspec.Struct):
    function: _Function


class _Body(msgspec.Struct):
    messages: list[_Message]
    tools: list[_Tool] = []
    tool_choice: str | _Choice = "auto"

    def request(self) -> ChatRequest:
        choice: ChatToolChoice = "auto"
        match self.tool_choice:
            case _Choice(function=function):
                choice = ChatFunctionChoice(function.name)
            case "none" | "required":
                choice = self.tool_choice
        messages = tuple(ChatMessage(each.role, each.content or "") for each in self.messages)
        tools = tuple(ChatTool(each.function.name, "", each.function.parameters) for each in self.tools)
        return ChatRequest(messages, tools, choice)


async def _models(_: Request) -> Response:
    return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model"}]})


async def _completions(request: Request) -> Response:
    try:
        body = msgspec.json.decode(await request.body(), type=_Body)
    except msgspec.ValidationError as error:
        return JSONResponse(error_envelope(str(error), 400, "invalid_value"), 400)
    answer = scripted_answer(body.request())
    if answer.breaks_after == 0:
        return JSONResponse(error_envelope("The user asked for an error.", 500, "scripted_error"), 500)
    return StreamingResponse(_events(answer), media_type="text/event-stream")


async def _events(answer: ScriptedAnswer) -> AsyncIterator[str]:
    """Yield server-sent events as OpenAI sends them: the role, the words, tool calls in pieces, reason, usage."""
    yield _event({"role": "assistant", "content": ""})
    for number, word in enumerate(answer.words):
        if number == answer.breaks_after:
            return
        await asyncio.sleep(answer.word_seconds)
        yield _event({"content": word})
    for call in answer.calls:
        function = {"name": call.name, "arguments": ""}
        yield _event(
            {"tool_calls": [{"index": call.index, "id": call.call_id, "type": "function", "function": function}]}
        )
        for start in range(0, len(call.arguments), PIECE):
            piece = {"arguments": call.arguments[start : start + PIECE]}
            yield _event({"tool_calls": [{"index": call.index, "function": piece}]})
    yield _event({}, finish_reason="tool_calls" if answer.calls else "stop")
    usage = {"prompt_tokens": 1, "completion_tokens": len(answer.words), "total_tokens": 1 + len(answer.words)}
    yield f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"


def _event(delta: dict[str, object], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'model': MODEL, 'choices': [choice]})}\n\n"


def scripted_app() -> Starlette:
    """Build the ASGI application."""
    return Starlette(
        routes=[
            Route("/v1/models", _models),
            Route("/v1/chat/completions", _completions, methods=["POST"]),
        ]
    )


def main() -> None:
    """Serve on this machine until interrupted."""
    parser = argparse.ArgumentParser(description="Serve a chat backend that answers by rules.")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on (default 8001)")
    uvicorn.run(scripted_app(), port=parser.parse_args().port, log_level="warning")


if __name__ == "__main__":
    main()
