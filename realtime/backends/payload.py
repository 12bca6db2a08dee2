"""From a request to the body of a chat completion."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from realtime.backends.history import MESSAGE_TOKENS, fitted, well_formed
from realtime.backends.tokens import tokens
from realtime.session.generation import ChatFunctionChoice, ChatMessage, ChatRequest, ChatRole, ChatTool, ChatToolCall

Body = dict[str, object]

OPTIONAL: Mapping[str, str | None] = {
    "stream_options": None,
    "max_tokens": "max_completion_tokens",
    "temperature": None,
    "parallel_tool_calls": None,
}
"""Parameters that some backends refuse, each with the name under which it is sent to them instead.

Mistral has refused `stream_options`; OpenAI's reasoning models refuse `max_tokens`, which is the only name that many
other servers know, and any temperature but 1.
"""


@dataclass(frozen=True, slots=True)
class Prompting:
    """What is sent with every request: the model, None for the backend's only one, and the default instructions."""

    model: str | None
    instructions: str
    max_history_tokens: int


def body_of(request: ChatRequest, prompting: Prompting, refused: frozenset[str] = frozenset()) -> Body:
    """Return the JSON body of a request, without the optional parameters that the backend has `refused`."""
    messages = well_formed(request.messages)
    if prompting.instructions and not (messages and messages[0].role is ChatRole.SYSTEM):
        messages.insert(0, ChatMessage(ChatRole.SYSTEM, prompting.instructions))
    tools = [_tool(each) for each in request.tools]
    limit = prompting.max_history_tokens - sum(map(_tool_tokens, request.tools))
    body: Body = {
        "model": prompting.model,
        "messages": [_message(each) for each in fitted(messages, limit)],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": tools or None,
        "tool_choice": _tool_choice(request) if tools else None,
        "parallel_tool_calls": request.parallel_tool_calls if tools else None,
        "temperature": request.temperature,
        "max_tokens": request.max_output_tokens,
    }
    for name in refused:
        value, renamed = body.pop(name), OPTIONAL[name]
        if renamed is not None:
            body[renamed] = value
    return {name: value for name, value in body.items() if value is not None}


def _message(message: ChatMessage) -> Body:
    body: Body = {"role": message.role, "content": message.text}
    if message.tool_calls:
        body["content"] = message.text or None
        body["tool_calls"] = [_call(each) for each in message.tool_calls]
    if message.role is ChatRole.TOOL:
        body["tool_call_id"] = message.call_id
    return body


def _call(call: ChatToolCall) -> Body:
    function = {"name": call.name, "arguments": _object(call.arguments)}
    return {"id": call.call_id, "type": "function", "function": function}


def _object(arguments: str) -> str:
    """Return arguments, or an empty object for what is none: many servers parse them, and fail on a broken call."""
    try:
        return arguments if isinstance(json.loads(arguments), dict) else "{}"
    except (ValueError, RecursionError):
        return "{}"


def _tool(tool: ChatTool) -> Body:
    function: Body = {"name": tool.name, "parameters": dict(tool.parameters) or {"type": "object", "properties": {}}}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _tool_tokens(tool: ChatTool) -> int:
    return MESSAGE_TOKENS + tokens(str(_tool(tool)))


def _tool_choice(request: ChatRequest) -> object:
    """Return the choice; the default is left out, because some servers know no `tool_choice`."""
    match request.tool_choice:
        case ChatFunctionChoice(name):
            return {"type": "function", "function": {"name": name}}
        case "auto":
            return None
        case choice:
            return choice
