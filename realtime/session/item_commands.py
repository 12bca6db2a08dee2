"""What a client does with the items of a conversation."""

from typing import assert_never

from realtime.session.commands import FRONT, CreateItem, DeleteItem, RetrieveItem, TruncateItem
from realtime.session.conversation import Conversation, Item, Message, Role
from realtime.session.events import (
    CommandRefused,
    ItemAdded,
    ItemDeleted,
    ItemRetrieved,
    ItemTruncated,
    RefusalReason,
)


def add_item(command: CreateItem, item_id: str, conversation: Conversation) -> ItemAdded | CommandRefused:
    """Add the item of a client with this id, or refuse it."""
    if item_id in conversation:
        return CommandRefused(RefusalReason.DUPLICATE_ITEM, command, item_id=item_id)
    item = Item(item_id, command.content)
    if command.after is None:
        conversation.append(item)
    elif command.after == FRONT or command.after in conversation:
        conversation.insert(item, command.after or None)
    else:
        return CommandRefused(RefusalReason.UNKNOWN_PREDECESSOR, command, item_id=command.after)
    return ItemAdded(item, conversation.predecessor(item_id))


def change_item(
    command: DeleteItem | RetrieveItem | TruncateItem, conversation: Conversation
) -> ItemDeleted | ItemRetrieved | ItemTruncated | CommandRefused:
    """Delete, show or truncate an item, or refuse to."""
    if command.item_id not in conversation:
        return CommandRefused(RefusalReason.UNKNOWN_ITEM, command, item_id=command.item_id)
    match command:
        case DeleteItem(item_id):
            conversation.delete(item_id)
            return ItemDeleted(item_id)
        case RetrieveItem(item_id):
            return ItemRetrieved(conversation[item_id])
        case TruncateItem(item_id, audio_end_ms, content_index):
            content = conversation[item_id].content
            if not isinstance(content, Message) or content.role is not Role.ASSISTANT:
                return CommandRefused(RefusalReason.NOT_SPOKEN, command, item_id=item_id)
            conversation.truncate(item_id, audio_end_ms / 1000)
            return ItemTruncated(item_id, content_index, audio_end_ms)
        case _:
            assert_never(command)
