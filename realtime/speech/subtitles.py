"""Subtitles that can be read: how many words, lines and seconds one has, and where it ends.

The rules are those of the Netflix Timed Text Style Guide (two lines of 42 characters; 16 of Chinese; five sixths of a
second to seven seconds; gaps under half a second closed to two frames; 17 characters a second, for children's
programmes) and of the BBC Subtitle Guidelines (lines end with clauses; names, and numbers with their units, are not
torn apart). The words are never changed, so speech faster than that stays faster.
"""

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, zip_longest
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.cues import ends_sentence
from realtime.speech.transcript import Word

_LONGEST: Final = 7 * SAMPLE_RATE
"""Samples for which one subtitle is shown at most, unless a single word lasts longer."""

_SHORTEST: Final = SAMPLE_RATE
"""Samples for which one is shown at least, where the next does not begin earlier."""

_CHARACTERS_PER_SECOND: Final = 17
_CLOSED_GAP: Final = SAMPLE_RATE // 2
"""Shorter gaps between two subtitles are closed, but for `_FRAMES`."""

_FRAMES: Final = SAMPLE_RATE * 2 // 25
"""Two frames of video, without which the eye does not notice that the text has changed."""

_PAUSE: Final = SAMPLE_RATE // 2
"""Samples of silence at which a subtitle always ends."""

_WIDE: Final = 42 / 16
"""Width of a Chinese, Japanese or Korean character, in Latin ones: 16 fill a line."""

_CLAUSE_ENDS: Final = (",", ";", ":", "、", "，", "；", "：", "-", "–", "—")

_SHORT_WORD: Final = 3
"""Letters of words that seldom end a phrase: articles and prepositions of many languages."""

# What a cut costs, beside one for each subtitle: after a sentence, after a clause, between words, after a short word,
# and within a name or a number. A subtitle that is too short to be read costs as much as another subtitle.
_AFTER_SENTENCE, _AFTER_CLAUSE, _BETWEEN_WORDS, _AFTER_SHORT_WORD, _WITHIN_NAME = 0.0, 0.3, 1.0, 1.5, 4.0
_TOO_SHORT: Final = 1.0

_TWO_LINES: Final = 2


@dataclass(frozen=True, slots=True)
class SubtitleLayout:
    """How large a subtitle is: characters in a line, and lines."""

    line_width: int = 42
    lines: int = 2


def subtitle_layout(line_width: int | None, lines: int | None) -> SubtitleLayout | None:
    """Return the layout with these sizes, where None is the default; None if the width is 0, for whole sentences."""
    default = SubtitleLayout()
    if line_width == 0:
        return None
    return SubtitleLayout(line_width or default.line_width, lines or default.lines)


@dataclass(frozen=True, slots=True)
class Subtitle:
    """One subtitle, shown from sample `start` to `end`."""

    start: int
    end: int
    lines: tuple[str, ...]


def subtitles(segments: Iterable[tuple[Sequence[Word], str]], layout: SubtitleLayout) -> list[Subtitle]:
    """Divide the words of segments, with times, each in its language, into subtitles that do not overlap."""
    found: list[_Part] = []
    for words, language in segments:
        begin = 0
        for index in range(1, len(words) + 1):
            if index == len(words) or words[index].start - words[index - 1].end >= _PAUSE:
                found += _divide(words[begin:index], language, layout)
                begin = index
    return [
        Subtitle(part.words[0].start, _end(part.words, following.words if following else None), _lines(part, layout))
        for part, following in zip_longest(found, found[1:])
    ]


@dataclass(frozen=True, slots=True)
class _Part:
    """The words of one subtitle, and what it costs to cut after each of them."""

    words: Sequence[Word]
    cuts: Sequence[float]


def _divide(words: Sequence[Word], language: str, layout: SubtitleLayout) -> list[_Part]:
    """Divide words without a pause between them where it costs least."""
    cuts = [_cut_cost(words[:index], words[index:], language) for index in range(1, len(words))] + [0.0]
    cheapest = [(0.0, 0), *[(math.inf, 0)] * len(words)]
    """For each end of a subtitle, the least cost of all up to it, and where the last of them begins."""
    for begin, first in enumerate(words):
        for end in _fitting_ends(words, begin, layout):
            short = words[end - 1].end - first.start < _SHORTEST
            cost = cheapest[begin][0] + 1 + cuts[end - 1] + _TOO_SHORT * short
            cost += _break_cost(_Part(words[begin:end], cuts[begin:end]), layout)
            cheapest[end] = min(cheapest[end], (cost, begin))
    parts: list[_Part] = []
    end = len(words)
    while end:
        begin = cheapest[end][1]
        parts.append(_Part(words[begin:end], cuts[begin:end]))
        end = begin
    return parts[::-1]


