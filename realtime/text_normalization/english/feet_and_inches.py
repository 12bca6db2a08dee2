"""Feet and inches written with quotation marks: 6', 5/8", not "Channel 5"."""

import re
from typing import Final

from realtime.text_normalization.english.describing import DESCRIBED, NOUN, describes
from realtime.text_normalization.rules import NUMBER, Rule

_QUOTE: Final = re.compile('(?<![0-9])"')
_DESCRIBED_BY_INCHES: Final = re.compile(rf"{NOUN.pattern}| [A-Z]| [0-9]+[A-Z]\b")
_SIZED: Final = re.compile(
    " (?:wide|tall|deep|thick|across|apart|square|taller|wider|longer|shorter|by|but|as|so|than|then)\\b"
)


def _inches(match: re.Match[str]) -> str:
    """Read a double quote after a number as inches, unless it closes a quotation."""
    if len(_QUOTE.findall(match.string, 0, match.start())) % 2:
        return match[0]
    described = DESCRIBED.search(match.string, max(0, match.start() - 10), match.start())
    describes = (described or not _SIZED.match(match.string, match.end())) and _DESCRIBED_BY_INCHES.match(
        match.string, match.end()
    )
    return f"{match[1]} inch" + ("" if describes or match[1] == "1" else "es")


_QUOTED: Final = 200
"""Characters of the longest quotation that is noticed."""

_OPENING: Final = re.compile(r'(?<!\w)"(?=\w)')


def _fraction_of_inch(match: re.Match[str]) -> str:
    """Read a double quote after a fraction as an inch, unless it closes a quotation: "my better half"."""
    opened = match.string.rfind('"', max(0, match.start() - _QUOTED), match.start())
    return match[0] if opened >= 0 and _OPENING.match(match.string, opened) else " inch"


_OPEN_QUOTE: Final = re.compile(r"(?<!\w)['‘](?!(?:[0-9]0s|em|til|tis|twas|cause)\b|n['’])")


def _feet(match: re.Match[str]) -> str:
    """Read a single quote after a number as feet, unless it closes a quotation."""
    if _OPEN_QUOTE.search(match.string, max(0, match.start() - _QUOTED), match.start(1) + 1):
        return match[0]
    return f"{match[1]} {'foot' if match[1] == '1' or describes(match) else 'feet'}"


FEET_AND_INCHES: Final[tuple[Rule, ...]] = (
    (
        re.compile(
            r"(?:(?<=half|rter|ters|hird|irds|ghth|hths|ixth|enth|nths)|(?<=y-seconds))(?:\"|″|'')(?=[\s.,;:!?)]|$)"
        ),
        _fraction_of_inch,
    ),
    (re.compile(rf"(?<![\w.,])({NUMBER})(?:[\"″”]|'')(?=[\s.,;:!?)×x]|$)"), _inches),
    (re.compile(r"(?<![\w.,])([0-9]{1,3}(?:,[0-9]{3})?(?:\.[0-9]+)?)['′](?=[\s.,;:!?)]|$)"), _feet),
)
