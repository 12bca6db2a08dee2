"""The conversation of a session: its items in order, whatever dialect the client speaks.

The items of spoken turns and of responses are added by the session; clients create, delete, retrieve and truncate
items. A chat model is sent the conversation as text (`chat_messages`): of what the user said the transcript, of what
was spoken the part that was played.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import Final, TypeAlias, assert_never

from realtime.session.generation import ChatMessage, ChatRole, ChatToolCall
from realtime.session.packed_block import PackedBlock
from realtime.speech.speech_timing import SpeechTiming

MAX_ITEMS: Final = 1000
"""Items of a conversation; when there are more, the oldest are dropped."""

MAX_CHARACTERS: Final = 1_000_000
"""Characters of text in a conversation, which takes 18 hours to say; when there are more, the oldest items are dropped.

It bounds the memory of a session, and the time for which a request to the chat backend holds up other sessions: 80 ms.
"""

BLOCK_ITEMS: Final = 20
"""Items that are packed together; the newest 20 to 39 are not packed."""


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


@dataclass(slots=True)
class _Entry:
    """An item, and when its text was played if it was spoken."""

    item: Item
    timing: SpeechTiming | None = None


class Conversation:
    """Items in conversation order; see the module.

    All but the newest are packed, in blocks that follow each other. A change of an older item unpacks them all, until
    the next one is added.
    """

    def __init__(self) -> None:
        self._packed: list[PackedBlock[_Entry]] = []
        self._recent: list[_Entry] = []
        """The entries after those that are packed."""
        self._characters = 0
        """Characters of text in all items."""

    def __contains__(self, item_id: str) -> bool:
        return any(entry.item.id == item_id for entry in self._newest_first())

    def __getitem__(self, item_id: str) -> Item:
        for entry in self._newest_first():
            if entry.item.id == item_id:
                return entry.item
        raise KeyError(item_id)

    def __iter__(self) -> Iterator[Item]:
        for block in self._packed:
            yield from (entry.item for entry in block.unpack())
        yield from (entry.item for entry in self._recent)

    def __len__(self) -> int:
        return sum(block.length for block in self._packed) + len(self._recent)

    def predecessor(self, item_id: str) -> str | None:
        """Return the id of the item before this one; None for the first and for one that has been deleted."""
        entries = self._newest_first()
        if not any(entry.item.id == item_id for entry in entries):
            return None
        before = next(entries, None)
        return None if before is None else before.item.id

    def append(self, item: Item) -> None:
        """Add an item at the end; the oldest are dropped where there is too much (`MAX_ITEMS`, `MAX_CHARACTERS`)."""
        self._insert_at(len(self._recent), item)

    def insert(self, item: Item, after: str | None) -> None:
        """Insert an item after another; None inserts it before all others. Raises `KeyError` for an unknown item."""
        if after is None:
            self._unpack()
        self._insert_at(0 if after is None else self._position(after) + 1, item)

    def replace(self, item: Item) -> None:
        """Replace the item of the same id, unless it has been deleted."""
        if item.id in self:
            entry = self._recent[self._position(item.id)]
            self._characters += _characters(item) - _characters(entry.item)
            entry.item = item
            self._drop_oldest()

    def delete(self, item_id: str) -> None:
        """Remove an item. Raises `KeyError` if there is none."""
        entry = self._recent.pop(self._position(item_id))
        self._characters -= _characters(entry.item)

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
            self._recent[self._position(item_id)].timing = timing

    def truncate(self, item_id: str, seconds: float) -> None:
        """Keep of a spoken item only what was played in its first `seconds`; leave a written one as it is.

        A time after the end keeps everything. Raises `KeyError` if there is no such item.
        """
        entry = self._recent[self._position(item_id)]
        if entry.timing is None or seconds >= entry.timing.seconds:
            return
        entry.timing.cut(seconds)
        heard = Message(Role.ASSISTANT, (AudioPart(entry.timing.text),))
        self.replace(replace(entry.item, content=heard, status=ItemStatus.INCOMPLETE))

    def _newest_first(self) -> Iterator[_Entry]:
        yield from reversed(self._recent)
        for block in reversed(self._packed):
            yield from reversed(block.unpack())

    def _position(self, item_id: str) -> int:
        """Return where an item is in `_recent`, to which an older one is moved. Raises `KeyError` if there is none."""
        if all(entry.item.id != item_id for entry in self._recent):
            self._unpack()
        for position in reversed(range(len(self._recent))):
            if self._recent[position].item.id == item_id:
                return position
        raise KeyError(item_id)

    def _insert_at(self, position: int, item: Item) -> None:
        """Insert an item at a position of `_recent`."""
        self._recent.insert(position, _Entry(item))
        self._characters += _characters(item)
        while len(self._recent) >= 2 * BLOCK_ITEMS:
            self._packed.append(PackedBlock.of(self._recent[:BLOCK_ITEMS]))
            del self._recent[:BLOCK_ITEMS]
        self._drop_oldest()

    def _unpack(self) -> None:
        self._recent[:0] = chain.from_iterable(block.unpack() for block in self._packed)
        self._packed.clear()

    def _drop_oldest(self) -> None:
        """Drop items from the first block on, and what is left of that is packed again."""
        length = len(self)
        while length > MAX_ITEMS or self._characters > MAX_CHARACTERS:
            oldest = self._packed.pop(0).unpack() if self._packed else self._recent
            while oldest and (length > MAX_ITEMS or self._characters > MAX_CHARACTERS):
                self._characters -= _characters(oldest.pop(0).item)
                length -= 1
            if oldest and oldest is not self._recent:
                self._packed.insert(0, PackedBlock.of(oldest))


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
