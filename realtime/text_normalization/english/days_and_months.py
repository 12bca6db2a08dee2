"""Days and months, where the context shows that they are abbreviated: "on Fri., Sept. 5", but "We orbit the Sun."."""

import re
from typing import Final

from realtime.text_normalization.rules import Rule, one_of

_PERIODS: Final = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday",
    "Weds": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday", "Jan": "January", "Feb": "February",
    "Mar": "March", "Apr": "April", "Jun": "June", "Jul": "July", "Aug": "August", "Sep": "September",
    "Sept": "September", "Oct": "October", "Nov": "November", "Dec": "December",
}  # fmt: skip
_MONTHS: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug"
    "|Sept|Sep|Oct|Nov|Dec"
)
_DAYS: Final = "Mon|Tues?|Weds?|Thu(?:rs?)?|Fri|Sat|Sun"

_BEFORE_PERIOD: Final = re.compile(
    r"(?:\b(?:on|in|this|next|last|every|each|until|till|through|by|since|before|after|early|late|mid|of|[0-9]+(?:st|nd"
    r"|rd|th)?|is a|was a)\s+|[0-9] ?[ap]\.?m\.?,? |\(|(?:day|ary|ber|March|April|May|June|July|August"
    r"|\b(?:Mon|Tues?|Weds?|Thurs?|Fri|Sat|Sun|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?)"
    r"(?:,? (?:and|or|to|through|thru) |, ?& | ?& ?| ?[-–/] ?|, ))$",
    re.IGNORECASE,
)
"""What stands before a day or a month; not before the star, or a woman called Jan."""

_UNAMBIGUOUS: Final = r"Tues?|Weds|Wed(?! to\b| in\b)|Thurs?|Fri|Feb|Sept|Oct|Nov"
"""Abbreviations of days and months that are no names and, with a capital, no words."""

_BEFORE_DAY: Final = r"on|this|next|last|every|each|until|till|by|since|before|after"
_BEFORE_MONTH: Final = r"in|early|late|mid|this|next|last|every"

_FROM: Final = "(?:(?:by|at|from|until|after|before|@) ?)"
_DATED: Final = (
    rf"(?=,? (?:(?:{_MONTHS})\b|{_FROM}?[0-9]{{1,2}}(?::[0-5][0-9])? ?[ap]\.?m\b|[0-9]{{1,2}}:[0-5][0-9]\b"
    r"|[01]?[0-9]/[0-3]?[0-9]\b"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:of )?(?:{_MONTHS})\b|[12][0-9]{{3}}\b))"
)
"""Before the date or the time of a day, or the year of a month."""

GOES_ON: Final = r"(?=[,;:/]|[ \t]+[a-z0-9(&@])"
"""A stop after which the sentence goes on."""


_LISTED: Final = (
    rf"(?:{'|'.join(sorted({*_PERIODS, *_PERIODS.values()} - {'April', 'June'}, key=len, reverse=True))})\b"
)
"""Days and months in a list, without the first names that are no abbreviations: "Jan and June" may be two people."""

_NAMED: Final = one_of({*_PERIODS, *_PERIODS.values(), "May"})

_START: Final = r"(?<![\w.'’/-])"
_END: Final = r"(?![\w'’/-])"


def _period(match: re.Match[str]) -> str:
    """Write out a day or a month; keep a word that only looks like one."""
    if match["goes_on"] is not None:
        return _PERIODS[match[1]]
    if re.fullmatch(_UNAMBIGUOUS, match[1]) or _BEFORE_PERIOD.search(
        match.string, max(0, match.start() - 20), match.start()
    ):
        return _PERIODS[match[1]] + ("" if match.string.startswith(")", match.end()) else ".")
    return match[0]


def _periods(match: re.Match[str]) -> str:
    """Write out the days or months of a list; a slash between them is read as a comma, a dash as "to"."""
    names = re.sub(r"[A-Z]\w+", lambda word: _PERIODS.get(word[0], word[0]), match[0])
    return re.sub(" ?[–-] ?", " to ", re.sub(" ?/ ?", ", ", names))


DAYS_AND_MONTHS: Final[tuple[Rule, ...]] = (
    (re.compile(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.? (?=['’][0-9]{2}\b)"),
     lambda match: _PERIODS[match[1]] + " "),
    (re.compile(rf"(?<![\w.])({_NAMED})\.? ?[-–] ?({_NAMED})\b\.?(?=[\s,;:)]|$)"),
     lambda match: " to ".join(_PERIODS.get(name, name) for name in match.groups())),
    (re.compile(r"(?<![\w.-])M ?[-–] ?(F|Th)\b(?![.'’&-])"),
     lambda match: f"Monday to {'Friday' if match[1] == 'F' else 'Thursday'}"),
    (re.compile(rf"{_START}({_DAYS})(?= [0-9]{{1,2}}(?:st|nd|rd|th|(?::[0-5][0-9])? ?[-–] ?(?:[0-9]|noon|midnight)))"),
     lambda match: _PERIODS[match[1]]),
    # two or more in a row: "Mon, Wed & Fri", "Sat/Sun"
    (re.compile(rf"{_START}(?:{_LISTED})(?:(?: ?[,/&–-] ?|,? (?:and|or|to|through|thru) |, ?& )(?:{_LISTED}))+{_END}"),
     _periods),
    (re.compile(rf"{_START}(?<!\b[Tt]he )({one_of(_PERIODS)}){_DATED}"), lambda match: _PERIODS[match[1]]),
    (re.compile(rf"{_START}({_UNAMBIGUOUS}){_END}(?!\.)"), lambda match: _PERIODS[match[1]]),
    (re.compile(rf"(?i:(\b(?:{_BEFORE_DAY}) ))(Mon|Thu|Sat){_END}(?!\.| [A-Z])"),
     lambda match: match[1] + _PERIODS[match[2]]),
    (re.compile(rf"(?i:(\b(?:{_BEFORE_MONTH}) ))(Jan|Mar|Apr|Jun|Jul|Aug|Sep|Dec){_END}(?!\.| [A-Z])"),
     lambda match: match[1] + _PERIODS[match[2]]),
    (re.compile(rf"(?<![\w.])({one_of(_PERIODS)})\.(?!\w)(?P<goes_on>{GOES_ON})?"), _period),
)  # fmt: skip
