"""What the caller has heard, by the marks that Twilio returns.

A mark follows every chunk of speech, and Twilio returns it when the chunk has been played. So what an interrupted
answer keeps is exact to a chunk, whatever the delay of the telephone network.
"""

from collections import deque
from typing import Final, NamedTuple

MAX_MARKS: Final = 512
"""Marks that may be outstanding, more than the 3 s of speech that are sent ahead can have. Of more, which only a peer
that returns none can have, the oldest are forgotten."""


class Heard(NamedTuple):
    """The part of a spoken item that was played."""

    item_id: str
    milliseconds: int


class Playback:
    """Speech that was sent and may not have been played yet."""

    def __init__(self) -> None:
        self._marks: deque[tuple[str, Heard]] = deque(maxlen=MAX_MARKS)
        """Outstanding marks in order: the name of each, and what has been heard when it comes back."""
        self._heard: Heard | None = None
        """What the newest mark that came back said; None as long as none has come back."""

    @property
    def playing(self) -> bool:
        """Whether speech was sent that has not been played as far as is known."""
        return bool(self._marks)

    def add(self, item_id: str, end_ms: int) -> str:
        """Note speech of an item, which ends `end_ms` milliseconds after its beginning; return the mark after it."""
        name = f"{item_id}:{end_ms}"
        self._marks.append((name, Heard(item_id, end_ms)))
        return name

    def reached(self, name: str) -> None:
        """Take a mark that came back; one that is not outstanding says nothing."""
        names = [mark for mark, _ in self._marks]
        if name in names:
            for _ in range(names.index(name) + 1):
                _, self._heard = self._marks.popleft()

    def clear(self) -> list[Heard]:
        """Forget what is being played, and return what was heard of each item of it.

        As long as no mark has ever come back, nothing is known.
        """
        items = dict.fromkeys(heard.item_id for _, heard in self._marks)
        self._marks.clear()
        if self._heard is None:
            return []
        item_id, milliseconds = self._heard
        return [Heard(each, milliseconds if each == item_id else 0) for each in items]
