"""LocalAgreement: which words of successive hypotheses to commit, and which audio not to decode again.

A word is committed when it is likely to stay, as well as all words before it (`realtime.speech.stability`). Where that
is not known, the policy is that of Macháček, Dabre and Bojar, "Turning Whisper into Real-Time Transcription System"
(2023): a word is committed once successive hypotheses agree on it. Whisper repeats the same mistake within the next
quarter of a second, so the hypotheses that agree must end some time apart, and all in between must agree too. But
Whisper mostly revises the end of its text: two successive hypotheses are enough for a word that at least
`LETTERS_BEHIND` letters follow in both. Otherwise one that it writes in two ways by turns would hold up all words
behind it. In a pause, where no word is cut off, two successive hypotheses are enough for all words.

A *draft* of a smaller model, which is faster and less accurate, may confirm words as well: two models that say the same
are right more often than one that says it twice. It is never committed itself.

Committed text is append-only: what `update` and `finish` return concatenates to the transcript, even where a later
hypothesis differs. Audio of committed words can be left out of later partials (`leave_out`), and trimmed from the
segment, so that its final does not have them either (`trim`). Some of those words stay in the audio, because word times
are not exact; later hypotheses begin with them, and they are recognized by edit distance.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.certainty import CERTAIN, MIN_SPAN, Certainty
from realtime.speech.punctuation import SENTENCE_ENDS
from realtime.speech.sentence_case import begins_sentence, capitalised
from realtime.speech.stability import stable_length
from realtime.speech.transcript import Word, mostly_repeats, normalised
from realtime.speech.word_alignment import align_words

LETTERS_BEHIND: Final = 15
"""Letters behind a word, about a second of speech, from which one hypothesis may confirm the word in the next one.

Of 1,113 words of `whisper-tiny.en`, 22 were committed more than 1.8 s late without this rule and 4 with it, 3 with 12
letters and 7 with 18. 37 committed words differed from the final without it, 38 with any of these, and 39 with 6 or 9.
"""

TRAILING_PUNCTUATION: Final = ".,!?;:…。，、！？：；\"'”’)]}」』）-–— "
"""Punctuation that may follow a word."""

CUT_RANGE: Final = SAMPLE_RATE
"""Samples (1 s) before the latest possible cut in which `leave_out` looks for a better one."""

MAX_MISSING: Final = 0.2
"""Share of the committed words that a hypothesis may lack for audio to be left out by its times.

One that has a repeated sentence only once lacks 0.33 or more. Its times belong to the last repetition, and words whose
audio is decoded again would count as left out.
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """A hypothesis of a smaller model than the one whose words are committed."""

    words: tuple[Word, ...]
    end: int
    """End of its audio."""
    first: int
    """Number of committed words before its audio: `LocalAgreement.left_out` when that was decoded."""


