"""Dates, times of day, years, decades and centuries; American or British."""

import re
from typing import Final

from realtime.text_normalization.numerals import DIGITS, cardinal, year
from realtime.text_normalization.ordinals import ordinal
from realtime.text_normalization.rules import Rule

MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_SHORT_MONTHS: Final = {name[:3]: name for name in MONTH_NAMES} | {"Sept": "September"}
_CAPITALIZED: Final = "|".join([*MONTH_NAMES, *sorted(set(_SHORT_MONTHS) - {"May"}, key=len, reverse=True)])
_MONTHS: Final = f"{_CAPITALIZED}|(?i:{re.sub('May[|]|March[|]|[|]Mar(?![a-z])', '', _CAPITALIZED)})"
"""Names and abbreviations of months; in small letters without those that are common words."""

_DAY: Final = "(?:3[01]|[12][0-9]|0?[1-9])"
_YEAR: Final = r"[12][0-9]{3}"
_NOT_INSIDE: Final = r"(?<![\w/.,:+-])"
_NOT_PARTLY: Final = r"(?![\w/]|[.,:-][0-9])"

_HALF: Final = r"(?P<half>[ap])\.? ?m\b\.?"
_TIME: Final = r"(?P<hour>[01]?[0-9]|2[0-4])[:.](?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:\.[0-9]+)?)?"
_DAY_AND_MONTH: Final = r"(?<![\w/.-])([0-3]?[0-9])/([0-3]?[0-9])()(?![\w/]|[.,:-][0-9])"
_DATED: Final = (
    rf"(?:(?<=day )|(?<=[nsi]day, )|(?<=urday, )|(?<=today, )){_DAY_AND_MONTH}",
    rf"{_DAY_AND_MONTH}(?=,? (?:at )?[0-9]{{1,2}}(?::[0-5][0-9]| ?[ap]\.?m\b)"
    r"| \((?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\))",
    rf"(?i:(?<=\bon )|(?<=\bdue )|(?<=\buntil ))(?!9/11\b|7/7\b){_DAY_AND_MONTH}"
    r"(?=[.,;!?)]|$| (?:and|or|to|for|with|because|if|so|but|please|we|I|in the|at)\b)",
)
"""A day and a month in numbers, where a weekday, a time or a preposition shows that they are no fraction."""

_LISTED_DATES: Final = re.compile(
    r"(?i:(?<=\bon )|(?<=\bdue ))[0-3]?[0-9]/[0-3]?[0-9](?:(?:, (?:and |or )?| and | or | & )[0-3]?[0-9]/[0-3]?[0-9])+"
    r"(?![\w/]|[.,:-][0-9]| ?=)"
)
"""Days in numbers one after the other, where a preposition shows that they are no fractions."""

_COMMON_FRACTION: Final = "(?:1/[2-5]|2/[35]|3/[45])"

_CLOCK: Final = re.compile(r"(?i)(?:\b(?:at|since|until|till|by|before|from|to|and|now|is)|[0-9]th|,) $")
"""Before a time of day with seconds, which is no duration."""

_BRITISH_HOURS: Final = re.compile(
    r"(?i)(\b(?:opens?|opening|hours|times?|from|between|day|daily|[MTWFS][a-z]{2})[: ]+)([0-2]?[0-9])\.([0-5][0-9])"
    r" ?(?:[-–]|to|and) ?([0-2]?[0-9])\.([0-5][0-9])(?![\w%]| ?[a-z]*met| [ckm]?m\b)"
)
"""Hours with a stop before their minutes, as British papers write them: "Open 9.30–17.00"."""

_MAY_THEY: Final = re.compile(
    r"(?m)(?:(?<=^May )|(?<=[.!?] May ))([1-9][0-9]?)"
    r"(?= (?:people|persons|adults|children|guests|users|students|of (?:us|you|them)|[a-z]+s be)\b[^.!?\n]{0,120}\?)"
)
"""Those whom a question with "may" is about: "May 5 people come?"."""

_SENTENCE: Final = re.compile(r"\s+[A-Z]|[\"”’)]*\s*$")
"""After the stop of "p.m.": a stop that ends the sentence too."""


def _month(name: str) -> str:
    return _SHORT_MONTHS.get(name[:3].capitalize(), name)


def _said(day: int, month: str, said_year: str, *, british: bool) -> str:
    date = f"the {ordinal(day)} of {month}" if british else f"{month} {ordinal(day)}"
    return f"{date}, {year(int(said_year))}" if said_year else date


