"""Numbers whose reading depends on what they stand for: telephone numbers, money, ratings, sums, ranges, measures.

Numbers stay digits wherever hibari reads them as they should be read.
"""

import re
from fractions import Fraction
from typing import Final
from unicodedata import numeric

from realtime.engines.english_text.rules import NUMBER, Rule, digit_by_digit

_NOT_INSIDE: Final = r"(?<![\w/.,:-])"
"""Before a number that is not a part of a longer number, a date or a word."""

_NOT_PARTLY: Final = r"(?![\w/]|[.,:-][0-9])"
"""After such a number."""


def _digits(match: re.Match[str]) -> str:
    return digit_by_digit(match[0])


def _digits_after(match: re.Match[str]) -> str:
    """Read the second group digit by digit."""
    return match[1] + digit_by_digit(match[2])


_TELEPHONE: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<!\w)\+(?=(?:[0-9()/.-] ?){7,20}(?!\w))[0-9][0-9 ()/.-]{5,}[0-9](?!\w)"),
     lambda match: "plus " + digit_by_digit(match[0])),
    (re.compile(r"(?<![\w+])(?:1[-. ])?(?:\([0-9]{3}\) ?|[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4}(?![\w-])"), _digits),
    (re.compile(r"(?<![\w+])[0-9]{4}(?: [0-9]{4}){2,}(?: [0-9]{1,4})?(?!\w)"), _digits),  # cards and accounts
    (re.compile(r"(?<![\w+-])[0-9]{1,6}(?:-[0-9]{1,7}){3,}(?![\w-])"), _digits),
    (re.compile(r"(?<![\w.,/-])[0-9]{3}-[0-9]{2}(?!00)[0-9]{2}(?![\w-]|[.,/][0-9])"), _digits),
    (re.compile(r"(?<![\w/.,:+-])(?=(?:[0-9][ -]?){7,15}(?![0-9]))0[0-9]{1,5}(?:[ -][0-9]{2,8}){1,4}"
                r"(?![\w/]|[.,:-][0-9])"), _digits),
    (re.compile(rf"{_NOT_INSIDE}(?<![0-9] )0[0-9]+{_NOT_PARTLY}"), _digits),
    (re.compile(rf"(?i)(\b(?:call|dial|ring|text) )([19][0-9]{{2}}){_NOT_PARTLY}(?! [a-z]+s\b)"), _digits_after),
    (re.compile(rf"(?i)(\b(?:pin|(?:pass)?code|password|otp|zip)(?: is| was| number)?:? )([0-9]{{3,10}}){_NOT_PARTLY}"),
     _digits_after),
)  # fmt: skip
"""Digit by digit: telephone numbers, codes, emergency calls and whatever begins with a zero."""

_CURRENCIES: Final = {"$": "dollars", "€": "euros", "£": "pounds"}
_SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£", **{symbol: symbol for symbol in _CURRENCIES}}
_COUNTRIES: Final = {
    "US": "U.S", "A": "Australian", "AU": "Australian", "C": "Canadian", "CA": "Canadian", "NZ": "New Zealand",
    "HK": "Hong Kong", "S": "Singapore",
}  # fmt: skip
_LARGE: Final = r"(?:hundred|thousand|million|billion|trillion|[kKmMbB]\b)"
_SHORT: Final = {"mn": "million", "bn": "billion", "tn": "trillion"}


def _money(match: re.Match[str]) -> str:
    """Write an amount as hibari reads it: the symbol in front, and two decimals or none."""
    symbol = _SYMBOLS[match["before"] or match["after"]]
    whole, _, cents = match["amount"].partition(".")
    if len(cents) > 2:
        return f"{match['amount']} {_CURRENCIES[symbol]}"
    return f"{symbol}{whole}.{cents:0<2}" if cents else f"{symbol}{whole}"


