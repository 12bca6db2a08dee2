"""Assemble the tool calls of one answer from their deltas, as servers really send them.

OpenAI numbers the calls (`index`), sends the id and the name of each once, and its arguments in pieces. Others send a
whole call at once, leave out the index (older Ollama, Gemini) or send 0 for every call (LiteLLM in front of Ollama),
leave out the id, repeat it or use it again in the next answer, repeat the name, or send arguments as an object.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from realtime.session.generation import ChatInterrupted, ChatToolCallDelta

MAX_TOOL_CALLS: Final = 64
"""Calls in one answer; more are a fault of the backend."""


@dataclass(slots=True)
class _Call:
    """One call, as far as it is known. `server_id` is the id that the backend gave it, empty if it gave none."""

    index: int
    call_id: str
    server_id: str
    name: str = ""
    arguments: str = ""


class ToolCalls:
    """The calls of one answer.

    `new_call_id` names those that come without an id, or with one that is `taken` by a call of the conversation.
    """

    def __init__(self, new_call_id: Callable[[], str], taken: Collection[str] = ()) -> None:
        self._new_call_id = new_call_id
        self._taken = set(taken)
        self._calls: list[_Call] = []
        self._slots: dict[int, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def take(self, deltas: object) -> list[ChatToolCallDelta]:
        """Take `delta.tool_calls` of one chunk. Raises `ChatInterrupted` for too many calls."""
        found = []
        for position, delta in enumerate(deltas if isinstance(deltas, list) else ()):
            if isinstance(delta, Mapping) and (taken := self._take(position, delta)) is not None:
                found.append(taken)
        return found

    def finish(self) -> list[ChatToolCallDelta]:
        """End the answer; a call without arguments gets the empty object.

        Raises:
            ChatInterrupted: A call has no name.

        """
        if any(not call.name for call in self._calls):
            raise ChatInterrupted("the chat backend calls a tool without a name")
        return [
            ChatToolCallDelta(call.index, call.call_id, call.name, "{}") for call in self._calls if not call.arguments
        ]

    def _take(self, position: int, delta: Mapping[str, object]) -> ChatToolCallDelta | None:
        function = delta.get("function")
        function = function if isinstance(function, Mapping) else {}
        name = text_of(function.get("name"))
        arguments = function.get("arguments")
        text = json.dumps(arguments) if isinstance(arguments, dict | list) else text_of(arguments)
        call = self._call(position, delta, name, text)
        new = not call.name
        call.name = call.name or name
        pending = call.arguments if new else ""  # arguments that came before the name
        call.arguments += text
        if not call.name or not (new or text):
            return None
        return ChatToolCallDelta(call.index, call.call_id, call.name, pending + text)

    def _call(self, position: int, delta: Mapping[str, object], name: str, arguments: str) -> _Call:
        """Return the call that a delta continues, or a new one."""
        index, server_id = delta.get("index"), text_of(delta.get("id"))
        if not isinstance(index, int) and server_id:
            known = next((call for call in self._calls if call.server_id == server_id), None)
            if known is not None:
                return known
        slot = index if isinstance(index, int) else position
        call = self._slots.get(slot)
        if call is not None and not _begins_another(call, server_id, name, arguments):
            return call
        if len(self._calls) == MAX_TOOL_CALLS:
            raise ChatInterrupted(f"the chat backend calls more than {MAX_TOOL_CALLS} tools at once")
        call_id = server_id if server_id and server_id not in self._taken else self._new_call_id()
        self._taken.add(call_id)
        call = _Call(len(self._calls), call_id, server_id)
        self._calls.append(call)
        self._slots[slot] = call
        return call


def _begins_another(call: _Call, server_id: str, name: str, arguments: str) -> bool:
    """Return whether a delta in the place of `call` begins another call: it has a name, and another id or no room."""
    if not name or not call.name:
        return False
    if server_id and call.server_id:
        return server_id != call.server_id
    return bool(arguments) and _is_complete(call.arguments)


def _is_complete(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def text_of(value: object) -> str:
    """Return a string without unpaired surrogates, which JSON allows and UTF-8 does not; empty if it is no string."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""
