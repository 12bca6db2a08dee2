"""Rules that rewrite text by regular expressions, and text that remembers what each of its characters stands for."""

import re
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Final

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
"""A pattern and what `re.sub` puts in place of a match."""

Stage = tuple[re.Pattern[str], tuple[Rule, ...]]
"""Rules behind a pattern without which none of them applies."""

NUMBER: Final = r"(?>[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)"
"""A number as English writes it: `1,234.5`."""

Span = tuple[int, int]
"""Start and end of a part of the original text."""


class Rewriting:
    """A text that is rewritten rule by rule, with the span of the original text that each of its characters is for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sources: list[Span] = [(index, index + 1) for index in range(len(text))]

    def apply(self, rules: Iterable[Rule]) -> None:
        """Apply rules in turn."""
        for pattern, replacement in rules:
            if pattern.search(self.text):
                self._replace(pattern, replacement)

    def _replace(self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str]) -> None:
        text, sources = self.text, self.sources
        parts: list[str] = []
        rewritten: list[Span] = []
        done = 0
        for match in pattern.finditer(text):
            new = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
            start, end = match.span()
            parts += text[done:start], new
            rewritten += sources[done:start]
            rewritten += _moved(text[start:end], new, sources[start:end], _gap(sources, start))
            done = end
        self.text = "".join([*parts, text[done:]])
        self.sources = rewritten + sources[done:]


def _gap(sources: list[Span], index: int) -> Span:
    """Return the empty span before a character."""
    position = sources[index][0] if index < len(sources) else sources[-1][1] if sources else 0
    return position, position


def _moved(old: str, new: str, sources: list[Span], gap: Span) -> list[Span]:
    """Return the spans of a replacement: those of the same words at its beginning and its end, one for the rest."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    inner = sources[head : len(sources) - tail]
    span = (inner[0][0], inner[-1][1]) if inner else (sources[head - 1][1],) * 2 if head else gap
    return sources[:head] + [span] * (len(new) - head - tail) + sources[len(sources) - tail :]


def _common(first: str, second: str) -> int:
    """Count the characters of the words, with the blanks after them, with which both texts begin."""
    length = 0
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            break
        if one.isspace():
            length = index + 1
    else:
        shorter, longer = sorted((first, second), key=len)
        if len(shorter) == len(longer) or longer[len(shorter)].isspace():
            return len(shorter)
    return length


def one_of(words: Iterable[str]) -> str:
    """Return a pattern of words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def positions(sources: list[Span]) -> list[float]:
    """Return where in the original text each character belongs, in rising order.

    Characters that stand for the same span share it evenly: the seven of "fifteen" the two of "15".
    """
    found: list[float] = []
    begun = 0
    while begun < len(sources):
        span = sources[begun]
        end = begun
        while end < len(sources) and sources[end] == span:
            end += 1
        start, length = span[0], span[1] - span[0]
        found += [start + length * (index + 0.5) / (end - begun) for index in range(end - begun)]
        begun = end
    return list(accumulate(found, max))
