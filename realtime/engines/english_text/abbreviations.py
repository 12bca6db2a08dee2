"""Abbreviations, where the context shows that they are some.

A stop after a word ends an abbreviation only sometimes: "See no. 5." but "The answer is no." hibari expands every word
that looks like one of its abbreviations. A blank before the stop keeps it from that; hibari removes the blank later.
"""

import re
from typing import Final

from realtime.engines.english_text.rules import Rule, spelled

_NUMBERED: Final = {
    "no": "number", "nos": "numbers", "fig": "figure", "figs": "figures", "vol": "volume", "vols": "volumes",
    "ch": "chapter", "p": "page", "pp": "pages", "est": "established", "eq": "equation", "max": "maximum",
    "min": "minimum", "approx": "approximately", "apt": "apartment", "ext": "extension", "sec": "section",
    "ver": "version", "ca": "circa", "nr": "number", "rs": "Rs",
}  # fmt: skip
"""Abbreviations that a number follows, and with which no sentence continues one: "5 min."."""

_PERIODS: Final = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday", "Jan": "January", "Feb": "February",
    "Mar": "March", "Apr": "April", "Jun": "June", "Jul": "July", "Aug": "August", "Sep": "September",
    "Sept": "September", "Oct": "October", "Nov": "November", "Dec": "December",
}  # fmt: skip
_MONTHS: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug"
    "|Sept|Sep|Oct|Nov|Dec"
)
DAYS_AND_MONTHS: Final = "|".join(sorted({name[:3] for name in _PERIODS}))
"""A pattern of the first three letters of days and months."""

_STREETS: Final = {
    "St": "Street", "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Ln": "Lane", "Dr": "Drive", "Ct": "Court",
    "Pl": "Place", "Sq": "Square", "Hwy": "Highway", "Pkwy": "Parkway",
}  # fmt: skip
_PHRASES: Final = {
    "e.g": "for example", "i.e": "that is", "approx": "approximately", "dept": "department", "cf": "compare",
    "resp": "respectively", "incl": "including", "excl": "excluding", "misc": "miscellaneous", "esp": "especially",
}  # fmt: skip
"""Abbreviations within a sentence, which goes on behind them in a small letter or with a comma."""

_STARTERS: Final = (
    "A|After|All|An|And|Are|As|At|Before|But|By|Can|Do|For|From|He|Her|Here|His|How|I|If|In|Is|It|Its|It's|Let|My|No"
    "|Not|Now|On|Or|Our|She|So|That|The|Their|Then|There|These|They|This|To|Turn|We|What|When|Where|Which|Who|Why"
    "|With|Yes|You|Your"
)
"""Words that begin sentences, and no names."""

_BEFORE_PERIOD: Final = re.compile(
    r"(?:\b(?:on|in|this|next|last|every|each|until|till|through|by|since|before|after|early|late|mid|of|[0-9]+(?:st|nd"
    r"|rd|th)?)\s+|(?:day|\b(?:Mon|Tues?|Wed|Thurs?|Fri|Sat|Sun)\.)\s+(?:and|or|to|&)\s+)$",
    re.IGNORECASE,
)
"""What stands before a day or a month; not before the star, or a woman called Jan."""

_UNAMBIGUOUS: Final = r"Tues?|Wed(?! to\b| in\b)|Thurs?|Fri|Feb|Sept|Oct|Nov"
"""Abbreviations of days and months that are no names and, with a capital, no words."""

_BEFORE_DAY: Final = r"on|this|next|last|every|each|until|till|by|since|before|after"
_BEFORE_MONTH: Final = r"in|early|late|mid|this|next|last|every"

_DATED: Final = (
    rf"(?=,? (?:(?:{_MONTHS})\b|[0-9]{{1,2}}(?::[0-5][0-9])? ?[ap]\.?m\b|[0-9]{{1,2}}:[0-5][0-9]\b"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:of )?(?:{_MONTHS})\b|[12][0-9]{{3}}\b))"
)
"""Before the date or the time of a day, or the year of a month."""

_GOES_ON: Final = r"(?=,|[ \t]+[a-z0-9(&])"
"""A stop after which the sentence goes on."""


_LISTED: Final = (
    rf"(?:{'|'.join(sorted({*_PERIODS, *_PERIODS.values()} - {'April', 'June'}, key=len, reverse=True))})\b"
)
"""Days and months in a list, without the first names that are no abbreviations: "Jan and June" may be two people."""

_START: Final = r"(?<![\w.'’/-])"
_END: Final = r"(?![\w'’/-])"