_MONEY: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<=[$€£])(?=\.[0-9])"), "0"),
    # a comma with two decimals beside the symbol
    (re.compile(r"(?<![\w.,])[0-9]+,[0-9]{2}(?= ?[$€£]| ?EUR\b)|(?<=€)[0-9]+,[0-9]{2}(?![\w,]|\.[0-9])"),
     lambda match: match[0].replace(",", ".")),
    (re.compile(rf"(?<=[0-9]) ?({'|'.join(_SHORT)})\b"), lambda match: " " + _SHORT[match[1]]),
    (re.compile(rf"\b(US|AU?|CA?|NZ|HK|S)\$ ?({NUMBER})(?: ?({_LARGE}))?"),
     lambda match: " ".join(filter(None, (match[2], match[3], _COUNTRIES[match[1]], "dollars")))),
    (re.compile(rf"(?<!\w)[-−–](?=[$€£]{NUMBER})"), "minus "),
    (re.compile(rf"([$€£])({NUMBER}) ?[-–] ?({NUMBER})(?! ?{_LARGE})(?![\w%])"),
     lambda match: f"{match[2]} to {match[3]} {_CURRENCIES[match[1]]}"),
    (re.compile(rf"(?<=[0-9]) ?[-–] ?(?=[$€£]{NUMBER})"), " to "),
    (re.compile(rf"(?<![\w$€£])(?P<before>[$€£]|USD|EUR|GBP) ?(?P<amount>{NUMBER})(?![\w%]| ?{_LARGE})(?P<after>)"),
     _money),
    (re.compile(rf"(?<![\w.,$€£])(?P<before>)(?P<amount>{NUMBER}) ?(?P<after>[$€£]|(?:USD|EUR|GBP)\b)(?!\w)"), _money),
)  # fmt: skip

_PARTS: Final = {
    2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth", 10: "tenth",
    16: "sixteenth", 32: "thirty-second", 64: "sixty-fourth",
}  # fmt: skip
_SAYINGS: Final = r"24/7|9/11|7/7|20/20|4/20|50[/-]50|60[/-]40|80[/-]20"
"""Pairs of numbers that have become words."""

_PER: Final = {
    "sec": "second", "min": "minute", "hr": "hour", "mo": "month", "yr": "year", "kg": "kilogram", "lb": "pound",
    "second": "second", "minute": "minute", "hour": "hour", "day": "day", "night": "night", "week": "week",
    "month": "month", "year": "year", "person": "person", "user": "user", "seat": "seat", "item": "item",
    "unit": "unit", "mile": "mile",
}  # fmt: skip
"""What a price or a number of things is counted for."""

_OF_A_SUM: Final = r" ?[=+*×÷]"


def _fraction(numerator: int, denominator: int) -> str:
    """Return a fraction in words, its numerator as a number."""
    part = _PARTS[denominator]
    if numerator == 1:
        return f"one {part}"
    return f"{numerator} {'halves' if part == 'half' else part + 's'}"


def _mixed(match: re.Match[str]) -> str:
    """Read a whole number with a fraction: 1 and one half."""
    numerator, denominator = int(match[2]), int(match[3])
    if numerator < denominator and denominator in _PARTS:
        return f"{match[1]} and {_fraction(numerator, denominator)}"
    return match[0]


def _fraction_sign(match: re.Match[str]) -> str:
    """Read a character such as ¾, with the whole number before it."""
    value = Fraction(numeric(match[2])).limit_denominator(10)
    words = _fraction(value.numerator, value.denominator)
    return f"{match[1]} and {words}" if match[1] else f" {words} "


_RATIOS: Final[tuple[Rule, ...]] = (
    (re.compile(rf"(?<=[0-9%s])/({'|'.join(_PER)})\b"), lambda match: f" per {_PER[match[1]]}"),
    (re.compile(rf"(?<![\w/.-])({_SAYINGS})(?![\w/-]|\.[0-9])"), lambda match: re.sub("[/-]", " ", match[0])),
    (re.compile(r"(?<![\w/.])([0-9]{1,2})/([248]|16)(?= (?:time|meter|metre|beat)\b)"), r"\1 \2"),
    (re.compile(rf"(?<![\w/.])([0-9]+)[ -]([0-9]{{1,2}})/([0-9]{{1,2}}){_NOT_PARTLY}"), _mixed),
    # tenths and hundredths are written with a point: these are ratings, as is what is whole or has a point
    (re.compile(rf"(?<![\w/.])({NUMBER})/(100?|\1){_NOT_PARTLY}(?!{_OF_A_SUM})"), r"\1 out of \2"),
    (re.compile(rf"(?<![\w/.])([0-9]+\.[0-9]+)/([0-9]+){_NOT_PARTLY}(?!{_OF_A_SUM})"), r"\1 out of \2"),
    (re.compile(rf"(?<![\w/.])({NUMBER})/([0-9]+)(?= (?:stars?|points?|marks?)\b)"), r"\1 out of \2"),
    (re.compile(rf"(?i)(\b(?:rated?|rating|scored?)(?: \w+)?:? )({NUMBER})/([0-9]+){_NOT_PARTLY}"), r"\1\2 out of \3"),
    (re.compile(r"(?<![\w/.])([0-9]{2,3})/([0-9]{2,3})(?= ?mm ?Hg)"), r"\1 over \2"),
    # parts of an inch; without its name they would be dates
    (re.compile(r"(?<![\w/.])(1|3|5|7|9|11|13|15)/(16|32|64)(?=[- ](?:inch|in\b|of|cup|teaspoon|tablespoon|mile))"),
     lambda match: _fraction(int(match[1]), int(match[2]))),
    (re.compile(r"([0-9]*)([¼½¾⅐-⅞])"), _fraction_sign),
)  # fmt: skip