def _numeric(match: re.Match[str], *, british: bool) -> str:
    """Read a date in numbers; the day comes first if `british`, or where the other number can only be a month."""
    number = match[3] or ""
    if len(number) == 2:
        number = ("19" if int(number) > 50 else "20") + number
    date = _in_numbers(int(match[1]), int(match[2]), number, british=british) or match[0]
    return date.removeprefix("the ") if match.string[: match.start()].rstrip().lower().endswith("the") else date


def _in_numbers(first: int, second: int, number: str = "", *, british: bool) -> str:
    """Return a date, empty if the numbers are none."""
    day, month = (first, second) if (british and second <= 12) or first > 12 else (second, first)
    return _said(day, MONTH_NAMES[month - 1], number, british=british) if 1 <= month <= 12 and 1 <= day <= 31 else ""


def _range_in_numbers(match: re.Match[str], *, british: bool) -> str:
    """Read a range of days: "3/1-3/5"."""
    first, last = (_in_numbers(int(match[each]), int(match[each + 1]), british=british) for each in (1, 4))
    return f"{first}{match[3] or ' to '}{last}" if first and last else match[0]


def _iso(match: re.Match[str], *, british: bool) -> str:
    month, day = int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return _said(day, MONTH_NAMES[month - 1], match["year"], british=british)


def _month_first(match: re.Match[str]) -> str:
    date = f"{_month(match['month'])} {ordinal(int(match['day']))}"
    return f"{date}, {year(int(match['year']))}" if match["year"] else date


def _days_of_month(match: re.Match[str]) -> str:
    """Read a range of days: "May 3-5"."""
    return f"{_month(match[1])} {ordinal(int(match[2]))} to {ordinal(int(match[3]))}"


def _day_first(match: re.Match[str]) -> str:
    date = f"the {ordinal(int(match['day']))} of {_month(match['month'])}"
    return f"{date}, {year(int(match['year']))}" if match["year"] else date


def _time(match: re.Match[str]) -> str:
    """Read a time of day; without minutes it is an o'clock, or from 13 on an hour of soldiers."""
    hour, minute, half = int(match["hour"]), int(match["minute"]), match.groupdict().get("half")
    words = cardinal(hour)
    if minute:
        words += f" oh {cardinal(minute)}" if minute < 10 else f" {cardinal(minute)}"
    elif not half and not match["second"]:
        words += " hundred" if hour > 12 or not hour else " o'clock"
    if match["second"] and not half and not _CLOCK.search(match.string, 0, match.start()):
        return _duration(hour, minute, int(match["second"]))
    if match["second"] and int(match["second"]):
        seconds = int(match["second"])
        words += f" and {cardinal(seconds)} second" + ("s" if seconds != 1 else "")
    return words + _half(match) if half else words


def _duration(*parts: int) -> str:
    """Read hours, minutes and seconds that something takes."""
    names = zip(parts, ("hour", "minute", "second"), strict=True)
    return (
        " ".join(f"{cardinal(part)} {name}{'' if part == 1 else 's'}" for part, name in names if part) or "zero seconds"
    )


def _minutes_and_seconds(match: re.Match[str]) -> str:
    return _duration(0, int(match[1]), int(match[2]))


def _soldiers_time(match: re.Match[str]) -> str:
    """Read a time of four digits: "oh eight hundred", "fourteen thirty"."""
    hour, minute = int(match[1]), int(match[2])
    hours = f"oh {DIGITS['en'][hour]}" if 0 < hour < 10 else cardinal(hour)
    return f"{hours} {'hundred' if not minute else f'oh {cardinal(minute)}' if minute < 10 else cardinal(minute)}"


def _half(match: re.Match[str]) -> str:
    """Return the letters of "a.m." or "p.m.", and the stop of the sentence if it has ended with them."""
    ends = match[0].endswith(".") and _SENTENCE.match(match.string, match.end())
    return f" {match['half'].upper()} M" + ("." if ends else "")


def decade(match: re.Match[str]) -> str:
    """Read the years of a decade: "nineteen nineties", "the eighties", "two thousands"."""
    century, tens = match["century"] or "", match["decade"]
    if tens == "00":
        return f"{cardinal(int(century + '00'))}s" if int(century) % 10 == 0 else f"{cardinal(int(century))} hundreds"
    word = "tens" if tens == "10" else cardinal(int(tens))[:-1] + "ies"
    return f"{cardinal(int(century))} {word}" if century else word


