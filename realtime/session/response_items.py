"""The items of one response: messages and tool calls, one after the other, in the conversation or outside of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from realtime.session.conversation import Conversation, Item, ItemContent, ItemStatus
from realtime.session.response_events import Response, ResponseItemAdded, ResponseItemFinished


@dataclass(frozen=True, slots=True)
class OpenItem:
    """The item that the client is being sent, and its place in the response and in the conversation."""

    id: str
    index: int
    previous_id: str | None


class ResponseItems:
    """Adds and finishes the items of a response; `conversation` is None for a response outside of it."""

    def __init__(self, response: Response, conversation: Conversation | None, new_id: Callable[[str], str]) -> None:
        self.open: OpenItem | None = None
        self.finished: list[Item] = []
        self._response = response
        self._conversation = conversation
        self._new_id = new_id

    @property
    def current(self) -> OpenItem:
        """The open item, where there must be one."""
        assert self.open is not None
        return self.open

    def begin(self, content: ItemContent) -> Iterator[ResponseItemAdded]:
        """Begin an item that has no text or no arguments yet."""
        item = Item(self._new_id("item"), content, ItemStatus.IN_PROGRESS)
        previous = None
        if self._conversation is not None:
            self._conversation.append(item)
            previous = self._conversation.predecessor(item.id)
        self.open = OpenItem(item.id, len(self.finished), previous)
        yield ResponseItemAdded(self._response, self.open.index, item, previous)

    def finish(self, content: ItemContent, status: ItemStatus) -> Iterator[ResponseItemFinished]:
        """Finish the open item with all its content."""
        begun, self.open = self.current, None
        item = Item(begun.id, content, status)
        self.finished.append(item)
        if self._conversation is not None:
            self._conversation.replace(item)
        yield ResponseItemFinished(self._response, begun.index, item, begun.previous_id)
