"""Captions as subtitles that can be read, SubRip or WebVTT.

The rules are those of the server for recordings (Netflix Timed Text Style Guide, BBC Subtitle Guidelines): two lines of
42 characters, or 16 wide ones; one to seven seconds, and 17 characters a second where the next subtitle leaves the
time; cut in pauses, after sentences and clauses, and not within a name or a number if there is another place.
"""

import html
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise, zip_longest
from typing import Final

from clients.abbreviations import is_abbreviated
from clients.events import Completed, Event
from clients.turns import WORDS

LINE: Final = 42
LINES: Final = 2
SHORTEST, LONGEST = 1.0, 7.0
"""Seconds for which a subtitle is shown."""

CHARACTERS_PER_SECOND: Final = 17
PAUSE: Final = 0.5
"""Seconds of silence at which a subtitle ends. Shorter gaps to the next one are closed, but for `FRAMES`."""

FRAMES: Final = 0.08
"""Seconds of two frames of video, without which the eye does not notice another text."""

_SHORTEST, _LONGEST, _PAUSE, _FRAMES = (round(each * 1000) for each in (SHORTEST, LONGEST, PAUSE, FRAMES))
_WIDE: Final = LINE / 16
_SHORT_WORD: Final = 3
"""Letters of words that seldom end a phrase: articles and prepositions of many languages."""

_AFTER_SENTENCE, _AFTER_CLAUSE, _BETWEEN_WORDS, _AFTER_SHORT_WORD, _WITHIN_NAME = 0.0, 0.3, 1.0, 1.5, 4.0
"""What it costs to end a subtitle or a line somewhere, where another subtitle, or one that is too short, costs 1."""

