"""The conversation of the OpenAI Realtime dialect as one client sees it.

The session knows only the items it makes itself; clients add, delete and read others. The order kept here is that of
both, so that `previous_item_id` is always the true predecessor.
"""

from typing import Final, assert_never

from realtime.wire.openai.client_events import CreateItem, DeleteItem, ItemRequest, RetrieveItem, TruncateItem
from realtime.wire.openai.frames import Frames, FrameWriter
from realtime.wire.openai.items import Item, created_item, text_to_speak

ROOT: Final = "root"
"""As `previous_item_id`: before all others."""

MAX_ITEMS: Final = 1000
"""Of a longer conversation the oldest items are forgotten."""

_UNKNOWN_ITEM: Final[dict[type, str]] = {
    DeleteItem: "item_delete_invalid_item_id",
    RetrieveItem: "item_retrieve_invalid_item_id",
    TruncateItem: "item_truncate_invalid_item_id",
}


class Conversation:
    """The items in the order in which the client was told of them."""

    def __init__(self, writer: FrameWriter, max_input_characters: int) -> None:
        """Refuse items of clients with more than `max_input_characters` of text."""
        self.id = writer.new_id("conv")
        self._writer = writer
        self._max_input_characters = max_input_characters
        self._items: list[Item] = []
        self._unspoken_id: str | None = None

    def append(self, item: Item) -> str | None:
        """Put an item at the end and return the id of the one before."""
        return self._insert_at(len(self._items), item)

    def insert(self, item: Item, after: str | None) -> str | None:
        """Put an item behind another, `ROOT` or None (the end); return the id of the one before.

        Raises `KeyError` when there is no such item.
        """
        if after is None:
            return self.append(item)
        return self._insert_at(0 if after == ROOT else self._position(after) + 1, item)

    def replace(self, item: Item) -> None:
        """Show an item anew, unless it has been deleted."""
        if item["id"] in self:
            self._items[self._position(item["id"])] = item

    def __contains__(self, item_id: str) -> bool:
        return any(item["id"] == item_id for item in self._items)

    def __getitem__(self, item_id: str) -> Item:
        return self._items[self._position(item_id)]

    @property
    def unspoken(self) -> str:
        """The text to speak of the item the client created last; empty once it has been spoken or deleted."""
        if self._unspoken_id is None or self._unspoken_id not in self:
            return ""
        return text_to_speak(self[self._unspoken_id])

    def mark_spoken(self) -> None:
        """An answer to what the client created so far has begun."""
        self._unspoken_id = None

    def answer(self, request: ItemRequest) -> Frames:
        """Carry out what a client asks for its items."""
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
                message = f"There is no item '{request.item_id}'."
                return [self._writer.refusal(code, message, param="item_id", request_id=request.event_id)]
            case _:
                assert_never(request)

    def _created(self, request: CreateItem) -> Frames:
        if request.item.characters > self._max_input_characters:
            message = f"An item may have {self._max_input_characters} characters of text at most."
            return [self._writer.refusal("invalid_value", message, param="item.content", request_id=request.event_id)]
        item_id = request.item.id or self._writer.new_id("item")
        if item_id in self:
            message = f"An item with the id '{item_id}' exists already."
            code = "item_create_duplicate_item_id"
            return [self._writer.refusal(code, message, param="item.id", request_id=request.event_id)]
        item = created_item(request.item, item_id)
        try:
            previous = self.insert(item, request.previous_item_id)
        except KeyError:
            message = f"There is no item '{request.previous_item_id}' to come after."
            code = "item_create_invalid_previous_item_id"
            return [self._writer.refusal(code, message, param="previous_item_id", request_id=request.event_id)]
        self._unspoken_id = item_id
        return [
            self._writer.event("conversation.item.added", previous_item_id=previous, item=item),
            self._writer.event("conversation.item.done", previous_item_id=previous, item=item),
        ]

    def _truncated(self, request: TruncateItem) -> str:
        """Clients truncate as a matter of course, beyond the end and after it; none of that is an error."""
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
