"""Captions as television rolls them up: text is added to the last line, and a line that is full is finished.

CEA-608 has 32 characters in a line, and shows two to four lines, of which the oldest disappears when a new one begins.
"""

import unicodedata
from collections import deque
from typing import Final

LINE: Final = 32
"""Characters in a line of CEA-608."""

LINES: Final = 3


class RollUp:
    """Lines of at most `width` characters, where Chinese, Japanese and Korean ones count twice."""

    def __init__(self, width: int = LINE, lines: int = LINES) -> None:
        self._width = width
        self._finished: deque[str] = deque(maxlen=lines - 1)
        self._last = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that are shown, the oldest first."""
        return (*self._finished, self._last) if self._last else tuple(self._finished)

    def add(self, text: str) -> list[str]:
        """Add committed text, as `Delta` has it, and return the lines that it has filled."""
        self._last = (self._last + text).lstrip()
        filled: list[str] = []
        while _width(self._last) > self._width:
            end = self._line_end()
            filled.append(self._last[:end].rstrip())
            self._last = self._last[end:].lstrip()
        self._finished += filled
        return filled

    def end_line(self) -> list[str]:
        """Finish the last line, where a turn ends, and return it if it has text."""
        ended = [self._last.rstrip()] if self._last.strip() else []
        self._finished += ended
        self._last = ""
        return ended

    def _line_end(self) -> int:
        """Return how many characters fit: up to the last space, or as many as there is room for."""
        fitting = 0
        while _width(self._last[: fitting + 1]) <= self._width:
            fitting += 1
        space = self._last.rfind(" ", 0, fitting + 1)
        return space if space > 0 else max(1, fitting)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