def _short_year(match: re.Match[str]) -> str:
    number = int(match[1])
    return cardinal(number) if number > 9 else f"oh {DIGITS['en'][number]}"


_BRITISH_TIMES: Final[tuple[Rule, ...]] = (
    (
        re.compile(
            r"(?:(?<=\bat )|(?<=\bby )|(?<=\buntil ))(?P<hour>[01]?[0-9]|2[0-3])\.(?P<minute>[0-5][0-9])()"
            r"(?![\w%]|[.,][0-9]| (?:per|percent|million|billion|meters|metres|degrees))"
        ),
        lambda match: f"{match['hour']}:{match['minute']}",
    ),
    (
        re.compile(
            r"(?<=he )(?P<hour>[01]?[0-9]|2[0-3])\.(?P<minute>[0-5][0-9])"
            r"(?= (?:from|to|train|service|bus|flight|ferry|news|departure)\b)"
        ),
        lambda match: f"{match['hour']}:{match['minute']}",
    ),
    (
        re.compile(
            r"(?i)([0-9]\.[0-5][0-9] ?[ap]m\b.{0,30} (?:or|and|to|until) )([0-9]{1,2})\.([0-5][0-9])(?![\w%]|[.,][0-9])"
        ),
        r"\1\2:\3",
    ),
)
"""Times of day with a stop, as British timetables and invitations write them."""


