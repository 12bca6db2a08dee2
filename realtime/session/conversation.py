"""The conversation of a session: its items in order, whatever dialect the client speaks.

The items of spoken turns and of responses are added by the session; clients create, delete, retrieve and truncate
items. A chat model is sent the conversation as text (`chat_messages`): of what the user said the transcript, of what
was spoken the part that was played.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from realtime.session.generation import ChatMessage, ChatRole, ChatToolCall
from realtime.speech.speech_timing import SpeechTiming

MAX_ITEMS: Final = 1000
"""Items of a conversation; when there are more, the oldest are dropped."""

MAX_CHARACTERS: Final = 1_000_000
"""Characters of text in a conversation, which takes 18 hours to say; when there are more, the oldest items are dropped.

It bounds the memory of a session, and the time for which a request to the chat backend holds up other sessions: 80 ms.
"""


class Role(StrEnum):
    """Whose message it is."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class TextPart:
    """Written text."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AudioPart:
    """Spoken audio, of which the transcript is kept; None until it is known."""

    transcript: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the user, the assistant or the system."""

    role: Role
    parts: tuple[TextPart | AudioPart, ...] = ()

    @property
    def text(self) -> str:
        """The text of all parts, with a blank between two where neither has white space there."""
        whole = ""
        for part in self.parts:
            text = part.text if isinstance(part, TextPart) else part.transcript or ""
            apart = whole and text and not whole[-1].isspace() and not text[0].isspace()
            whole += f" {text}" if apart else text
        return whole


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a tool by the assistant; `arguments` is JSON, as the model wrote it."""

    call_id: str
    name: str
    arguments: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FunctionCallOutput:
    """The result of a tool call, from the client."""

    call_id: str
    output: str = field(repr=False)


ItemContent: TypeAlias = Message | FunctionCall | FunctionCallOutput


class ItemStatus(StrEnum):
    """How far an item has come, in the words of OpenAI's protocol."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a conversation."""

    id: str
    content: ItemContent
    status: ItemStatus = ItemStatus.COMPLETED
    channel: int | None = None
    """Index of the channel that a turn of the user was spoken on, where channels are transcribed by themselves."""


class Conversation:
    """Items in conversation order; see the module."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._characters = 0
        """Characters of text in all items."""
        self._timings: dict[str, SpeechTiming] = {}
        """When the text of the assistant's spoken items was played."""

    def __contains__(self, item_id: str) -> bool:
        return any(item.id == item_id for item in self._items)

    def __getitem__(self, item_id: str) -> Item:
        return self._items[self._position(item_id)]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def predecessor(self, item_id: str) -> str | None:
        """Return the id of the item before this one; None for the first and for one that has been deleted."""
        position = self._position(item_id) if item_id in self else 0
        return self._items[position - 1].id if position else None

    def append(self, item: Item) -> None:
        """Add an item at the end; the oldest are dropped where there is too much (`MAX_ITEMS`, `MAX_CHARACTERS`)."""
        self._insert_at(len(self._items), item)

    def insert(self, item: Item, after: str | None) -> None:
        """Insert an item after another; None inserts it before all others. Raises `KeyError` for an unknown item."""
        self._insert_at(0 if after is None else self._position(after) + 1, item)

    def replace(self, item: Item) -> None:
        """Replace the item of the same id, unless it has been deleted."""
        if item.id in self:
            position = self._position(item.id)
            self._characters += _characters(item) - _characters(self._items[position])
            self._items[position] = item
            self._drop_oldest()

    def delete(self, item_id: str) -> None:
        """Remove an item. Raises `KeyError` if there is none."""
        self._forget(self._position(item_id))

    def set_transcript(self, item_id: str, transcript: str, part: int = 0) -> None:
        """Keep the transcript of a turn of the user, or of a part of a message, unless the item has been deleted."""
        if item_id in self:
            item = self[item_id]
            assert isinstance(item.content, Message)
            parts = (*item.content.parts[:part], AudioPart(transcript), *item.content.parts[part + 1 :])
            self.replace(replace(item, content=replace(item.content, parts=parts)))

    def set_timing(self, item_id: str, timing: SpeechTiming) -> None:
        """Keep when the text of a spoken item was played, for `truncate`."""
        if item_id in self:
            self._timings[item_id] = timing

    def truncate(self, item_id: str, seconds: float) -> None:
        """Keep of a spoken item only what was played in its first `seconds`; leave a written one as it is.

        A time after the end keeps everything. Raises `KeyError` if there is no such item.
        """
        item = self[item_id]
        timing = self._timings.get(item_id)
        if timing is None or seconds >= timing.seconds:
            return
        timing.cut(seconds)
        heard = Message(Role.ASSISTANT, (AudioPart(timing.text),))
        self.replace(replace(item, content=heard, status=ItemStatus.INCOMPLETE))

    def _insert_at(self, position: int, item: Item) -> None:
        self._items.insert(position, item)
        self._characters += _characters(item)
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        while len(self._items) > MAX_ITEMS or self._characters > MAX_CHARACTERS:
            self._forget(0)

    def _forget(self, position: int) -> None:
        item = self._items.pop(position)
        self._characters -= _characters(item)
        self._timings.pop(item.id, None)

    def _position(self, item_id: str) -> int:
        for position in reversed(range(len(self._items))):
            if self._items[position].id == item_id:
                return position
        raise KeyError(item_id)


def _characters(item: Item) -> int:
    match item.content:
        case Message(parts=parts):
            return sum(len((part.text if isinstance(part, TextPart) else part.transcript) or "") for part in parts)
        case FunctionCall(call_id, name, arguments):
            return len(call_id) + len(name) + len(arguments)
        case FunctionCallOutput(call_id, output):
            return len(call_id) + len(output)
        case _:
            assert_never(item.content)


def chat_messages(instructions: str, contents: Iterable[ItemContent]) -> tuple[ChatMessage, ...]:
    """Return the messages of a chat request: the instructions, then the items as text.

    Calls that follow each other, or the text that announces them, are one message of the assistant. Messages without
    text are left out.
    """
    messages = [ChatMessage(ChatRole.SYSTEM, instructions)] if instructions.strip() else []
    for content in contents:
        match content:
            case Message(role=role):
                if content.text.strip():
                    messages.append(ChatMessage(ChatRole(role.value), content.text))
            case FunctionCall(call_id, name, arguments):
                call = ChatToolCall(call_id, name, arguments)
                if messages and messages[-1].role is ChatRole.ASSISTANT:
                    messages[-1] = replace(messages[-1], tool_calls=(*messages[-1].tool_calls, call))
                else:
                    messages.append(ChatMessage(ChatRole.ASSISTANT, tool_calls=(call,)))
            case _:
                messages.append(ChatMessage(ChatRole.TOOL, content.output, call_id=content.call_id))
    return tuple(messages)
