"""The items a conversation is made of in the OpenAI Realtime dialect: as clients create them and as they are shown."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct

Item: TypeAlias = dict[str, Any]
"""An item as it is on the wire. Keys that do not apply are left out: some clients take no null there."""

ItemId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]

MAX_PARTS: Final = 256
"""Pieces of content of one message: each takes room, even when there is nothing in it."""

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
"""By role, the types of content that are kept, and what OpenAI's beta called them. Images and the rest are dropped."""


class Part(Struct, frozen=True):
    """One piece of a message's content; audio in it is not kept, its transcript is."""

    type: str
    text: str | None = None
    transcript: str | None = None


class Message(Struct, frozen=True, tag_field="type", tag="message"):
    """What somebody said or wrote."""

    role: Literal["user", "assistant", "system"]
    content: Annotated[list[Part], Meta(max_length=MAX_PARTS)]
    id: ItemId | None = None

    @property
    def characters(self) -> int:
        """How much text is in it."""
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

    def shown(self) -> Item:
        return {"type": "message", "role": self.role, "content": self.parts()}


class FunctionCall(Struct, frozen=True, tag_field="type", tag="function_call"):
    """A call of a function that happened before."""

    call_id: str
    name: str
    arguments: str
    id: ItemId | None = None

    @property
    def characters(self) -> int:
        """How much text is in it."""
        return len(self.call_id) + len(self.name) + len(self.arguments)

    def shown(self) -> Item:
        return {"type": "function_call", "call_id": self.call_id, "name": self.name, "arguments": self.arguments}


class FunctionCallOutput(Struct, frozen=True, tag_field="type", tag="function_call_output"):
    """What a function returned."""

    call_id: str
    output: str
    id: ItemId | None = None

    @property
    def characters(self) -> int:
        """How much text is in it."""
        return len(self.call_id) + len(self.output)

    def shown(self) -> Item:
        return {"type": "function_call_output", "call_id": self.call_id, "output": self.output}


class ItemReference(Struct, frozen=True, tag_field="type", tag="item_reference"):
    """An item of the conversation, as input to one response."""

    id: str


NewItem: TypeAlias = Message | FunctionCall | FunctionCallOutput


def created_item(item: NewItem, item_id: str) -> Item:
    """The item a client created, as it is shown from now on."""
    return {"id": item_id, "object": "realtime.item", "status": "completed", **item.shown()}


def text_to_speak(item: Item) -> str:
    """What an assistant's message gives to speak; empty for any other item."""
    if item.get("role") != "assistant":
        return ""
    return "".join(part["text"] for part in item["content"] if part["type"] == "output_text")


def spoken_by_user(item_id: str, transcript: str | None = None) -> Item:
    """An utterance. It has no transcript when it is added: clients would show it twice."""
    return _spoken(item_id, "user", "completed", [{"type": "input_audio", "transcript": transcript}])


def spoken_by_assistant(item_id: str, status: str, transcript: str | None = None) -> Item:
    """A spoken answer; it has no content while it is in progress."""
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
