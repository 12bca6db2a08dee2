"""What is left of numbers, in words: ordinals, decimals, years, plain numbers, numbers beside letters."""

import re
from typing import Final

from realtime.text_normalization.english.names import in_pairs
from realtime.text_normalization.numerals import cardinal, decimal, digit_by_digit, whole, year
from realtime.text_normalization.ordinals import ordinal
from realtime.text_normalization.rules import NUMBER, Rule

_COUNTED: Final = re.compile(
    r" (?:[a-z]+s(?<!ss)(?<!\bis)(?<!\bas)(?<!\bwas)(?<!\bhas)(?<!\bus)(?<!\bthis)|people|men|women|children)\b"
    r"|,? (?:million|thousand)|-[a-z]+\b| percent\b"
)
"""After a number that counts something."""


_YEAR_BEFORE: Final = re.compile(
    r"(?i)(?:(?-i:\bBy)|\b(?:in|since|until|years?|circa|before|after)|[,;] by)"
    r"(?: [0-9]{3,4}(?:,| and| or| to|, and|, or))* $"
)
_ERA: Final = re.compile(" (?:A D|B C|AD|BC|CE|C E)\\b")
"""Around a number that is a year, even of the eleventh century."""

_LARGE: Final = {"K": "thousand", "k": "thousand", "M": "million", "B": "billion"}


def _ordinal(match: re.Match[str]) -> str:
    number = match[1].replace(",", "")
    return ordinal(int(number)) if len(number) < 16 else digit_by_digit(number) + match[2]


def _number(match: re.Match[str]) -> str:
    """Read a number: as a year where it can be one and counts nothing, with a point as a decimal."""
    written = match[0]
    number = written.replace(",", "")
    if "." in number:
        return decimal(number)
    if number.startswith("0") and len(number) > 1:
        return digit_by_digit(number)
    if len(number) > 4:
        return whole(number)
    value = int(number)
    counts = _COUNTED.match(match.string, match.end())
    said_as_year = _YEAR_BEFORE.search(match.string, max(0, match.start() - 40), match.start()) or _ERA.match(
        match.string, match.end()
    )
    first = 1001 if said_as_year else 1100
    if len(written) == 4 and (1900 <= value < 2000 or 2010 <= value < 2100 or (first <= value < 2100 and not counts)):
        return year(value)
    return cardinal(value)


def _plural(match: re.Match[str]) -> str:
    """Read several things that are named by a number: "seven forty-sevens", "fifty-twos", "niners"."""
    number, suffix = (group for group in match.groups() if group)
    words = in_pairs(number) if len(number) > 2 else cardinal(int(number))
    if suffix == "s":
        return re.sub("y$", "ie", words) + ("es" if words.endswith("x") else "s")
    return words + suffix.removeprefix("e" if words.endswith("e") else "")


WORDS: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<![\w.,$€£-])([0-9]{3,4})['’]?(s)\b|(?<=[A-Z]-)([0-9]{1,3})['’]?(s)\b"
                r"|(?<![\w.,$€£-])([1-9][1-9])(ers?)\b"),
     _plural),
    (re.compile(r"(?<![\w.])([0-9]+(?:,[0-9]{3})*)(st|nd|rd|th|ST|ND|RD|TH)\b"), _ordinal),
    (re.compile(r"(?<=[0-9])[xX](?= [a-z]+er\b| (?:more|less|as)\b)"), " times"),
    (re.compile(r"(?<=[0-9]) ?([KkMB])(?= (?:[a-z]+s|people|men|women|children)\b)"),
     lambda match: f" {_LARGE[match[1]]}"),
    (re.compile(r"(?<=[0-9])(?=[^\W\d_])|(?<=[^\W\d_])(?=[0-9])"), " "),
    (re.compile(r"(?<=[^\W\d_])[-–](?=[0-9])"), " "),
    (re.compile(rf"{NUMBER}|\.[0-9]+"), _number),
    (re.compile(r"(?<=[a-z])[-–](?=[A-Z]\b)"), " "),
)  # fmt: skip

_AND: Final[tuple[Rule, ...]] = (
    (re.compile(r"\bhundred (?=(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty"
                r"|forty|fifty"
                r"|sixty|seventy|eighty|ninety)\b)"), "hundred and "),
    (re.compile(r"\b(thousand|million) (?=(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen"
                r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?)\b(?! (?:hundred|thousand|million|and)))"),
     r"\1 and "),
)  # fmt: skip
BRITISH_NUMBERS: Final = _AND
"""British English says "and" behind the hundreds, or before what is less than a hundred."""

TIDYING: Final[tuple[Rule, ...]] = (
    (re.compile(r"[ \t]{2,}"), " "),
    (re.compile(r" +(?=[.,;:!?](?!\w))"), ""),
    (re.compile(r"(?m)^[ \t]+"), ""),
)  # fmt: skip
"""Blanks that the rules have left."""
