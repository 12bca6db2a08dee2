"""Rules that rewrite text by regular expressions, one after the other."""

import re
from collections.abc import Callable, Iterable
from typing import Final

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
"""A pattern and what `re.sub` puts in place of a match."""

NUMBER: Final = r"(?>[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)"
"""A number as English writes it: `1,234.5`."""

DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def rewrite(text: str, rules: Iterable[Rule]) -> str:
    """Apply rules in turn."""
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


def spelled(letters: str) -> str:
    """Return letters as an engine names them one by one: `T.X.T`."""
    return ".".join(letters.upper())


def digit_by_digit(number: str) -> str:
    """Return the names of digits, with a comma, which is a short pause, between groups of them."""
    groups = re.findall(r"[0-9]+", number)
    return ", ".join(" ".join(DIGITS[int(digit)] for digit in group) for group in groups)