def _difference_or_range(match: re.Match[str]) -> str:
    """Read a hyphen between numbers: between blanks a difference, if it falls; else a range or a score."""
    first, hyphen, second = match[1], match[2], match[3]
    falls = _value(first) > _value(second)
    return f"{first} minus {second}" if " " in hyphen and falls else f"{first} to {second}"


def _value(number: str) -> float:
    return float(re.sub(r"[^0-9.]", "", number))


_SUMS: Final[tuple[Rule, ...]] = (
    (re.compile(rf"(?<=[0-9)]) ?/ ?(?={NUMBER} ?=)"), " divided by "),
    (re.compile(r"(?<=[0-9)]) ?\* ?(?=[-−(]?[0-9])|(?<=[0-9)])\*(?=[a-z(])"), " times "),
    (re.compile(r"(?<=[0-9)]) ?[xX] ?(?=[0-9])"), " by "),
    (re.compile(r"(?<=[0-9)]) ?\+ ?(?=[-−(]?[0-9])"), " plus "),
    (re.compile(r"(?<=[0-9a-z)]) ?[-−–] ?(?=[0-9a-z(][0-9.,a-z)]* ?=)"), " minus "),
    (re.compile(r"(?<=[0-9)]) [-–] (?=[0-9.,]+ (?:is|equals|makes|gives|leaves)\b)"), " minus "),
    (re.compile(r"(?<=[\w)]) ?− ?(?=\w)"), " minus "),
)
_RANGES: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?i)([0-9] ?[ap]\.?m\.?|\b[0-9]{1,2}:[0-5][0-9]) ?[-–] ?(?=[0-9])"), r"\1 to "),  # of times
    (re.compile(rf"(?<![\w.,/-])({NUMBER}%?)( ?[-–] ?)({NUMBER}%?)(?![\w-]|[.,/:][0-9])"), _difference_or_range),
    (re.compile(rf"(?<![\w.,/-])({NUMBER})[-–]({NUMBER})(?=[a-zA-Z°])(?!(?:st|nd|rd|th)\b)"), r"\1 to \2"),
    (re.compile(r"(?<![\w.:])([0-9]{1,2}):([0-9])(?![\w:]|[.,][0-9])"), r"\1 to \2"),
    (re.compile(r"(?<![\w)\]%.])[-−] ?(?=\.?[0-9])"), "minus "),
    (re.compile(r"(?<![\w)\]])−(?= ?[0-9a-z])"), "minus "),
)

_MEASURES: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<![\w.])([0-9]{1,2})['′’] ?([0-9]{1,2})(?:[\"″”]|'')"), r"\1 foot \2"),
    (re.compile(r"(?<=[0-9] ft )([0-9]{1,2}) in\b"), r"\1 inches"),
    (re.compile(r"\b1h ?(?=[0-9]{2}\b)"), "1 hour "),
    (re.compile(r"(?<=[0-9])h(?=[0-9]{2}\b)"), " hours "),
    (re.compile(r"(?<=[0-9]h) ?([0-9]{1,2}) ?m(?:in)?\b"), r" \1 minutes"),
    (re.compile(r"(?<=[0-9]) s(?=[.,;:!?)]|$| [a-z])"), " seconds"),
)  # fmt: skip

_GROUPING: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<![\w.])([0-3]?[0-9])\.([01]?[0-9])\.([12][0-9]{3})(?!\w|\.\w)"),  # day, month and year
     lambda match: f"{match[3]}-{match[2]:0>2}-{match[1]:0>2}"),
    (re.compile(r"(?<=[0-9])[\u00a0\u202f\u2009](?=[0-9]{3}(?![0-9]))"), ","),
    (re.compile(r"[\u00a0\u202f\u2009]"), " "),
    # a comma for the point, where groups of thousands prove it
    (re.compile(r"(?<![\w.,])[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+(?![\w,]|\.[0-9])"),
     lambda match: match[0].translate(str.maketrans(".,", ",."))),
)  # fmt: skip

NUMBERS: Final = (*_GROUPING, *_TELEPHONE, *_MONEY, *_RATIOS, *_SUMS, *_RANGES, *_MEASURES)
"""All rules for numbers, in the order in which they are to be applied."""
