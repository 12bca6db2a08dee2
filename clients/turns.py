"""The turns of one audio over several sessions: no word of them is lost or given twice.

A session that replaces a lost one is sent the audio of unfinished turns again, and transcribes it from its beginning.
Text that was committed before stays, and only what follows it is passed on, under the same item. The two transcripts
are aligned by their words, because the second may differ a little from the first.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import pairwise, takewhile
from typing import Final

from clients.events import Committed, Completed, Delta, Event, Failed, Partial, SpeechStarted, SpeechStopped, Word

_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
"""Characters of scripts without spaces: Thai, Lao, Burmese, Khmer, Chinese and Japanese. Each counts as a word."""

WORDS: Final = re.compile(rf"\s*(?:[{_UNSPACED}]|[^\s{_UNSPACED}]+)")
"""A word with the space before it."""

_LARGEST_SHIFT: Final = 3
"""Words by which the second transcript may be longer up to a common word; more is a chance match of short words."""


@dataclass(slots=True, eq=False)
class _Turn:
    """A turn without its final transcript; `start` and `end` are seconds of the whole audio.

    `deltas` are its committed text, each with the position of the newest audio at that time. It `repeats` turns of lost
    sessions until it says more than they did; meanwhile its text is `repeated`.
    """

    item_id: str
    start: float
    end: float | None = None
    committed: bool = False
    deltas: list[tuple[float, str]] = field(default_factory=list)
    repeats: list["_Turn"] = field(default_factory=list)
    repeated: str = ""

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.deltas)

    def begins_before(self, base: float) -> bool:
        """Return whether a session whose audio begins at `base` was not sent its beginning."""
        return round(base - self.start, 3) > 0

    def own(self, words: Iterable[Word], base: float, until: float = math.inf) -> tuple[Word, ...]:
        """Return those of a session's words that are its own; none if that session does not have all of them."""
        return () if self.begins_before(base) else tuple(each for each in words if self.start <= each.start < until)

    def over(self, words: tuple[Word, ...] = ()) -> Completed:
        """Return its end with the text that it has."""
        return Completed(self.item_id, self.text.strip(), words, start=self.start, end=self.end)

    def words_after(self, position: float) -> list[str]:
        """Return the words that were committed when the audio had reached a position; the others end before it."""
        late = "".join(text for reached, text in self.deltas if reached >= position or self.start >= position)
        return WORDS.findall(late)


