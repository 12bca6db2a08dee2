"""Conversation items of the OpenAI Realtime dialect: as clients create them, and as JSON objects in server events."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct

Item: TypeAlias = dict[str, Any]
"""JSON object of an item. Keys that do not apply are left out, because some clients reject null there."""

ItemId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]

MAX_PARTS: Final = 256
"""Content parts of one message: even empty ones take memory."""

_PART_TYPES: Final = {
    "user": {"input_text": "input_text", "input_audio": "input_audio", "text": "input_text", "audio": "input_audio"},
    "system": {"input_text": "input_text", "text": "input_text"},
    "assistant": {
        "output_text": "output_text",
        "output_audio": "output_audio",
        "text": "output_text",
        "audio": "output_audio",
    },
}
"""Content types that are stored for each role, by their GA and beta names. Others, such as images, are dropped."""


class Part(Struct, frozen=True):
    """One content part of a message. Of audio only the transcript is stored."""

    type: str
    text: str | None = None
    transcript: str | None = None


class Message(Struct, frozen=True, tag_field="type", tag="message"):
    """A message of the user, the assistant or the system."""

    role: Literal["user", "assistant", "system"]
    content: Annotated[list[Part], Meta(max_length=MAX_PARTS)]
    id: ItemId | None = None

    @property
    def characters(self) -> int:
        """Number of characters of text."""
        return sum(len(part.text or "") + len(part.transcript or "") for part in self.content)

    def parts(self) -> list[Item]:
        known = _PART_TYPES[self.role]
        parts: list[Item] = []
        for part in self.content:
            kind = known.get(part.type)
            if kind in ("input_text", "output_text"):
                parts.append({"type": kind, "text": part.text or ""})
            elif kind is not None:
                parts.append({"type": kind, "transcript": part.transcript})
        return parts

    def to_json(self) -> Item:
        return {"type": "message", "role": self.role, "content": self.parts()}


class FunctionCall(Struct, frozen=True, tag_field="type", tag="function_call"):
    """A function call that was made earlier."""

    call_id: str
    name: str
    arguments: str
    id: ItemId | None = None

    @property
    def characters(self) -> int:
        """Number of characters of text."""
        return len(self.call_id) + len(self.name) + len(self.arguments)

    def to_json(self) -> Item:
        return {"type": "function_call", "call_id": self.call_id, "name": self.name, "arguments": self.arguments}


class FunctionCallOutput(Struct, frozen=True, tag_field="type", tag="function_call_output"):
    """The result of a function call."""

    call_id: str
    output: str
    id: ItemId | None = None

    @property
    def characters(self) -> int:
        """Number of characters of text."""
        return len(self.call_id) + len(self.output)

    def to_json(self) -> Item:
        return {"type": "function_call_output", "call_id": self.call_id, "output": self.output}


class ItemReference(Struct, frozen=True, tag_field="type", tag="item_reference"):
    """A reference to an item of the conversation, as input to one response."""

    id: str


NewItem: TypeAlias = Message | FunctionCall | FunctionCallOutput


def created_item(item: NewItem, item_id: str) -> Item:
    """Return the JSON object of an item that a client created."""
    return {"id": item_id, "object": "realtime.item", "status": "completed", **item.to_json()}


def text_to_speak(item: Item) -> str:
    """Return the text of an assistant message; empty for any other item."""
    if item.get("role") != "assistant":
        return ""
    return "".join(part["text"] for part in item["content"] if part["type"] == "output_text")


def spoken_by_user(item_id: str, transcript: str | None = None) -> Item:
    """Return the item of a turn. It is added without its transcript, which clients would otherwise show twice."""
    return _spoken(item_id, "user", "completed", [{"type": "input_audio", "transcript": transcript}])


def spoken_by_assistant(item_id: str, status: str, transcript: str | None = None) -> Item:
    """Return the item of a spoken response; without a transcript, while it is in progress, it has no content."""
    content = [] if transcript is None else [{"type": "output_audio", "transcript": transcript}]
    return _spoken(item_id, "assistant", status, content)


def _spoken(item_id: str, role: str, status: str, content: list[Item]) -> Item:
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": role,
        "content": content,
    }
