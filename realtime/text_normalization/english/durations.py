"""Abbreviations of times with a stop, after a number or behind "per": "15 min. on foot", "$20/hr. plus tips"."""

import re
from typing import Final

from realtime.text_normalization.english.describing import describes
from realtime.text_normalization.rules import NUMBER, Rule, one_of

_TIMES: Final = {"sec": "second", "min": "minute", "hr": "hour", "wk": "week", "mo": "month", "yr": "year"}
_PER: Final = {**_TIMES, "gal": "gallon", "lb": "pound", "oz": "ounce", "mi": "mile"}
"""What prices and speeds are given for."""

_RATES: Final = {"p.c.m": "per calendar month", "p.a": "per annum"}

_TIME: Final = rf"(?:{one_of(_TIMES)})s?\."
_GOES_ON: Final = re.compile(r"[,;:)/+-]|[ \t]+[a-z0-9(&]")
"""What follows a stop that does not end a sentence."""


def _stop(match: re.Match[str]) -> str:
    """Return the stop that ends a sentence, or nothing within one."""
    return "" if _GOES_ON.match(match.string, match.end()) else "."


def _name(time: str, *, singular: bool) -> str:
    name = _TIMES[time.rstrip("s.")]
    return name if singular else f"{name}s"


def _duration(match: re.Match[str]) -> str:
    """Read one or two numbers of hours or minutes, in the singular before what they describe: "a 15 min. walk"."""
    article, number, gap, rest = match["article"] or "", match["number"], match["gap"], match["rest"]
    describing = bool(article) or gap == "-" or match.string.startswith("-", match.end()) or describes(match)
    one = number == "1" or re.fullmatch("[0-9]+/[0-9]+", number)
    said = f"{article}{number}{gap}{_name(match['time'], singular=describing or bool(one))}"
    if rest:
        said += f" {rest} {_name(match['rest_time'], singular=describing or rest == '1')}"
    return said if article else said + _stop(match)


DURATIONS: Final[tuple[Rule, ...]] = (
    (
        re.compile(rf"(?<=[0-9%kKmn] )({one_of(_RATES)})\.(?!\w)"),
        lambda match: _RATES[match[1]] + _stop(match),
    ),
    (
        re.compile(rf"(?<=\w)(?:\.?/|\.? per )({one_of(_PER)})\.(?![\w/])"),
        lambda match: f" per {_PER[match[1]]}{_stop(match)}",
    ),
    (
        re.compile(
            rf"(?P<article>\b[Aa]n? (?=\S+ ?{_TIME} [A-Z]))?(?:(?<![\w.,/$€£])|(?<=[0-9]x))"
            rf"(?P<number>(?:[0-9]+ )?[0-9]+/[0-9]+|{NUMBER}\+?)(?P<gap>[ -]?)(?P<time>{_TIME})"
            rf"(?: (?P<rest>[0-9]+) (?P<rest_time>{_TIME}))?(?!\w)"
        ),
        _duration,
    ),
)