class Turns:
    """Turns in progress. `answered` is the position in seconds before which everything has its transcript."""

    def __init__(self) -> None:
        self.answered = 0.0
        self._base = 0.0
        self._reached = 0.0
        self._turns: dict[str, _Turn] = {}
        self._left: list[_Turn] = []  # of lost sessions, in order

    @property
    def are_complete(self) -> bool:
        """Whether every turn of this session has its transcript."""
        return not self._turns

    def restart(self, base: float) -> float:
        """Begin another session, whose audio begins at `base`; return how many seconds of a turn are missing."""
        self._left = self._unfinished()
        self._turns.clear()
        self._base = self._reached = base
        return max(0.0, base - self._left[0].start) if self._left else 0.0

    def settle(self) -> list[Event]:
        """End all turns with the text that they have."""
        over: list[Event] = [turn.over() for turn in self._unfinished()]
        self._left.clear()
        self._turns.clear()
        return over

    def receive(self, event: Event) -> list[Event]:
        """Take an event of this session; return what it says in terms of the whole audio."""
        match event:
            case SpeechStarted(item_id=item, audio_start_ms=start_ms):
                return self._start(event, item, self._base + start_ms / 1000)
            case (
                SpeechStopped(item_id=item)
                | Committed(item_id=item)
                | Delta(item_id=item)
                | Partial(item_id=item)
                | Completed(item_id=item)
                | Failed(item_id=item)
            ):
                # One that was committed by hand has no other beginning than the end of those before.
                turn = self._turns.setdefault(item, _Turn(item, self.answered))
                return self._continue(event, item, turn)
            case _:
                return [event]

    def _start(self, event: SpeechStarted, item: str, start: float) -> list[Event]:
        over: list[Event] = []
        while self._left and (end := self._left[0].end) is not None and end <= start:
            turn = self._left.pop(0)  # nothing was found in its audio this time
            over.append(turn.over())
        turn = self._turns[item] = _Turn(item, start)
        if not self._left:
            return [*over, replace(event, audio_start_ms=round(start * 1000))]
        first = self._left.pop(0)
        turn.repeats = [first]
        turn.item_id, turn.end, turn.committed = first.item_id, first.end, first.committed
        return over

    def _continue(self, event: Event, item: str, turn: _Turn) -> list[Event]:
        match event:
            case SpeechStopped(audio_end_ms=end_ms):
                known, turn.end = turn.end is not None, self._base + end_ms / 1000
                return [] if known else [SpeechStopped(turn.item_id, round(turn.end * 1000), raw=event.raw)]
            case Committed():
                known, turn.committed = turn.committed, True
                return [] if known else [replace(event, item_id=turn.item_id)]
            case Delta(text=text) if not turn.repeats:
                turn.deltas.append((self._reached, text))
                return [replace(event, item_id=turn.item_id)]
            case Delta(text=text):
                turn.repeated += text
                return self._release(turn, final=False)
            case Partial(audio_end_ms=end_ms):
                self._reached = self._base + end_ms / 1000
                if turn.repeats:
                    return []  # what is shown already is more
                return [replace(event, item_id=turn.item_id, audio_end_ms=round(self._reached * 1000))]
            case Completed():
                return self._complete(event, item, turn)
            case _:
                over = self._release(turn, final=True)
                self._end(item, turn)
                return [*over, replace(event, item_id=turn.item_id)]  # type: ignore[call-arg]

    def _complete(self, event: Completed, item: str, turn: _Turn) -> list[Event]:
        words = tuple(replace(word, start=word.start + self._base, end=word.end + self._base) for word in event.words)
        over = self._release(turn, final=True, words=words)
        self._end(item, turn)
        text = event.text if turn.item_id == item else turn.text.strip()
        if len(over) > 1 or turn.begins_before(self._base):
            words = turn.own(words, self._base)
        return [*over, replace(event, item_id=turn.item_id, text=text, words=words, start=turn.start, end=turn.end)]

    def _end(self, item: str, turn: _Turn) -> None:
        del self._turns[item]
        pending = [each.start for each in self._unfinished()]
        self.answered = min([max(self.answered, turn.end or 0.0), *pending])

    def _release(self, turn: _Turn, *, final: bool, words: tuple[Word, ...] = ()) -> list[Event]:
        """Compare a repeated turn with the text of those that it repeats, when it ends or says more than they did.

        Afterwards it is the last of them: its text is what that had, and what follows.
        """
        if not turn.repeats:
            return []
        while final and self._left and turn.end is not None and self._left[0].start < turn.end:
            turn.repeats.append(self._left.pop(0))
        before = [word for each in turn.repeats for word in each.words_after(self._base)]
        after = WORDS.findall(turn.repeated)
        if not final and (self._left or len(after) <= len(before)):
            return []
        over: list[Event] = []
        for each, following in pairwise(turn.repeats):
            over.append(each.over(each.own(words, self._base, following.start)))
        last, turn.repeats = turn.repeats[-1], []
        turn.item_id, turn.start, turn.deltas = last.item_id, last.start, last.deltas
        repeated = overlap(before, after)
        if addition := _mark_after(before, after[:repeated]) + "".join(after[repeated:]):
            turn.deltas.append((self._reached, addition))
            over.append(Delta(turn.item_id, addition))
        return over

    def _unfinished(self) -> list[_Turn]:
        """Return the turns of which the program knows, without those that repeat them."""
        turns = [*self._left]
        for turn in self._turns.values():
            turns += turn.repeats or [turn]
        return sorted(turns, key=lambda turn: turn.start)


def overlap(before: list[str], after: list[str]) -> int:
    """Return how many words at the beginning of `after` repeat the words of `before`, or the last of them."""
    matcher = SequenceMatcher(None, list(_keys(before)), list(_keys(after)), autojunk=False)
    for block in reversed(matcher.get_matching_blocks()):
        if block.size and block.b - block.a <= _LARGEST_SHIFT:
            return min(len(after), block.b + block.size + len(before) - (block.a + block.size))
    return min(len(before), len(after))


def _mark_after(before: list[str], repeated: list[str]) -> str:
    """Return the punctuation that the last word of `before` has the second time only.

    A session commits it after the word itself, so that a session that is lost in between has not committed it.
    """
    if not before or not repeated:
        return ""
    [first, second] = _keys([before[-1], repeated[-1]])
    return "" if first != second or _mark(before[-1]) else _mark(repeated[-1])


def _mark(word: str) -> str:
    """Return the punctuation at the end of a word. Signs of vowels, as in Hindi, are none."""
    size = sum(1 for _ in takewhile(lambda each: unicodedata.category(each)[0] in "PS", reversed(word)))
    return word[len(word) - size :]


def _keys(words: list[str]) -> Iterator[str]:
    """Yield words without case and punctuation, which differ most easily."""
    for word in words:
        yield "".join(each for each in word.casefold() if each.isalnum()) or word.strip()
