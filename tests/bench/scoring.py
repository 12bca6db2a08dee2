"""Word lags from what a screen showed: pure functions, without clock or socket.

All times are seconds since a stream began. Text is compared as plain words: lower case, apostrophes dropped, every
other mark a space, numbers as they are written.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, takewhile
from typing import Final

import jiwer

from clients.events import Completed, Delta, Event, Partial, SpeechStopped

EARLY: Final = 0.5
"""Seconds by which the reference time of a word may be wrong; a word displayed earlier than that is another one."""

OPENING: Final = 6
"""Words at the beginning of an utterance: the display of any of them counts as its first partial."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One plain word that is really said, from `start` to `end`, in utterance number `utterance` of its stream."""

    text: str
    start: float
    end: float
    utterance: int = 0

    def moved(self, seconds: float, utterance: int = 0) -> "SpokenWord":
        return SpokenWord(self.text, self.start + seconds, self.end + seconds, utterance)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands on the screen from `at` on: text that is called final, then text that may still change."""

    at: float
    committed: str
    tentative: str


@dataclass(frozen=True, slots=True)
class StreamScore:
    """How one stream was captioned.

    The lags are those of the words that were recognised, by their index among the spoken words. A word is due when the
    chunk with its end would have left a microphone. `commit_lags` end when it stands in the committed text,
    `settled_lags` when it stands on the screen, committed or not, each for good. `first_partials` go from the onset of
    an utterance to the first sight of one of its opening words.
    """

    transcript: str
    commit_lags: dict[int, float]
    settled_lags: dict[int, float]
    first_partials: list[float]


def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of `text` as they are compared."""
    return tuple(re.findall(r"[^\W_]+", re.sub(r"['’‘`]", "", text.lower())))


def frames(events: Iterable[tuple[float, Event]]) -> Iterator[Frame]:
    """Yield what a reader sees after each event that changes it; a delta replaces the tentative text of its item."""
    committed: dict[str, str] = {}
    tentative: dict[str, str] = {}
    for at, event in events:
        match event:
            case Delta(item_id=item, text=text):
                committed[item] = committed.get(item, "") + text
                tentative.pop(item, None)
            case Completed(item_id=item, text=text):
                committed[item] = text
                tentative.pop(item, None)
            case Partial(item_id=item, tentative=text):
                committed.setdefault(item, "")
                tentative[item] = text
            case _:
                continue
        yield Frame(at, " ".join(committed.values()), " ".join(tentative.values()))


class Standing:
    """The words of a text that changes, and since when each has stood in it."""

    def __init__(self) -> None:
        self.words: tuple[str, ...] = ()
        self.since: list[float] = []

    def show(self, at: float, words: tuple[str, ...]) -> None:
        """From `at` on the text is `words`: those that it shares with the text before keep their time."""
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self.words, words, strict=False)))
        since = self.since[:same] + [at] * (len(words) - same)
        changes = SequenceMatcher(None, self.words[same:], words[same:], autojunk=False)
        for before, now, length in changes.get_matching_blocks():
            since[same + now : same + now + length] = self.since[same + before : same + before + length]
        self.words, self.since = words, since


def recognised(
    spoken: Sequence[str], due: Sequence[float], shown: Sequence[str], since: Sequence[float]
) -> dict[int, int]:
    """Which spoken words were recognised, and where each is shown.

    These are the equal pairs on a path of the fewest edits from one text to the other. A word shown more than `EARLY`
    seconds before it was due is not equal to any; among paths of the same length the later of two equal words counts.
    """

    def differ(word: int, place: int) -> bool:
        return spoken[word] != shown[place] or since[place] < due[word] - EARLY

    edits = [list(range(len(shown) + 1))]  # edits[word][place]: between the first `word` and `place` words of each
    for word in range(len(spoken)):
        row = [word + 1]
        for place, above in enumerate(edits[word][:-1]):
            row.append(min(above + differ(word, place), edits[word][place + 1] + 1, row[place] + 1))
        edits.append(row)

    pairs: dict[int, int] = {}
    word, place = len(spoken), len(shown)
    while word and place:
        different = differ(word - 1, place - 1)
        if edits[word][place] == edits[word - 1][place - 1] + different:
            word, place = word - 1, place - 1
            if not different:
                pairs[word] = place
        elif edits[word][place] == edits[word - 1][place] + 1:
            word -= 1
        else:
            place -= 1
    return dict(sorted(pairs.items()))


def due(position: float, chunk_seconds: float) -> float:
    """Return when the chunk that contains `position` is sent: once its last sample has been recorded."""
    return math.ceil(position / chunk_seconds - 1e-6) * chunk_seconds


def utterances(words: Sequence[SpokenWord]) -> list[list[int]]:
    """Return the indexes of the words of each utterance."""
    return [list(group) for _, group in groupby(range(len(words)), key=lambda index: words[index].utterance)]


def score(words: Sequence[SpokenWord], screen: Sequence[Frame], chunk_seconds: float) -> StreamScore:
    """Compare what was said with what stood on the screen."""
    spoken = [word.text for word in words]
    ends = [due(word.end, chunk_seconds) for word in words]
    committed, visible = Standing(), Standing()
    seen: list[tuple[float, tuple[str, ...]]] = []
    for frame in screen:
        final = plain_words(frame.committed)
        seen.append((frame.at, final + plain_words(frame.tentative)))
        committed.show(frame.at, final)
        visible.show(*seen[-1])
    places = recognised(spoken, ends, committed.words, committed.since)
    settled = recognised(spoken, ends, visible.words, visible.since)
    return StreamScore(
        transcript=" ".join(committed.words),
        commit_lags={word: committed.since[place] - ends[word] for word, place in places.items()},
        settled_lags={word: visible.since[place] - ends[word] for word, place in settled.items()},
        first_partials=list(_first_partials(words, places, seen, chunk_seconds)),
    )


def _first_partials(
    words: Sequence[SpokenWord],
    places: dict[int, int],
    seen: Sequence[tuple[float, tuple[str, ...]]],
    chunk_seconds: float,
) -> Iterator[float]:
    """Yield, for each utterance that appeared, the seconds from its onset to the display of an opening word."""
    earlier = 0  # words on the screen that belong to the utterances before
    for utterance in utterances(words):
        onset = due(words[utterance[0]].start, chunk_seconds)
        opening = {words[index].text for index in utterance[:OPENING]}
        sights = (at for at, shown in seen if at >= onset and not opening.isdisjoint(shown[earlier:]))
        if (first := next(sights, None)) is not None:
            yield first - onset
        earlier = max([earlier, *(places[index] + 1 for index in utterance if index in places)])


def final_seconds(events: Iterable[tuple[float, Event]]) -> list[float]:
    """Return the seconds from each `speech_stopped` to the final text of its utterance."""
    stopped, delays = {}, []
    for at, event in events:
        if isinstance(event, SpeechStopped):
            stopped[event.item_id] = at
        elif isinstance(event, Completed) and event.item_id in stopped:
            delays.append(at - stopped[event.item_id])
    return delays


def word_error_rate(texts: Sequence[str], transcripts: Sequence[str]) -> float:
    """Return the word error rate over all texts together; 1 if there are none."""
    if not texts:
        return 1.0
    reference, hypothesis = ([" ".join(plain_words(text)) for text in side] for side in (texts, transcripts))
    return float(jiwer.wer(reference, hypothesis))


def percentile(values: Iterable[float], share: float) -> float | None:
    """Return the smallest value that a `share` of the values do not exceed; None without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
