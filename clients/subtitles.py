"""Captions as subtitles that can be read, SubRip or WebVTT.

The rules are those of the server for recordings (Netflix Timed Text Style Guide, BBC Subtitle Guidelines): two lines of
42 characters, or 16 wide ones; one to seven seconds, and 17 characters a second where the next subtitle leaves the
time; cut in pauses, after sentences and clauses, and not within a name or a number if there is another place.
"""

import html
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from clients.events import Completed, Word

LINE: Final = 42
LINES: Final = 2
SHORTEST, LONGEST = 1.0, 7.0
"""Seconds for which a subtitle is shown."""

CHARACTERS_PER_SECOND: Final = 17
PAUSE: Final = 0.5
"""Seconds of silence at which a subtitle ends. Shorter gaps to the next one are closed, but for `FRAMES`."""

FRAMES: Final = 0.08
"""Seconds of two frames of video, without which the eye does not notice another text."""

_WIDE: Final = LINE / 16
_AFTER_SENTENCE, _AFTER_CLAUSE, _BETWEEN_WORDS, _AFTER_SHORT_WORD, _WITHIN_NAME = 0.0, 0.3, 1.0, 1.5, 4.0
"""What it costs to end a subtitle or a line somewhere, where another subtitle costs 1."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle; times in seconds."""

    start: float
    end: float
    lines: tuple[str, ...]


def srt(turns: Iterable[Completed]) -> str:
    """Return the turns as SubRip. They need words with times, so those without are left out."""
    return "\n".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n" + "".join(f"{line}\n" for line in cue.lines)
        for number, cue in enumerate(cues(turns), 1)
    )


def vtt(turns: Iterable[Completed]) -> str:
    """Return the turns as WebVTT. They need words with times, so those without are left out."""
    return "WEBVTT\n" + vtt_cues(cues(turns))


def vtt_cues(shown: Iterable[Cue]) -> str:
    """Return subtitles as WebVTT, without its header."""
    return "".join(
        f"\n{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n"
        + "".join(f"{html.escape(line, quote=False)}\n" for line in cue.lines)
        for cue in shown
    )


def cues(turns: Iterable[Completed]) -> list[Cue]:
    """Divide turns into subtitles that do not overlap."""
    parts = [part for turn in turns for stretch in _stretches(_spaced(turn)) for part in _divide(stretch)]
    return [_cue(part, following) for part, following in zip_longest(parts, parts[1:])]


def _spaced(turn: Completed) -> list[Word]:
    """Return the words of a turn, each with a space before it where its text has one."""
    spaced: list[Word] = []
    at = 0
    for word in turn.words:
        text = word.text.strip()
        found = turn.text.find(text, at)
        between = turn.text[at:found] if found >= 0 else " "
        at = found + len(text) if found >= 0 else at
        spaced.append(replace(word, text=f" {text}" if between[-1:].isspace() else text))
    return spaced


def _stretches(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Yield what lies between pauses."""
    begin = 0
    for end in range(1, len(words) + 1):
        if end == len(words) or words[end].start - words[end - 1].end >= PAUSE:
            yield words[begin:end]
            begin = end


def _divide(words: Sequence[Word]) -> list[Sequence[Word]]:
    """Divide words where it costs least."""
    best: list[tuple[float, list[Sequence[Word]]]] = [(0.0, [])]
    """The cheapest division of the first n words."""
    for end in range(1, len(words) + 1):
        last = 0.0 if end == len(words) else _cost(words[end - 1], words[end])
        choices = []
        for begin in range(end - 1, -1, -1):
            part = words[begin:end]
            seconds = part[-1].end - part[0].start
            if len(part) > 1 and (seconds > LONGEST or not _fits(part)):
                break
            cost, parts = best[begin]
            choices.append((cost + 1 + last + (seconds < SHORTEST), [*parts, part]))
        best.append(min(choices, key=lambda choice: choice[0]))
    return best[-1][1]


def _cost(before: Word, after: Word) -> float:
    last, first = before.text.strip(), after.text.strip()
    if last.endswith((".", "!", "?", "…", "。", "！", "？")):
        return _AFTER_SENTENCE
    if last.endswith((",", ";", ":", "、", "，", "；", "：", "-", "–", "—")):
        return _AFTER_CLAUSE
    if (last[:1].isupper() or last[-1:].isdigit()) and (first[:1].isupper() or first[:1].isdigit()):
        return _WITHIN_NAME
    return _WITHIN_NAME if last[-1:].isdigit() else _AFTER_SHORT_WORD if len(last) <= 3 else _BETWEEN_WORDS


def _cue(words: Sequence[Word], following: Sequence[Word] | None) -> Cue:
    """Show words long enough to be read, but not into the next subtitle."""
    start, spoken = words[0].start, words[-1].end
    text = "".join(word.text for word in words).strip()
    end = max(spoken, min(start + max(SHORTEST, len(text) / CHARACTERS_PER_SECOND), start + LONGEST))
    if following is not None:
        latest = following[0].start - FRAMES
        if latest - end < PAUSE:
            end = max(spoken, min(latest, start + LONGEST))
        end = min(end, max(following[0].start, start))
    return Cue(start, end, _lines(words))


def _fits(words: Sequence[Word]) -> bool:
    lines = _filled(words)
    return len(lines) <= LINES and all(_width(line) <= LINE for line in lines)


def _lines(words: Sequence[Word]) -> tuple[str, ...]:
    """Break the words where it reads best, into lines of about the same width."""
    filled = _filled(words)
    if len(filled) != LINES:
        return filled
    choices = []
    for index in range(1, len(words)):
        halves = tuple("".join(word.text for word in half).strip() for half in (words[:index], words[index:]))
        widths = [_width(half) for half in halves]
        if max(widths) <= LINE:
            unequal = 2 * abs(widths[0] - widths[1]) / sum(widths)
            choices.append((_cost(words[index - 1], words[index]) + unequal, halves))
    return min(choices)[1] if choices else filled


def _filled(words: Sequence[Word]) -> tuple[str, ...]:
    """Break the words into lines, each as full as it can be."""
    lines = [""]
    for word in words:
        if lines[-1] and _width((lines[-1] + word.text).strip()) > LINE:
            lines.append("")
        lines[-1] += word.text
    return tuple(line.strip() for line in lines)


def _width(text: str) -> float:
    return sum(_WIDE if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _time(seconds: float, point: str) -> str:
    milliseconds = round(max(0.0, seconds) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