def dates(*, british: bool) -> tuple[Rule, ...]:
    """Return the rules for dates and times."""
    return (
        (re.compile(r"(?<=[0-9])ish\b"), " ish"),
        (re.compile(r"(?<![\w:.])([0-9]{1,2}:[0-5][0-9])/(?=(?:mi|mile|km)\b)"), r"\1 per "),
        (re.compile(r"(?<![\w:.])(2[5-9]|[3-9][0-9]):00(?: min(?:ute)?s\b)?(?![\w:]|[.,][0-9])"), r"\1 minutes"),
        (re.compile(r"(?<![\w:.])([01]?[0-9]:[0-5][0-9])([ap])(?![\w'’:]|\.m)"), r"\1 \2m"),
        (re.compile(r"\b([QH][1-4])['’](?=[0-9]{2}\b)"), r"\1 "),
        (re.compile(r"(?<=[0-9])\(M\)"), " M"),  # a motorway
        (_LISTED_DATES,
         lambda days: re.sub("([0-9]+)/([0-9]+)()", lambda day: _numeric(day, british=british), days[0])),
        *((re.compile(pattern), lambda match: _numeric(match, british=british)) for pattern in _DATED),
        *(_BRITISH_TIMES if british else ()),
        (re.compile(r"(?i)([0-9] ?[ap]\.? ?m\.?|\b[0-9]{1,2}:[0-5][0-9]) ?[-–] ?(?=[0-9])"), r"\1 to "),
        # the full hour that a range begins with: "nine to five thirty"
        (re.compile(r"(?<![\w:.,])0?(1[0-2]|[1-9]):00 to (?=[0-2]?[0-9](?::[0-5][0-9](?!:)| ?[ap]\.? ?m\b))"),
         r"\1 to "),
        (re.compile(r"\b(FY|CY)(?: ?['’](?=[0-9]{2}\b)|(?=[12][0-9]{3}\b))"), r"\1 "),
        (re.compile(r"(?<![\w.,:-])([01][0-9]|2[0-3])([0-5][0-9])(?= (?:hours|hrs)\b)"), _soldiers_time),
        (re.compile(r"(?i)\b(noon|midnight) ?[-–] ?(?=[0-9])"
                    r"|(?:(?<=[0-9])|(?<=[0-9][ap]m)|(?<=[0-9] [ap]m)|(?<=[ap]\.m\.)) ?[-–] ?(?=(?:noon|midnight)\b)"),
         r"\1 to "),
        *(((_BRITISH_HOURS, r"\1\2:\3 to \4:\5"),) if british else ()),
        (re.compile(rf"(?<!\w)(?P<year>{_YEAR})-(?P<month>[01][0-9])-(?P<day>[0-3][0-9])(?:[T ](?={_TIME}))"),
         lambda match: _iso(match, british=british) + ", "),
        (re.compile(r"(?<=[0-9])Z\b"), " UTC"),
        (re.compile(rf"{_NOT_INSIDE}(?P<year>{_YEAR})(?P<mark>[-/.])(?P<month>[01]?[0-9])(?P=mark)(?P<day>[0-3]?[0-9])(?![\w/-]|\.[0-9])"),
         lambda match: _iso(match, british=british)),
        (re.compile(rf"{_NOT_INSIDE}([0-3]?[0-9])/([0-3]?[0-9])/({_YEAR}|[0-9]{{2}})(?![\w/-]|[.,][0-9])"),
         lambda match: _numeric(match, british=british)),
        # with points the day comes first
        (re.compile(rf"(?<![\w.])([0-3]?[0-9])\.([0-3]?[0-9])\.({_YEAR})(?!\w|\.\w)"),
         lambda match: _numeric_with_points(match, british=british)),
        (re.compile(rf"{_NOT_INSIDE}([0-3]?[0-9])-([0-3]?[0-9])-({_YEAR}){_NOT_PARTLY}"),
         lambda match: _numeric(match, british=british)),
        (re.compile(rf"(?<![\w-])({_DAY})-({_MONTHS})-({_YEAR})(?![\w-])"), r"\1 \2 \3"),
        (re.compile(rf"(?<![\w-])({_MONTHS})-({_DAY})(?:-({_YEAR}))?(?![\w-])"),
         lambda match: " ".join(filter(None, match.groups()))),
        (re.compile(r"(?<![\w.,:/-])([0-9]{1,2}) ?[-–] ?(?=[0-9]{1,2}:[0-5][0-9](?![\w:]))"), r"\1 to "),
        (re.compile(r"(?<=[A-Za-z])/(?=[0-9]{1,2}(?::[0-5][0-9])? ?[ap]\.?m\b)"), ", "),
        (re.compile(r"(?<=[0-9](?:st|nd|rd|th)) ?[-–] ?(?=[0-9]{1,2}(?:st|nd|rd|th)\b|[A-Z][a-z]+\.? [0-9])"), " to "),
        (re.compile(rf"(?<![\w./-])({_DAY} (?:{_MONTHS})\b\.?) ?[-–] ?(?={_DAY} (?:{_MONTHS})\b)"), r"\1 to "),
        (re.compile(rf"(\b(?:{_MONTHS})\.? (?:{_DAY}(?:st|nd|rd|th)?(?:, {_YEAR})?|{_YEAR})) ?[-–] ?"
                    rf"(?=(?:{_MONTHS})\b)"),
         r"\1 to "),
        (re.compile(r"(?<![\w/.-])([0-3]?[0-9])/([0-3]?[0-9])() ?[-–] ?([0-3]?[0-9])/([0-3]?[0-9])(?![\w/]| ?=)"),
         lambda match: _range_in_numbers(match, british=british)),
        (re.compile(rf"(?:(?<=[Ff]rom )|(?<=[Bb]etween ))(?!{_COMMON_FRACTION} (?:to|and) {_COMMON_FRACTION}(?!\w))"
                    r"([0-3]?[0-9])/([0-3]?[0-9])"
                    r"( to | and | until | through )([0-3]?[0-9])/([0-3]?[0-9])(?![\w/]| ?=)"),
         lambda match: _range_in_numbers(match, british=british)),
        (re.compile(r"(?<![\w:.])([0-9]{1,2}):([0-5][0-9])\.([0-9]{1,3})(?![\w:])"), r"\1 \2.\3"),
        (re.compile(rf"(?<![\w./-])({_YEAR})-(0[1-9])(?![\w-])"),
         lambda match: f"{MONTH_NAMES[int(match[2]) - 1]} {match[1]}"),
        (re.compile(rf"(?:\b[Tt]he )?{_NOT_INSIDE}({_DAY})(?:st|nd|rd|th)? ?[-–] ?"
                    rf"(?={_DAY}(?:st|nd|rd|th)? (?:{_MONTHS})\b)"),
         lambda match: f"the {ordinal(int(match[1]))} to "),
        (re.compile(rf"\b({_MONTHS})\.? ({_DAY})(?:st|nd|rd|th)? ?[-–] ?({_DAY})(?:st|nd|rd|th)?(?![\w:%-])"),
         _days_of_month),
        (_MAY_THEY, lambda match: cardinal(int(match[1]))),
        (re.compile(rf"\b(?P<month>{_MONTHS})\.? (?:the )?(?P<day>{_DAY})(?:st|nd|rd|th)?\b(?![:%-]|\.[0-9]|,[0-9])"
                    rf"(?:,? (?P<year>{_YEAR})(?![\w-]|[.,][0-9]))?"),
         _month_first),
        (re.compile(rf"(?:\b[Tt]he )?{_NOT_INSIDE}(?P<day>{_DAY})(?:st|nd|rd|th)? (?:of )?(?P<month>{_MONTHS})\b(?:\."
                    rf"(?=,| [a-z0-9]))?"
                    rf"(?:,? (?P<year>{_YEAR})(?![\w-]|[.,][0-9]))?"),
         lambda match: ("The" if match[0].startswith("T") else "the") + _day_first(match).removeprefix("the")),
        (re.compile(rf"(?i){_NOT_INSIDE}{_TIME} ?{_HALF}(?!\w)"), _time),
        (re.compile(rf"(?i){_NOT_INSIDE}(?P<hour>1[0-2]|0?[1-9])(?: ?[-–] ?| to )(?P<to>(?:1[0-2]|0?[1-9])"
                    rf"(?::[0-5][0-9])?)(?= ?[ap]\.? ?m\b)"),
         r"\g<hour> to \g<to>"),
        (re.compile(rf"(?i){_NOT_INSIDE}(?P<hour>1[0-2]|0?[1-9]) ?{_HALF}(?!\w)"),
         lambda match: cardinal(int(match["hour"])) + _half(match)),
        (re.compile(rf"{_NOT_INSIDE}{_TIME.replace('[:.]', ':')}(?: ?(?:Uhr|hrs?|h)\b)?{_NOT_PARTLY}"), _time),
        (re.compile(r"(?<![\w.,-])([0-9]+)s(?= (?:timeout|delay|timer|clip|wait|pause|limit|interval|video|break"
                    r"|cooldown|latency|rest|plank|sprint|window|countdown)s?\b)"), r"\1 second"),
        (re.compile(r"(?i)((?<==)[0-9]+"
                    r"|\b(?:in|for|after|every|within|about|around(?! [12][0-9]{3}s)|only"
                    r"|takes?|took|lasts?|waits?|waited) [0-9]+)s\b"),
         r"\1 seconds"),
        (re.compile(r"(?<![\w.,$€£])([0-9]{1,3}) ?m(?:ins?)? ?([0-9]{1,2}) ?s(?:ecs?)?\b"), _minutes_and_seconds),
        (re.compile(r"(?<=[0-9]0s) ?[-–] ?(?=['’]?(?:[12][0-9])?[0-9]0s\b)"), " to "),
        (re.compile(r"(?<![\w.,])(?P<century>[12][0-9])(?P<decade>[0-9]0)['’]?s\b"), decade),
        (re.compile(r"(?<![\w.,])['’‘]?(?P<century>)(?P<decade>[1-9]0)['’]?s\b"), decade),
        (re.compile(r"(?<![\w.,$])1,?(0{2,3})s(?= of\b)"),
         lambda match: "hundreds" if len(match[1]) == 2 else "thousands"),
        (re.compile(r"(?<![\w.,$])['’‘]?00['’]?s\b"), "two thousands"),
        (re.compile(r"(?<!\w)['’‘]([0-9]{2})(?![\w'’]|\.[0-9])"), _short_year),
        (re.compile(rf"(?<![\w.,-])({_YEAR})[-–/]([0-9]{{2}})(?![\w/-]|[.,][0-9])"),
         lambda match: f"{year(int(match[1]))} to {_short_year_of(match[2])}"),
        (re.compile(r"(?<![\w.,$€£-])(?P<from>1[1-9][0-9]{2}|20[0-9]{2}) ?[-–] ?(?P<to>1[1-9][0-9]{2}|20[0-9]{2})"
                    r"(?![\w-]|[.,][0-9])"),
         lambda match: f"{year(int(match['from']))} to {year(int(match['to']))}"),
    )  # fmt: skip


def short_dates(*, british: bool) -> tuple[Rule, ...]:
    """Return the rule for a day and a month in numbers, which applies to what is no fraction."""
    return ((re.compile(r"(?<![\w/.])([0-9]{1,2})/([0-9]{1,2})()(?![\w/]|[.,:-][0-9]| ?[=+*×÷])"),
             lambda match: _numeric(match, british=british)),)  # fmt: skip


def _numeric_with_points(match: re.Match[str], *, british: bool) -> str:
    day, month = int(match[1]), int(match[2])
    if month > 12:
        day, month = month, day
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return _said(day, MONTH_NAMES[month - 1], match[3], british=british)


def _short_year_of(number: str) -> str:
    return f"oh {DIGITS['en'][int(number)]}" if number.startswith("0") and number != "00" else cardinal(int(number))
