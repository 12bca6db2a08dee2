"""Numbers by their digits, so that those written in digits and in words can be compared.

A recognizer writes a number now in words, now in digits, and the longer it has heard it, the more digits: "fourteen",
then "1455"; "55", then "5550123". Word by word these are different words, of which one replaces the other.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from realtime.speech.transcript import Word, normalised
from realtime.text_normalization.numerals import cardinal
from realtime.text_normalization.ordinals import ordinal

_VALUES: Final = {normalised(cardinal(n, language)): n for language in ("es", "fr", "de", "en") for n in range(100)}
"""Whole numbers below 100 by the word for each, in one word or with hyphens, in several languages."""

_ORDINALS: Final = {normalised(ordinal(n, "en")): n for n in range(1, 100)}
"""The same for English ordinals."""

_SCALES: Final = {"hundred": 2, "hundert": 2, "thousand": 3, "tausend": 3, "million": 6, "billion": 9}
"""Zeros of the words that multiply."""

_PARTS: Final = re.compile(r"\d|[^\W\d_]+|%")
"""A digit, letters or a percent sign."""

_WRITTEN: Final = {"%": "percent", "st": "th", "nd": "th", "rd": "th"}
"""What stands for parts that are said in another way, or alike."""


@dataclass(slots=True)
class Unit:
    """A digit, a percent sign, the letters beside digits, or a whole word without any of them."""

    text: str
    word: int
    """Index of the word that it is a part of."""
    end: int
    """Position after it in the text of that word."""
    spelled: bool = False
    """Whether it is a digit of a number that is written in words."""


def units(words: Sequence[Word]) -> list[Unit]:
    """Return the units of words; numbers in words become digits, each of the word that says it."""
    found: list[Unit] = []
    number = _SpelledNumber()
    for index, word in enumerate(words):
        plain = normalised(word.text)
        if number.takes(plain, index, len(word.text)):
            continue
        found += number.finish()
        if number.takes(plain, index, len(word.text)):
            continue
        if any(character.isdecimal() for character in plain) or "%" in word.text:
            found += _written(word.text, index)
        else:
            found.append(Unit(plain, index, len(word.text)))
    return found + number.finish()


def _written(text: str, index: int) -> Iterator[Unit]:
    """Yield the units of a word with digits."""
    for match in _PARTS.finditer(text):
        part = match[0].lower()
        yield Unit(_WRITTEN.get(part) or (str(int(part)) if part.isdecimal() else part), index, match.end())


class _SpelledNumber:
    """A number in words, as far as it is known."""

    def __init__(self) -> None:
        self._digits: list[Unit] = []
        self._last = 0
        """Digits at its end that a following "thousand" multiplies: three of "two million one hundred"."""
        self._scaled = 0
        """Zeros of the largest scale within those."""
        self._ended = False

    def finish(self) -> list[Unit]:
        """Return the units, and begin the next number."""
        digits = self._digits
        self._digits, self._last, self._scaled, self._ended = [], 0, 0, False
        return digits

    def takes(self, plain: str, index: int, end: int) -> bool:
        """Add a word if it is a part of this number."""
        if self._ended:
            return False
        if plain in _SCALES:
            return self._scale(_SCALES[plain], index, end)
        if plain in _VALUES:
            return self._add(_VALUES[plain], index, end)
        if plain in _ORDINALS and self._add(_ORDINALS[plain], index, end):
            self._digits.append(Unit("th", index, end))
            self._ended = True
        return self._ended

    def _scale(self, zeros: int, index: int, end: int) -> bool:
        """Move the last digits up by so many places, if there is room: "two thousand five" and "hundred"."""
        before = self._digits[: len(self._digits) - self._last]
        room = [unit.text for unit in before[-zeros:]]
        if not self._last or zeros <= self._scaled or (before and room != ["0"] * zeros):
            return False
        moved = [Unit("0", index, end, spelled=True) for _ in range(zeros)]
        self._digits = before[:-zeros] + self._digits[-self._last :] + moved
        self._last, self._scaled = self._last + zeros, zeros
        return True

    def _add(self, value: int, index: int, end: int) -> bool:
        """Add a number below 100 where the digits end with zeros in its place; begin with it where there are none."""
        digits = [Unit(digit, index, end, spelled=True) for digit in str(value)]
        if not self._digits:
            self._digits, self._last = digits, len(digits)
            return True
        zeros = len(self._digits) - len("".join(unit.text for unit in self._digits).rstrip("0"))
        after_ten = zeros == 1 and self._digits[-2:][0].text in "01"
        if not value or zeros < len(digits) or after_ten:
            return False
        self._digits[-len(digits) :] = digits
        if zeros > 2:
            self._last, self._scaled = len(digits), 0
        return True
