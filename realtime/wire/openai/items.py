"""Conversation items of the OpenAI Realtime dialect: as clients create them, and as JSON objects in server events."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from realtime.session.conversation import (
    AudioPart,
    FunctionCall,
    FunctionCallOutput,
    Item,
    ItemContent,
    Message,
    Role,
    TextPart,
)

JsonItem: TypeAlias = dict[str, Any]
"""JSON object of an item. Keys that do not apply are left out, because some clients reject null there."""

ItemId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]

MAX_PARTS: Final = 256
"""Content parts of one message: even empty ones take memory."""

_TEXT_TYPES: Final = ("input_text", "output_text", "text")
_AUDIO_TYPES: Final = ("input_audio", "output_audio", "audio")
IMAGE_TYPES: Final = ("input_image", "image", "image_url")
"""Content types that are refused. Those that are not known at all are dropped."""


class WirePart(Struct, frozen=True):
    """One content part of a message. Of audio (base64 on the wire) only the transcript is stored."""

    type: str
    text: str | None = None
    transcript: str | None = None
    audio: bytes | None = None


class WireMessage(Struct, frozen=True, tag_field="type", tag="message"):
    """A message of the user, the assistant or the system."""

    role: Literal["user", "assistant", "system"]
    content: Annotated[list[WirePart], Meta(max_length=MAX_PARTS)]
    id: ItemId | None = None

    @property
    def characters(self) -> int:
        """Number of characters of text."""
        return sum(len(part.text or "") + len(part.transcript or "") for part in self.content)

    def to_content(self) -> Message:
        parts = [
            TextPart(part.text or "") if part.type in _TEXT_TYPES else AudioPart(part.transcript)
            for part in self._known_parts
        ]
        return Message(Role(self.role), tuple(parts))

    @property
    def recordings(self) -> tuple[tuple[int, bytes], ...]:
        """The audio of the user that the client gives no transcript of, each with the index of its part."""
        return tuple(
            (index, part.audio)
            for index, part in enumerate(self._known_parts)
            if self.role == "user" and part.type in _AUDIO_TYPES and part.audio and not part.transcript
        )

    @property
    def _known_parts(self) -> list[WirePart]:
        types = _TEXT_TYPES if self.role == "system" else (*_TEXT_TYPES, *_AUDIO_TYPES)
        return [part for part in self.content if part.type in types]


class WireFunctionCall(Struct, frozen=True, tag_field="type", tag="function_call"):
    """A function call that was made earlier."""

    call_id: str
    name: str
    arguments: str
    id: ItemId | None = None

    @property
    def characters(self) -> int:
        """Number of characters of text."""
        return len(self.call_id) + len(self.name) + len(self.arguments)

    def to_content(self) -> FunctionCall:
        return FunctionCall(self.call_id, self.name, self.arguments)


class WireFunctionCallOutput(Struct, frozen=True, tag_field="type", tag="function_call_output"):
    """The result of a function call."""

    call_id: str
    output: str
    id: ItemId | None = None

    @property
    def characters(self) -> int:
        """Number of characters of text."""
        return len(self.call_id) + len(self.output)

    def to_content(self) -> FunctionCallOutput:
        return FunctionCallOutput(self.call_id, self.output)


class WireItemReference(Struct, frozen=True, tag_field="type", tag="item_reference"):
    """A reference to an item of the conversation, as input to one response."""

    id: str


NewItem: TypeAlias = WireMessage | WireFunctionCall | WireFunctionCallOutput


def item_object(item: Item) -> JsonItem:
    """Return the JSON object of an item."""
    shown = {"id": item.id, "object": "realtime.item", "status": item.status.value, **_content_object(item.content)}
    return shown | channel_field(item.channel)


def channel_field(channel: int | None) -> JsonItem:
    """Return `channel`, the index of the channel of a speaker; an empty object where channels are mixed."""
    return {} if channel is None else {"channel": channel}


def _content_object(content: ItemContent) -> JsonItem:
    match content:
        case Message(role, parts):
            direction = "output" if role is Role.ASSISTANT else "input"
            shown = [
                {"type": f"{direction}_text", "text": part.text}
                if isinstance(part, TextPart)
                else {"type": f"{direction}_audio", "transcript": part.transcript}
                for part in parts
            ]
            return {"type": "message", "role": role.value, "content": shown}
        case FunctionCall(call_id, name, arguments):
            return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
        case _:
            call_id, output = content.call_id, content.output
            return {"type": "function_call_output", "call_id": call_id, "output": output}