_SENTENCE_ENDS: Final = tuple(".!?…。！？")
_CLAUSE_ENDS: Final = tuple(",;:、，；：-–—")
_CLOSING: Final = "\"'”’»)]」』"
"""Quotation marks and brackets that may follow the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle; times in seconds."""

    start: float
    end: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    """A word with the space before it; times in milliseconds."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Part:
    """The words of one subtitle, and what it costs to cut after each of them."""

    words: Sequence[_Word]
    cuts: Sequence[float]

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words).strip()


def srt(turns: Iterable[Event]) -> str:
    """Return the turns as SubRip: the events `Completed` of captions, among which there may be others.

    Words without times are shown as if each took the same time of their turn. Raises `TypeError` for anything else.
    """
    return "\n".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n"
        + "".join(f"{line.replace('-->', '->')}\n" for line in cue.lines)
        for number, cue in enumerate(cues(turns), 1)
    )


def vtt(turns: Iterable[Event]) -> str:
    """Return the turns as WebVTT, as `srt`."""
    return "WEBVTT\n" + vtt_cues(cues(turns))


def vtt_cues(shown: Iterable[Cue]) -> str:
    """Return subtitles as WebVTT, without its header."""
    return "".join(
        f"\n{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n"
        + "".join(f"{html.escape(line, quote=False)}\n" for line in cue.lines)
        for cue in shown
    )


def cues(turns: Iterable[Event]) -> list[Cue]:
    """Divide turns into subtitles that do not overlap."""
    parts: list[_Part] = []
    for turn in _completed(turns):
        words = _timed(turn, after=parts[-1].words[-1].end if parts else 0)
        begin = 0
        for index in range(1, len(words) + 1):
            if index == len(words) or words[index].start - words[index - 1].end >= _PAUSE:
                parts += _divide(words[begin:index], turn.language)
                begin = index
    return [
        Cue(part.words[0].start / 1000, _end(part, following) / 1000, _lines(part))
        for part, following in zip_longest(parts, parts[1:])
    ]


def _completed(turns: object) -> Iterator[Completed]:
    """Yield the turns among the events of captions. Raises `TypeError` for anything else."""
    if not isinstance(turns, Iterable) or isinstance(turns, str):
        raise TypeError(f"subtitles are made of the events of captions, not of {type(turns).__name__}")
    for each in turns:
        if not isinstance(each, Event):
            raise TypeError(f"subtitles are made of the events of captions, not of {type(each).__name__}")
        if isinstance(each, Completed):
            yield each


def _timed(turn: Completed, after: int) -> list[_Word]:
    """Return the words of a turn, which comes `after` another one, each with a space before it where its text has one.

    Without times, each takes the same part of the turn; a turn without times lasts as long as it is read.
    """
    if not turn.words:
        texts = WORDS.findall(turn.text.strip())
        start = after if turn.start is None else round(turn.start * 1000)
        end = start + len(turn.text) * 1000 // CHARACTERS_PER_SECOND if turn.end is None else round(turn.end * 1000)
        times = [start + max(0, end - start) * index // max(1, len(texts)) for index in range(len(texts) + 1)]
        return [_Word(text, *span) for text, span in zip(texts, pairwise(times), strict=True)]
    timed: list[_Word] = []
    at = 0
    for word in turn.words:
        text = word.text.strip()
        found = turn.text.find(text, at)
        between = turn.text[at:found] if found >= 0 else " "
        at = found + len(text) if found >= 0 else at
        spaced = f" {text}" if between[-1:].isspace() else text
        timed.append(_Word(spaced, round(word.start * 1000), round(word.end * 1000)))
    return timed


def _divide(words: Sequence[_Word], language: str | None) -> Iterator[_Part]:
    """Divide words without a pause between them where it costs least."""
    before = accumulate(word.text for word in words)
    cuts = [_cut_cost(text, *pair, language) for text, pair in zip(before, pairwise(words), strict=False)] + [0.0]
    cheapest = [(0.0, 0), *[(math.inf, 0)] * len(words)]
    """For each end of a subtitle, the least cost of all up to it, and where the last of them begins."""
    for begin, first in enumerate(words):
        for end in _fitting_ends(words, begin):
            cost = cheapest[begin][0] + 1 + cuts[end - 1] + (words[end - 1].end - first.start < _SHORTEST)
            cost += _break_cost(_Part(words[begin:end], cuts[begin:end]))
            cheapest[end] = min(cheapest[end], (cost, begin))
    ends = [len(words)]
    while ends[-1]:
        ends.append(cheapest[ends[-1]][1])
    ends.reverse()
    for begin, end in pairwise(ends):
        yield _Part(words[begin:end], cuts[begin:end])


def _break_cost(part: _Part) -> float:
    """Return by how much even the cheapest break into two lines is worse than one between any two words."""
    ends = list(accumulate(_width(word.text) for word in part.words))
    blanks = [_width(word.text) - _width(word.text.lstrip()) for word in part.words]
    if ends[-1] - blanks[0] <= LINE:
        return 0.0
    breaks = zip(ends, blanks[1:], part.cuts, strict=False)
    fitting = (cut for end, blank, cut in breaks if max(end - blanks[0], ends[-1] - end - blank) <= LINE)
    return max(0.0, min(fitting, default=0.0) - _BETWEEN_WORDS)


def _fitting_ends(words: Sequence[_Word], begin: int) -> Iterator[int]:
    """Yield the ends of subtitles that begin with the word at `begin`: after it, and as long as all fits."""
    lines, width, widest = 1, 0.0, 0.0
    for end, word in enumerate(words[begin:], begin + 1):
        if width and width + _width(word.text) > LINE:
            lines, width = lines + 1, 0.0
        width += _width(word.text if width else word.text.strip())
        widest = max(widest, width)
        fits = lines <= LINES and widest <= LINE and word.end - words[begin].start <= _LONGEST
        if end - begin > 1 and not fits:
            return
        yield end


def _cut_cost(before: str, last: _Word, following: _Word, language: str | None) -> float:
    """Return what it costs to end a subtitle, or a line, after `before`, which ends with `last`."""
    word, first = last.text.strip(), following.text.strip()
    if _ends_sentence(before, first, language):
        return _AFTER_SENTENCE
    if word.endswith(_CLAUSE_ENDS):
        return _AFTER_CLAUSE
    is_name = len(before) > len(last.text) and word[:1].isupper() and first[:1].isupper()
    is_number = word[-1:].isdigit() or (first[:1].isdigit() and word[:1].isupper())
    if is_name or is_number:
        return _WITHIN_NAME
    return _AFTER_SHORT_WORD if len(word) <= _SHORT_WORD and word.isascii() else _BETWEEN_WORDS


def _ends_sentence(before: str, following: str, language: str | None) -> bool:
    """Return whether a sentence ends with `before`: with a mark that is not the stop of "Mr." or of an ordinal."""
    text = before.rstrip().rstrip(_CLOSING)
    stem = text.removesuffix(".")
    if stem == text or not stem[-1:].isalnum():
        return text.endswith(_SENTENCE_ENDS)
    return not is_abbreviated(stem, following[:1], language)


def _end(part: _Part, following: _Part | None) -> int:
    """Return when a subtitle disappears: late enough to be read, if the next one does not come before."""
    start, spoken = part.words[0].start, part.words[-1].end
    needed = max(_SHORTEST, len(part.text) * 1000 / CHARACTERS_PER_SECOND)
    end = max(spoken, round(min(start + needed, start + _LONGEST)))
    if following is None:
        return end
    latest = following.words[0].start - _FRAMES
    if latest - end < _PAUSE:
        end = max(spoken, min(latest, start + _LONGEST))
    return min(end, max(following.words[0].start, spoken))


def _lines(part: _Part) -> tuple[str, ...]:
    """Break the words into as few lines as possible, two of them where it reads best."""
    if _width(part.text) <= LINE:
        return (part.text,)
    texts = [word.text for word in part.words]
    halves = [("".join(texts[:index]).strip(), "".join(texts[index:]).strip()) for index in range(1, len(texts))]
    fitting = [
        (2 * abs(_width(first) - _width(second)) / (_width(first) + _width(second)) + cut, (first, second))
        for (first, second), cut in zip(halves, part.cuts, strict=False)
        if max(_width(first), _width(second)) <= LINE
    ]
    return min(fitting)[1] if fitting else (part.text,)


@lru_cache(maxsize=4096)
def _width(text: str) -> float:
    """Return the width of a line in Latin characters."""
    return sum(_WIDE if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _time(seconds: float, point: str) -> str:
    milliseconds = round(max(0.0, seconds) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