class LocalAgreement:
    """Commits the words of one segment from its successive hypotheses.

    Words are compared without case and punctuation, numbers in whatever way they are written. Punctuation after the
    newest committed word is not returned until the next word is committed, since punctuation at the end of the audio is
    a guess.
    """

    def __init__(self) -> None:
        self.committed: list[Word] = []
        """All committed words; times are final for words whose audio was trimmed."""
        self.tentative: tuple[Word, ...] = ()
        """The words of the newest hypothesis that are not committed."""
        self.erased = 0
        """Number of tentative words that a later hypothesis changed or removed."""
        self._trimmed = 0
        """Number of committed words whose audio was trimmed."""
        self.left_out = 0
        """Number of committed words before the audio that partials decode."""
        self._pending_punctuation = ""
        """Punctuation of committed words that was not returned yet."""
        self._tails: deque[tuple[int, tuple[Word, ...]]] = deque()
        """Recent hypotheses without their committed words, each with the end of its audio."""

    @property
    def trimmed(self) -> Sequence[Word]:
        """The committed words whose audio was trimmed."""
        return self.committed[: self._trimmed]

    @property
    def untrimmed(self) -> Sequence[Word]:
        """The committed words whose audio is still decoded."""
        return self.committed[self._trimmed :]

    @property
    def confirmed_until(self) -> int:
        """End of the audio of the oldest hypothesis that has the newest committed words; 0 without any."""
        return self._tails[0][0] if self.committed and self._tails else 0

    def update(
        self, words: Sequence[Word], end: int, certainty: Certainty = CERTAIN, *, partial: bool = False,
        pausing: bool = False,
    ) -> str:  # fmt: skip
        """Take the next hypothesis, of the untrimmed audio up to `end`; return the newly committed text.

        `certainty` is what is asked of words. `partial` says that the hypothesis is of the audio that partials decode,
        where that begins later; `pausing` that its audio ends in a pause and not within a word. Of a text that mostly
        repeats a phrase, no word is committed because it is likely to stay.
        """
        first = self.left_out if partial else self._trimmed
        places, tail = self._realign(words, first)
        if any(word.end > 0 for word in words):
            self._time(places, words, first)
        self.erased += len(self.tentative) - agreed_length(self.tentative, tail)
        while len(self._tails) > 1 and self._tails[1][0] <= end - max(certainty.age, certainty.span):
            self._tails.popleft()
        ages = ages_of(tail, end, self._tails)
        span = 0 if pausing else certainty.span
        confirmed = sum(age >= span for age in ages)
        if certainty.span <= MIN_SPAN and self._tails and end - self._tails[0][0] >= span:
            newest = self._tails[-1][1]
            confirmed = max(confirmed, min(len(ages), _settled_length(tail), _settled_length(newest)))
        if mostly_repeats(words) or mostly_repeats(tail):
            certainty = replace(certainty, probability=1.0)
        agreed = confirmed if pausing else 0
        agreed = max(agreed, stable_length(tail, ages, certainty, confirmed))
        self._tails.append((end, tail))
        return self._take(tail, agreed)

    def confirm(self, draft: Draft, span: int = MIN_SPAN) -> str:
        """Let a draft confirm words of the newest hypothesis; return the newly committed text.

        What both have said is committed, as the hypothesis has it, if its audio ended `span` samples earlier.
        """
        if not self._tails or draft.end < self._tails[-1][0] + span:
            return ""
        _, tail = align_words(self.committed[draft.first :], draft.words)
        if not (agreed := agreed_length(self.tentative, tail)):
            return ""
        return self._take(self.tentative, agreed)

    def _take(self, tail: Sequence[Word], agreed: int) -> str:
        """Commit the first `agreed` words of the newest hypothesis; return the newly committed text.

        `tail` are its words that have not been committed.
        """
        # What an older hypothesis has instead of committed words says nothing of those behind them.
        self._tails = deque((at, older[agreed:]) for at, older in self._tails if agreed_length(tail, older) >= agreed)
        self.tentative = tuple(tail[agreed:])
        return self._commit(tail[:agreed], hold=True) if agreed else ""

    def continued(self, draft: Draft) -> tuple[Word, ...]:
        """Return the tentative words with those that a draft has heard after them.

        The last word of the newest hypothesis is left to the draft: its audio may have ended within it. After a mark of
        the hypothesis that ends a sentence, the draft goes on with a capital letter.
        """
        if self._tails and draft.end <= self._tails[-1][0]:
            return self.tentative
        kept = self.tentative[:-1]
        _, tail = align_words((*self.committed[draft.first :], *kept), draft.words)
        before = "".join(word.text for word in (*self.committed, *kept)[-2:])
        return (*kept, *(capitalised(tail) if before and begins_sentence(before) else tail))

    def finish(self, words: Sequence[Word]) -> str:
        """Take the final hypothesis and commit all its words; return the text not yet returned.

        Words committed before keep their text, and take the times and probabilities they have in `words`.
        """
        places, tail = self._realign(words, self._trimmed)
        self._time(places, words, self._trimmed)
        self.erased += len(self.tentative) - agreed_length(self.tentative, tail)
        self.tentative = ()
        return self._commit(tail, hold=False)

    def leave_out(self, words: Sequence[Word], before: int) -> tuple[int, int] | None:
        """Leave committed words out of the audio that partials decode, by the times in `words`, the partial last taken.

        Return the gap in which to cut: the end of one word and the start of the next, which is at most `before`. A gap
        between sentences is preferred, else the widest. Return None if there is no gap to cut in, or if too many of
        the committed words are missing.
        """
        places, _ = align_words(self.committed[self.left_out :], words)
        if places.count(None) > MAX_MISSING * len(places):
            return None
        cuts: list[tuple[bool, int, int]] = []
        for index in range(len(places) - 1, 0, -1):
            place, previous = places[index], places[index - 1]
            if place is None or previous is None or place != previous + 1:
                break
            gap = previous + 1, words[previous].end, words[place].start
            if before - CUT_RANGE <= gap[2] <= before or (gap[2] <= before and not cuts):
                cuts.append((words[previous].text.rstrip().endswith(SENTENCE_ENDS), gap[2] - gap[1], index))
        if not cuts:
            return None
        *_, index = max(cuts)
        place, previous = places[index], places[index - 1]
        assert place is not None
        assert previous is not None
        self._time(places, words, self.left_out)
        self.left_out += index
        return words[previous].end, words[place].start

    def trim(self) -> None:
        """Take the words that are left out of partials as trimmed."""
        self._trimmed = self.left_out

    def _commit(self, words: Sequence[Word], *, hold: bool) -> str:
        for word in words:
            if word.text.startswith("-") and self.committed:  # the rest of a word with hyphens
                last = self.committed[-1]
                self.committed[-1] = replace(last, text=last.text + word.text, end=max(last.end, word.end))
            else:
                self.committed.append(word)
        text = self._pending_punctuation + "".join(word.text for word in words)
        delta = text.rstrip(TRAILING_PUNCTUATION) if hold else text
        self._pending_punctuation = text[len(delta) :]
        return delta

    def _realign(self, words: Sequence[Word], first: int) -> tuple[list[int | None], tuple[Word, ...]]:
        """Return `align_words` of the committed words from `first` on; update the punctuation of the last one."""
        untrimmed = self.committed[first:]
        places, tail = align_words(untrimmed, words)
        if untrimmed and places[-1] is not None and _same(untrimmed[-1], words[places[-1]]):
            last = untrimmed[-1].text.rstrip(TRAILING_PUNCTUATION)
            now = words[places[-1]].text
            punctuation = now[len(now.rstrip(TRAILING_PUNCTUATION)) :] if last else now
            self._pending_punctuation = (
                self._pending_punctuation.removesuffix(untrimmed[-1].text[len(last) :]) + punctuation
            )  # it may hold other words' too
            self.committed[-1] = replace(untrimmed[-1], text=last + punctuation)
        if tail and tail[0] is not words[-len(tail)]:  # it is the rest of the word that was committed last
            last = untrimmed[-1].text.rstrip(TRAILING_PUNCTUATION)
            self._pending_punctuation = self._pending_punctuation.removesuffix(untrimmed[-1].text[len(last) :])
            self.committed[-1] = replace(untrimmed[-1], text=last)
        return places, tail

    def _time(self, places: Sequence[int | None], words: Sequence[Word], first: int) -> None:
        """Copy times and probabilities from `words` to the committed words from `first` on; missing get no length."""
        end = self.committed[first - 1].end if first else 0
        for index, place in enumerate(places, start=first):
            if place is None:
                word = replace(self.committed[index], start=end, end=end, probability=0.0)
            else:
                aligned = words[place]
                word = replace(
                    self.committed[index], start=aligned.start, end=aligned.end, probability=aligned.probability
                )
            self.committed[index] = word
            end = word.end


def ages_of(words: Sequence[Word], end: int, before: Iterable[tuple[int, Sequence[Word]]]) -> list[int]:
    """Return for how many samples each word, and all in front of it, have been written like that.

    The words are those of a hypothesis of audio up to `end`; `before` are the ones before it, from the oldest on, each
    with the end of its audio. Words that the last of them does not have are new, and missing in what is returned.
    """
    ages: list[int] = []
    for at, older in before:
        agreed = agreed_length(words, older)
        ages = [*ages[:agreed], *[end - at] * (agreed - len(ages))]
    return ages


def agreed_length(one: Sequence[Word], other: Sequence[Word]) -> int:
    """Return the length of the common prefix."""
    agreed = 0
    while agreed < min(len(one), len(other)) and _same(one[agreed], other[agreed]):
        agreed += 1
    return agreed


def _settled_length(words: Sequence[Word]) -> int:
    """Return the number of words that have at least `LETTERS_BEHIND` letters behind them."""
    length, letters = len(words), 0
    while length and letters < LETTERS_BEHIND:
        length -= 1
        letters += len(normalised(words[length].text))
    return length


def _same(one: Word, other: Word) -> bool:
    return normalised(one.text) == normalised(other.text)
