"""The conversation of a session: its items in order, whatever dialect the client speaks.

The items of spoken turns and of responses are added by the session; clients create, delete, retrieve and truncate
items. A chat model is sent the conversation as text (`chat_messages`): of what the user said the transcript, of what
was spoken the part that was played.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
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
"""Items that are packed together at first, later up to 39; of the newest, up to 39 are not packed."""


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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry is: its block, and its position among the entries of that, which are a copy if it is packed."""

    block: int
    entries: list[_Entry]
    position: int

    @property
    def entry(self) -> _Entry:
        return self.entries[self.position]


class Conversation:
    """Items in conversation order; see the module.

    All but the newest are packed, in blocks that follow each other. Finding or changing one item unpacks its block, and
    perhaps the one before; only iteration unpacks them all.
    """

    def __init__(self) -> None:
        self._packed: list[PackedBlock[_Entry]] = []
        self._recent: list[_Entry] = []
        """The entries after those that are packed: the last block."""
        self._characters = 0
        """Characters of text in all items."""

    def __contains__(self, item_id: str) -> bool:
        return self._find(item_id) is not None

    def __getitem__(self, item_id: str) -> Item:
        return self._place(item_id).entry.item

    def __iter__(self) -> Iterator[Item]:
        for block in self._packed:
            yield from (entry.item for entry in block.unpack())
        yield from (entry.item for entry in self._recent)

    def __len__(self) -> int:
        return sum(map(len, self._packed)) + len(self._recent)

    def predecessor(self, item_id: str) -> str | None:
        """Return the id of the item before this one; None for the first and for one that has been deleted."""
        place = self._find(item_id)
        if place is None or (place.block, place.position) == (0, 0):
            return None
        before = place.entries[: place.position] or self._entries(place.block - 1)
        return before[-1].item.id

    def append(self, item: Item) -> None:
        """Add an item at the end; the oldest are dropped where there is too much (`MAX_ITEMS`, `MAX_CHARACTERS`)."""
        self._insert_at(len(self._packed), self._recent, len(self._recent), item)

    def insert(self, item: Item, after: str | None) -> None:
        """Insert an item after another; None inserts it before all others. Raises `KeyError` for an unknown item."""
        if after is None:
            self._insert_at(0, self._entries(0), 0, item)
        else:
            place = self._place(after)
            self._insert_at(place.block, place.entries, place.position + 1, item)

    def replace(self, item: Item) -> None:
        """Replace the item of the same id, unless it has been deleted."""
        if (place := self._find(item.id)) is not None:
            self._characters += _characters(item) - _characters(place.entry.item)
            place.entry.item = item
            self._keep(place.block, place.entries)
            self._drop_oldest()

    def delete(self, item_id: str) -> None:
        """Remove an item. Raises `KeyError` if there is none."""
        place = self._place(item_id)
        self._characters -= _characters(place.entries.pop(place.position).item)
        self._keep(place.block, place.entries)

    def set_transcript(self, item_id: str, transcript: str, part: int = 0) -> None:
        """Keep the transcript of a turn of the user, or of a part of a message, unless the item has been deleted."""
        if (place := self._find(item_id)) is not None:
            item = place.entry.item
            assert isinstance(item.content, Message)
            parts = (*item.content.parts[:part], AudioPart(transcript), *item.content.parts[part + 1 :])
            self.replace(replace(item, content=replace(item.content, parts=parts)))

    def set_timing(self, item_id: str, timing: SpeechTiming) -> None:
        """Keep when the text of a spoken item was played, for `truncate`."""
        if (place := self._find(item_id)) is not None:
            place.entry.timing = timing
            self._keep(place.block, place.entries)

    def truncate(self, item_id: str, seconds: float) -> None:
        """Keep of a spoken item only what was played in its first `seconds`; leave a written one as it is.

        A time after the end keeps everything. Raises `KeyError` if there is no such item.
        """
        place = self._place(item_id)
        item, timing = place.entry.item, place.entry.timing
        if timing is None or seconds >= timing.seconds:
            return
        timing.cut(seconds)
        self._keep(place.block, place.entries)
        heard = Message(Role.ASSISTANT, (AudioPart(timing.text),))
        self.replace(replace(item, content=heard, status=ItemStatus.INCOMPLETE))

    def _find(self, item_id: str) -> _Place | None:
        for block in reversed(range(len(self._packed) + 1)):
            if block == len(self._packed) or self._packed[block].may_hold(item_id):
                entries = self._entries(block)
                for position in reversed(range(len(entries))):
                    if entries[position].item.id == item_id:
                        return _Place(block, entries, position)
        return None

    def _place(self, item_id: str) -> _Place:
        """Return where an item is. Raises `KeyError` if there is none."""
        if (place := self._find(item_id)) is None:
            raise KeyError(item_id)
        return place

    def _entries(self, block: int) -> list[_Entry]:
        """Return the entries of a block, to be changed and given to `_keep`."""
        return self._packed[block].unpack() if block < len(self._packed) else self._recent

    def _keep(self, block: int, entries: list[_Entry]) -> None:
        """Keep the entries of a block as they are now, in more or fewer blocks if need be."""
        if block < len(self._packed):
            length = BLOCK_ITEMS if len(entries) >= 2 * BLOCK_ITEMS else 2 * BLOCK_ITEMS
            parts = (entries[start : start + length] for start in range(0, len(entries), length))
            self._packed[block : block + 1] = map(_pack, parts)
        elif len(entries) >= 2 * BLOCK_ITEMS:
            self._packed.append(_pack(entries[:BLOCK_ITEMS]))
            del entries[:BLOCK_ITEMS]

    def _insert_at(self, block: int, entries: list[_Entry], position: int, item: Item) -> None:
        """Insert an item among the entries of a block."""
        entries.insert(position, _Entry(item))
        self._characters += _characters(item)
        self._keep(block, entries)
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        length = len(self)
        while length > MAX_ITEMS or self._characters > MAX_CHARACTERS:
            oldest = self._entries(0)
            while oldest and (length > MAX_ITEMS or self._characters > MAX_CHARACTERS):
                self._characters -= _characters(oldest.pop(0).item)
                length -= 1
            self._keep(0, oldest)


def _pack(entries: Sequence[_Entry]) -> PackedBlock[_Entry]:
    return PackedBlock.of(entries, (entry.item.id for entry in entries))


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
