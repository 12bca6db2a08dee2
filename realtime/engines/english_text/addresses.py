"""Addresses, names of files and versions: every character counts, so their marks are named."""

import re
from typing import Final

from realtime.engines.english_text.rules import Rule, digit_by_digit, spelled

_MARKS: Final = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", ":": "colon", "?": "question mark", "=": "equals",
    "&": "and", "#": "hash", "%": "percent", "@": "at", "~": "tilde", "+": "plus", "\\": "backslash", ",": "comma",
    ";": "semicolon", "$": "dollar",
}  # fmt: skip
_PART: Final = re.compile(r"[^\W\d_]+|[0-9]+|.")
_DIGITS_OF_WORD: Final = re.compile(r"(?<=[^\W\d_])[0-9]+|[0-9]+(?=[^\W\d_])")
_SHORT_WORDS: Final = re.compile("(?:at|be|by|co|do|go|if|in|is|it|me|my|no|of|on|or|so|to|up|us|we)")
"""Words of two letters; others of that length are spelled: `io`, `uk`."""

_WITHOUT_MARKS_AFTER: Final = r"(?<![.,;:!?'\"”’)\]}>*_])"
"""Marks at the end of an address belong to the sentence around it."""


def _named(address: str) -> str:
    """Return the parts of an address as words, and its marks by their names."""
    address = _DIGITS_OF_WORD.sub(lambda match: f" {digit_by_digit(match[0])} ", address)
    return " ".join(_read(part) if part[0].isalnum() else _MARKS.get(part, "") for part in _PART.findall(address))


def _read(part: str) -> str:
    """Spell letters that cannot be read as a word: two of them, or some without a vowel (`txt`)."""
    lower = part.lower()
    is_word = re.search("[aeiouy]", lower) if len(part) > 2 else _SHORT_WORDS.fullmatch(lower)
    return part if is_word or not (part.isascii() and part.isalpha()) else spelled(part)


def _url(match: re.Match[str]) -> str:
    """Name what follows the scheme, which nobody says."""
    return _named(match[1].rstrip("/"))


def _version(match: re.Match[str]) -> str:
    return ("version " if "v" in match[0].lower() else "") + match[1].replace(".", " point ")


_OTHERS: Final = (
    r"[0-3]?[0-9]\.[01]?[0-9]\.[12][0-9]{3}\b|(?:1\.)?[0-9]{3}\.[0-9]{3}\.[0-9]{4}\b|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]"
)
"""Numbers with two points that are no versions: dates, telephone numbers, thousands with a decimal comma."""

ADDRESSES: Final[tuple[Rule, ...]] = (
    (re.compile(rf"(?i)\b(?:https?|ftp|wss?)://([^\s<>\"|]+{_WITHOUT_MARKS_AFTER})"), _url),
    (re.compile(rf"(?i)\b(www\.[^\s<>\"|]+{_WITHOUT_MARKS_AFTER})"), _url),
    (re.compile(r"(?<![\w.+-])(?:mailto:)?([\w.+-]+@[\w-]+(?:\.[\w-]+)*)\b"), lambda match: _named(match[1])),
    (
        re.compile(rf"(?<![\w.-])([\w-]+(?:\.[\w-]+)*\.[a-z]{{2,12}}(?::[0-9]+)?/[^\s<>\"|]*{_WITHOUT_MARKS_AFTER})"),
        _url,
    ),
    (re.compile(rf"(?<!\S)((?:~|\.{{1,2}})?/[A-Za-z.][\w.-]*(?:/[\w.-]+)*{_WITHOUT_MARKS_AFTER})"), _url),
    (re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.\w)"), lambda match: match[0].replace(".", " dot ")),
    (re.compile(r"(?<![\w.])(?:[vV]ersion )?[vV]([0-9]+(?:\.[0-9]+)+)(?!\w|\.\w)"), _version),
    (
        re.compile(rf"(?<![\w.$€£])(?!{_OTHERS})([0-9]+(?:\.[0-9]+){{2,}})(?!\w|\.\w)"),
        lambda match: match[1].replace(".", " point "),
    ),
    (
        # a name, a stop and a suffix in small letters without a blank between: main.py, example.com; not e.g. or a.m.
        re.compile(
            r"(?<![\w.@/-])(?=[\w-]*[^\W\d_]{2})[\w-]+(?:\.[\w-]+)*?\.(?:[a-z][a-z0-9]{1,9}|(?<=[a-z]\.)[A-Z]{3,4})\b(?!\.\w)"
        ),
        lambda match: _named(match[0]),
    ),
    (re.compile(r"(?<=[A-Z]{2})\.(?=[A-Z]{2})"), " dot "),  # ASP.NET
    (re.compile(r"(?<![\w.)\]\"”'’])\.(?=[^\W\d_]{2})"), " dot "),  # .NET
)
