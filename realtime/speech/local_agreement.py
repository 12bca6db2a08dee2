"""Which words of a growing hypothesis can be trusted, and how far the audio they were heard in can be forgotten.

The policy is LocalAgreement of Macháček, Dabre and Bojar, "Turning Whisper into Real-Time Transcription System" (2023):
a word is committed once successive hypotheses agree on it and on all words before. Whisper repeats the same mistake in
the next quarter of a second, so the hypotheses that agree must lie `MIN_SPAN` apart, and all between must agree too.

Committed text is append-only: what `update` and `finish` return concatenates to the transcript, whatever a later
hypothesis would rather have. The audio of committed words can be forgotten from its beginning (`trim`); a few of them
stay, because word times are not exact: hypotheses of what is left begin with those words, which are found again by
edit distance.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.transcript import Word, normalised

MIN_SPAN: Final = 7 * SAMPLE_RATE // 10
"""Audio that lies at least between the ends of two hypotheses of which one confirms the other."""

TRAILING_PUNCTUATION: Final = ".,!?;:…。，、！？：；\"'”’)]}」』）-–— "
"""Marks that may follow a word."""

SENTENCE_ENDS: Final = ".!?…。！？"

TRIM_RANGE: Final = 2 * SAMPLE_RATE
"""How far before the latest possible place a better one is looked for."""


class LocalAgreement:
    """Follows one passage of speech, hypothesis after hypothesis.

    Words are compared without case and punctuation. A trailing mark of the newest committed word is held back until the
    word after it is committed, since a mark at the edge of the audio is a guess.
    """

    def __init__(self) -> None:
        self.committed: list[Word] = []
        """All committed words; those whose audio was trimmed have their final times."""
        self.tentative: tuple[Word, ...] = ()
        self.erased = 0
        """Tentative words that were taken back."""
        self._trimmed = 0
        self._pending_marks = ""
        self._tails: deque[tuple[int, tuple[Word, ...]]] = deque()

    @property
    def untrimmed(self) -> Sequence[Word]:
        """The committed words that are still in the audio."""
        return self.committed[self._trimmed :]

    @property
    def confirmed_until(self) -> int:
        """Where the audio of the hypothesis ended that confirmed the newest committed words."""
        return self._tails[0][0] if self.committed and self._tails else 0

    def update(self, words: Sequence[Word], end: int, *, pausing: bool = False) -> str:
        """Take a newer hypothesis of the audio that is left, up to `end`; return the text that became certain.

        Where the speaker is `pausing`, no word at the edge is cut off, and the last hypothesis may confirm this one.
        """
        _, known = self._realign(words)
        tail = tuple(words[known:])
        self.erased += len(self.tentative) - _agreed(self.tentative, tail)
        before = end if pausing else end - MIN_SPAN
        while len(self._tails) > 1 and self._tails[1][0] <= before:
            self._tails.popleft()
        agreed = 0
        if self._tails and self._tails[0][0] <= before:
            agreed = min(_agreed(tail, older) for _, older in self._tails)
        self._tails.append((end, tail))
        self._tails = deque((at, older[agreed:]) for at, older in self._tails)
        self.tentative = tail[agreed:]
        return self._commit(tail[:agreed], hold=True) if agreed else ""

    def finish(self, words: Sequence[Word]) -> str:
        """Take the last hypothesis; all it has after the committed words is certain. Return the text not yet given out.

        Committed words take the times and probabilities they have in `words`.
        """
        places, known = self._realign(words)
        self._time(places, words)
        tail = tuple(words[known:])
        self.erased += len(self.tentative) - _agreed(self.tentative, tail)
        self.tentative = ()
        return self._commit(tail, hold=False)

    def trim(self, words: Sequence[Word], before: int) -> tuple[int, int] | None:
        """Forget the audio of early words, by the times they have in `words`, the hypothesis last taken.

        Return between which two positions it is to be cut, the end of one word and the start of the next: where a
        sentence ends, or at the widest gap, up to `before`. None where nothing can be forgotten.
        """
        places, _ = align_words(self.untrimmed, words)
        cuts: list[tuple[bool, int, int]] = []
        for index in range(len(places) - 1, 0, -1):
            place, previous = places[index], places[index - 1]
            if place is None or previous is None or place != previous + 1:
                break
            gap = previous + 1, words[previous].end, words[place].start
            if before - TRIM_RANGE <= gap[2] <= before or (gap[2] <= before and not cuts):
                cuts.append((words[previous].text.rstrip().endswith(tuple(SENTENCE_ENDS)), gap[2] - gap[1], index))
        if not cuts:
            return None
        *_, index = max(cuts)
        place, previous = places[index], places[index - 1]
        assert place is not None
        assert previous is not None
        self._time(places, words)
        self._trimmed += index
        return words[previous].end, words[place].start

    def _commit(self, words: Sequence[Word], *, hold: bool) -> str:
        self.committed += words
        text = self._pending_marks + "".join(word.text for word in words)
        delta = text.rstrip(TRAILING_PUNCTUATION) if hold else text
        self._pending_marks = text[len(delta) :]
        return delta

    def _realign(self, words: Sequence[Word]) -> tuple[list[int | None], int]:
        """Give the last committed word the marks it has now; return the `align_words` of the audible words."""
        untrimmed = self.untrimmed
        places, known = align_words(untrimmed, words)
        if untrimmed and places[-1] is not None and _same(untrimmed[-1], words[places[-1]]):
            last = untrimmed[-1].text.rstrip(TRAILING_PUNCTUATION)
            now = words[places[-1]].text
            marks = now[len(now.rstrip(TRAILING_PUNCTUATION)) :]
            self._pending_marks = (
                self._pending_marks.removesuffix(untrimmed[-1].text[len(last) :]) + marks
            )  # it may hold other words' too
            self.committed[-1] = replace(untrimmed[-1], text=last + marks)
        return places, known

    def _time(self, places: Sequence[int | None], words: Sequence[Word]) -> None:
        """Give audible words the times and probabilities they have in `words`; one that is not there has no length."""
        end = self.committed[self._trimmed - 1].end if self._trimmed else 0
        for index, place in enumerate(places, start=self._trimmed):
            if place is None:
                word = replace(self.committed[index], start=end, end=end, probability=0.0)
            else:
                aligned = words[place]
                word = replace(
                    self.committed[index], start=aligned.start, end=aligned.end, probability=aligned.probability
                )
            self.committed[index] = word
            end = word.end


def align_words(committed: Sequence[Word], words: Sequence[Word]) -> tuple[list[int | None], int]:
    """Which of `words` each committed word is, if any, and how many of `words` say what `committed` says.

    Those are the prefix of `words` with the least edit distance to `committed`, the longer on a tie.
    """
    if len(words) >= len(committed) and all(map(_same, committed, words)):
        return list(range(len(committed))), len(committed)
    newer = [normalised(word.text) for word in words]
    rows = [list(range(len(words) + 1))]
    for row, old in enumerate((normalised(word.text) for word in committed), start=1):
        above, distances = rows[-1], [row]
        for column, new in enumerate(newer):
            distances.append(min(above[column] + (old != new), above[column + 1] + 1, distances[column] + 1))
        rows.append(distances)
    known = column = min(range(len(words) + 1), key=lambda column: (rows[-1][column], -column))
    places: list[int | None] = [None] * len(committed)
    row = len(committed)
    while row and column:
        distance = rows[row][column]
        if distance == rows[row - 1][column - 1] + (not _same(committed[row - 1], words[column - 1])):
            row, column = row - 1, column - 1
            places[row] = column
        elif distance == rows[row - 1][column] + 1:
            row -= 1
        else:
            column -= 1
    return places, known


def _agreed(one: Sequence[Word], other: Sequence[Word]) -> int:
    """How many words both begin with."""
    agreed = 0
    while agreed < min(len(one), len(other)) and _same(one[agreed], other[agreed]):
        agreed += 1
    return agreed


def _same(one: Word, other: Word) -> bool:
    return normalised(one.text) == normalised(other.text)