def _break_cost(part: _Part, layout: SubtitleLayout) -> float:
    """Return by how much even the cheapest break into two lines is worse than one between any two words.

    It is 0 for a single line, and where there may be more than two.
    """
    if layout.lines != _TWO_LINES:
        return 0.0
    ends = list(accumulate(_width(word.text) for word in part.words))
    blanks = [_width(word.text) - _width(word.text.lstrip()) for word in part.words]
    if ends[-1] - blanks[0] <= layout.line_width:
        return 0.0
    breaks = zip(ends, blanks[1:], part.cuts, strict=False)
    fitting = (cut for end, blank, cut in breaks if max(end - blanks[0], ends[-1] - end - blank) <= layout.line_width)
    return max(0.0, min(fitting, default=0.0) - _BETWEEN_WORDS)


def _fitting_ends(words: Sequence[Word], begin: int, layout: SubtitleLayout) -> Iterator[int]:
    """Yield the ends of subtitles that begin with the word at `begin`: after it, and as long as all fits.

    Lines are filled one after another, so that there are as few as possible.
    """
    lines, width, widest = 1, 0.0, 0.0
    for end, word in enumerate(words[begin:], begin + 1):
        if width and width + _width(word.text) > layout.line_width:
            lines, width = lines + 1, 0.0
        width += _width(word.text if width else word.text.strip())
        widest = max(widest, width)
        fits = lines <= layout.lines and widest <= layout.line_width
        if end - begin > 1 and (not fits or word.end - words[begin].start > _LONGEST):
            return
        yield end


def _cut_cost(before: Sequence[Word], after: Sequence[Word], language: str) -> float:
    """Return what it costs to end a subtitle, or a line, between these words."""
    if ends_sentence(before, after[0], language):
        return _AFTER_SENTENCE
    last, first = before[-1].text.strip(), after[0].text.strip()
    if last.endswith(_CLAUSE_ENDS):
        return _AFTER_CLAUSE
    is_name = len(before) > 1 and last[:1].isupper() and first[:1].isupper()
    is_number = last[-1:].isdigit() or (first[:1].isdigit() and last[:1].isupper())
    if is_name or is_number:
        return _WITHIN_NAME
    return _AFTER_SHORT_WORD if len(last) <= _SHORT_WORD and last.isascii() else _BETWEEN_WORDS


def _end(words: Sequence[Word], following: Sequence[Word] | None) -> int:
    """Return when a subtitle disappears: late enough to be read, if the next one does not come before."""
    text = "".join(word.text for word in words).strip()
    needed = max(_SHORTEST, round(len(text) * SAMPLE_RATE / _CHARACTERS_PER_SECOND))
    end = max(words[-1].end, min(words[0].start + needed, words[0].start + _LONGEST))
    if following is None:
        return end
    latest = following[0].start - _FRAMES
    if latest - end < _CLOSED_GAP:
        end = max(words[-1].end, min(latest, words[0].start + _LONGEST))
    return min(end, max(following[0].start, words[-1].end))


def _lines(part: _Part, layout: SubtitleLayout) -> tuple[str, ...]:
    """Break the words into as few lines as possible, two of them where it reads best, the others as they fill."""
    texts = [word.text for word in part.words]
    whole = "".join(texts).strip()
    if _width(whole) <= layout.line_width or layout.lines == 1:
        return (whole,)
    halves = [("".join(texts[:index]).strip(), "".join(texts[index:]).strip()) for index in range(1, len(texts))]
    fitting = [
        (_balance(*half) + cut, half)
        for half, cut in zip(halves, part.cuts, strict=False)
        if max(map(_width, half)) <= layout.line_width
    ]
    if fitting:
        return min(fitting)[1]
    lines = [""]
    for text in texts:
        if lines[-1] and _width((lines[-1] + text).strip()) > layout.line_width:
            lines.append("")
        lines[-1] += text
    return tuple(line.strip() for line in lines)


def _balance(first: str, second: str) -> float:
    """Return how unequal two lines are, 0 to 2; the first may be a little shorter."""
    return 2 * abs(_width(first) - _width(second)) / (_width(first) + _width(second))


@lru_cache(maxsize=4096)
def _width(text: str) -> float:
    """Return the width of a line in Latin characters."""
    return sum(_WIDE if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