def _one_of(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _expanded(match: re.Match[str], expansions: dict[str, str]) -> str:
    """Return the expansion, with a capital where the abbreviation has one."""
    expansion = expansions[match[1].lower()]
    return expansion.capitalize() if match[1][0].isupper() else expansion


def _period(match: re.Match[str]) -> str:
    """Write out a day or a month; keep a word that only looks like one."""
    if match["goes_on"] is not None:
        return _PERIODS[match[1]]
    if re.fullmatch(_UNAMBIGUOUS, match[1]) or _BEFORE_PERIOD.search(match.string, 0, match.start()):
        return _PERIODS[match[1]] + "."
    return f"{match[1]} ."


def _periods(match: re.Match[str]) -> str:
    """Write out the days or months of a list; a slash between them is read as a comma, a dash as "to"."""
    names = re.sub(r"[A-Z]\w+", lambda word: _PERIODS.get(word[0], word[0]), match[0])
    return re.sub(" ?[–-] ?", " to ", re.sub(" ?/ ?", ", ", names))


def _street(match: re.Match[str]) -> str:
    rest = match.string[match.end() :].lstrip()
    return match[1] + _STREETS[match[2]] + ("." if not rest or rest[0].isupper() else "")


ABBREVIATIONS: Final[tuple[Rule, ...]] = (
    (re.compile(rf"(?i)(?<![\w.])(?<![0-9] )({_one_of(_NUMBERED)})\.[ \t]?(?=#?[0-9]|(?-i:[IVXLC]{{2,}}\b))"),
     lambda match: _expanded(match, _NUMBERED) + " "),
    (re.compile(r"(?<![\w.])([Nn])o\.(?= of\b)"), r"\1umber"),
    (re.compile(r"(?<![\w.])c\. ?(?=[12]?[0-9]{3}\b)"), "circa "),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th)) ed\.(?!\w)"), " edition"),
    (re.compile(r"(?<![\w.,])1 in\.(?!\w)"), "1 inch"),
    (re.compile(r"(?<=[0-9]) in\.(?=,|[ \t]+[a-z0-9(×]|[)\"”]*$)"), " inches"),
    (re.compile(rf"(?<![\w.])({_one_of(_PERIODS)})\.? ?[-–] ?({_one_of(_PERIODS)})\b\.?(?=[\s,;:)]|$)"),
     lambda match: f"{_PERIODS[match[1]]} to {_PERIODS[match[2]]}"),
    # two or more in a row: "Mon, Wed & Fri", "Sat/Sun"
    (re.compile(rf"{_START}(?:{_LISTED})(?:(?: ?[,/&–-] ?|,? (?:and|or|to|through|thru) |, ?& )(?:{_LISTED}))+{_END}"),
     _periods),
    (re.compile(rf"{_START}(?<!\b[Tt]he )({_one_of(_PERIODS)}){_DATED}"), lambda match: _PERIODS[match[1]]),
    (re.compile(rf"{_START}({_UNAMBIGUOUS}){_END}(?!\.)"), lambda match: _PERIODS[match[1]]),
    (re.compile(rf"(?i:(\b(?:{_BEFORE_DAY}) ))(Mon|Thu|Sat){_END}(?!\.| [A-Z])"),
     lambda match: match[1] + _PERIODS[match[2]]),
    (re.compile(rf"(?i:(\b(?:{_BEFORE_MONTH}) ))(Jan|Mar|Apr|Jun|Jul|Aug|Sep|Dec){_END}(?!\.| [A-Z])"),
     lambda match: match[1] + _PERIODS[match[2]]),
    (re.compile(rf"(?<![\w.])({_one_of(_PERIODS)})\.(?!\w)(?P<goes_on>{_GOES_ON})?"), _period),
    # an address begins with a number, or the street has one
    (re.compile(rf"(?<![\w.])((?:[0-9]+(?:st|nd|rd|th)|[0-9]+[A-Z]?(?: [A-Z][\w'’-]*){{1,3}}) )({_one_of(_STREETS)})\."
                rf"(?= (?:{_STARTERS})\b| ?[a-z,;:!?)]|\s*$)"), _street),
    # after a name and before a new sentence there is no saint
    (re.compile(rf"(?<![\w.])([A-Z][\w'’-]+ )(St)\.(?= (?:{_STARTERS})\b)"), _street),
    (re.compile(r"(?<![\w'’-])([A-Z]o[A-Z])(s?)(?![\w'’-])"), lambda match: spelled(match[1]) + match[2]),  # YoY
    (re.compile(r"\bGen (?=[A-Z](?:ers)?\b|Alpha\b|Beta\b|AI\b)"), "Gen-"),  # a generation, not a general
    (re.compile(rf"(?i)(?<![\w.])({_one_of(_PHRASES)})\.{_GOES_ON}"), lambda match: _expanded(match, _PHRASES)),
    (re.compile(r"(?<![\w.])(no|ed|fig|est|ch)\.(?!\w)"), r"\1 ."),
)  # fmt: skip
