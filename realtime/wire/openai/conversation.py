"""The items of one conversation in the OpenAI Realtime dialect, in order.

The session creates the items of spoken turns and responses; clients create, delete, retrieve and truncate others. All
of them are ordered here, so that `previous_item_id` always names the actual predecessor.
"""

from typing import Final, assert_never

from realtime.wire.codec import Frames
from realtime.wire.openai.client_events import CreateItem, DeleteItem, ItemRequest, RetrieveItem, TruncateItem
from realtime.wire.openai.frames import FrameWriter
from realtime.wire.openai.items import Item, created_item, text_to_speak

ROOT: Final = "root"
"""Value of `previous_item_id` that inserts an item before all others."""

MAX_ITEMS: Final = 1000
"""Items of a conversation; when there are more, the oldest are dropped."""

_UNKNOWN_ITEM: Final[dict[type, str]] = {
    DeleteItem: "item_delete_invalid_item_id",
    RetrieveItem: "item_retrieve_invalid_item_id",
    TruncateItem: "item_truncate_invalid_item_id",
}
"""Error code of each request for an item that does not exist."""


class Conversation:
    """Items in conversation order, and which of them a `response.create` without text speaks."""

    def __init__(self, writer: FrameWriter, max_input_characters: int) -> None:
        """Limit the text of an item that a client creates to `max_input_characters`."""
        self.id = writer.new_id("conv")
        self._writer = writer
        self._max_input_characters = max_input_characters
        self._items: list[Item] = []
        self._unspoken_id: str | None = None

    def append(self, item: Item) -> str | None:
        """Append an item and return the id of its predecessor."""
        return self._insert_at(len(self._items), item)

    def insert(self, item: Item, after: str | None) -> str | None:
        """Insert an item after another, `ROOT` or None (the end); return the id of its predecessor.

        Raises `KeyError` if there is no item `after`.
        """
        if after is None:
            return self.append(item)
        return self._insert_at(0 if after == ROOT else self._position(after) + 1, item)

    def replace(self, item: Item) -> None:
        """Replace the item of the same id, unless it has been deleted."""
        if item["id"] in self:
            self._items[self._position(item["id"])] = item

    def __contains__(self, item_id: str) -> bool:
        return any(item["id"] == item_id for item in self._items)

    def __getitem__(self, item_id: str) -> Item:
        return self._items[self._position(item_id)]

    @property
    def unspoken(self) -> str:
        """Text of the item that the client created last; empty once it has been spoken or deleted."""
        if self._unspoken_id is None or self._unspoken_id not in self:
            return ""
        return text_to_speak(self[self._unspoken_id])

    def mark_spoken(self) -> None:
        """Note that a response has started: the items created so far are not spoken again."""
        self._unspoken_id = None

    def answer(self, request: ItemRequest) -> Frames:
        """Carry out a request about items and return the messages that answer it."""
        match request:
            case CreateItem():
                return self._created(request)
            case DeleteItem(item_id=item_id) if item_id in self:
                del self._items[self._position(item_id)]
                return [self._writer.event("conversation.item.deleted", item_id=item_id)]
            case RetrieveItem(item_id=item_id) if item_id in self:
                return [self._writer.event("conversation.item.retrieved", item=self[item_id])]
            case TruncateItem(item_id=item_id) if item_id in self:
                return [self._truncated(request)]
            case DeleteItem() | RetrieveItem() | TruncateItem():
                code = _UNKNOWN_ITEM[type(request)]
                message = f"Item '{request.item_id}' does not exist."
                return [self._writer.refusal(code, message, param="item_id", request_id=request.event_id)]
            case _:
                assert_never(request)

    def _created(self, request: CreateItem) -> Frames:
        if request.item.characters > self._max_input_characters:
            message = f"The item has more than {self._max_input_characters} characters of text."
            return [self._writer.refusal("invalid_value", message, param="item.content", request_id=request.event_id)]
        item_id = request.item.id or self._writer.new_id("item")
        if item_id in self:
            message = f"Item '{item_id}' already exists."
            code = "item_create_duplicate_item_id"
            return [self._writer.refusal(code, message, param="item.id", request_id=request.event_id)]
        item = created_item(request.item, item_id)
        try:
            previous = self.insert(item, request.previous_item_id)
        except KeyError:
            message = f"Item '{request.previous_item_id}' does not exist, so no item can follow it."
            code = "item_create_invalid_previous_item_id"
            return [self._writer.refusal(code, message, param="previous_item_id", request_id=request.event_id)]
        self._unspoken_id = item_id
        return [
            self._writer.event("conversation.item.added", previous_item_id=previous, item=item),
            self._writer.event("conversation.item.done", previous_item_id=previous, item=item),
        ]

    def _truncated(self, request: TruncateItem) -> str:
        """Confirm a truncation; clients send it even after the audio has ended, so no position is an error."""
        if self[request.item_id].get("role") != "assistant":
            message = "Only model output audio messages can be truncated."
            return self._writer.refusal("invalid_value", message, param="item_id", request_id=request.event_id)
        return self._writer.event(
            "conversation.item.truncated",
            item_id=request.item_id,
            content_index=request.content_index,
            audio_end_ms=request.audio_end_ms,
        )

    def _insert_at(self, position: int, item: Item) -> str | None:
        previous_item_id: str | None = self._items[position - 1]["id"] if position else None
        self._items.insert(position, item)
        del self._items[:-MAX_ITEMS]
        return previous_item_id

    def _position(self, item_id: str) -> int:
        for position in reversed(range(len(self._items))):
            if self._items[position]["id"] == item_id:
                return position
        raise KeyError(item_id)
