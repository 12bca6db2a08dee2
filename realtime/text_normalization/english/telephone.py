"""Telephone numbers, codes and whatever else is read digit by digit."""

import re
from typing import Final

from realtime.text_normalization.numerals import cardinal, digit_by_digit
from realtime.text_normalization.rules import Rule

_NOT_INSIDE: Final = r"(?<![\w/.,:-])"
"""Before a number that is not a part of a longer number, a date or a word."""

_NOT_PARTLY: Final = r"(?![\w/]|[.,:-][0-9])"
"""After such a number."""


def _digits(match: re.Match[str]) -> str:
    return digit_by_digit(match[0])


def _digits_after(match: re.Match[str]) -> str:
    """Read the second group digit by digit."""
    return match[1] + digit_by_digit(match[2])


def _telephone(match: re.Match[str]) -> str:
    """Read the groups of a telephone number digit by digit, but 800 as a whole; the country code 1 joins the next."""
    groups = re.findall("[0-9]+", match[0])
    said = [f"{cardinal(int(group[0]))} hundred" if re.fullmatch("[1-9]00", group) else digit_by_digit(group)
            for group in groups]  # fmt: skip
    if groups[0] == "1" and len(groups) == 4:
        said[:2] = [" ".join(said[:2])]
    return ("plus " if match[0].startswith("+") else "") + ", ".join(said)


def _with_trunk_prefix(match: re.Match[str]) -> str:
    """Read the groups of a number that begins with zero digit by digit, but 0800 as "zero eight hundred"."""
    return re.sub(r"^zero (\w+) zero zero(?=,)", r"zero \1 hundred", digit_by_digit(match[0]))


TELEPHONE: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<!\w)\+(?=(?:[ ()/.-]{0,2}[0-9]){7,15}(?![\w%]|\.[0-9]))[0-9][0-9 ()/.-]{5,}[0-9](?!\w)"),
     _telephone),
    (re.compile(r"(?<![\w+])(?:1[-. ])?(?:\([0-9]{3}\)[- ]?|[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4}(?![\w-])"), _telephone),
    (re.compile(r"(?<![\w+])[0-9]{3,4}(?: [0-9]{4}){2,}(?: [0-9]{1,4})?(?!\w)"), _digits),  # cards and accounts
    (re.compile(r"(?<![\w+-])[1-9][0-9]?(?:-[1-9][0-9]?){3,}(?![\w-])"), lambda match: match[0].replace("-", ", ")),
    (re.compile(r"(?<![\w+-])[0-9]{1,6}(?:-[0-9]{1,7}){3,}(?![\w-])"), _digits),
    (re.compile(r"(?<![\w+-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![\w-])"), _digits),
    (re.compile(r"(?<![\w.,/:+$-])(#?)[0-9]{2,4}-[0-9]{6,9}(?![\w-]|[.,:/][0-9])"),  # of an order
     lambda match: ("number " if match[1] else "") + _digits(match)),
    (re.compile(r"(?<![\w+-])1-(8[0-9]{2})-(?=[A-Z])"), lambda match: f"one {cardinal(int(match[1]))} "),
    (re.compile(r"(?<![\w.,/-])[0-9]{3}-[0-9]{2}(?!00)[0-9]{2}(?![\w-]|[.,/][0-9])"), _digits),
    (re.compile(r"(?<![\w.,/:+-])([0-9]{1,6})-(0[0-9]{2,6})(?![\w-]|[.,:/][0-9])"),  # of an invoice
     lambda match: f"{match[1]}, {digit_by_digit(match[2])}"),
    (re.compile(r"(?<![\w/.,:+-])(?=(?:[0-9][ -]?){7,15}(?![0-9]))0[0-9]{1,5}(?:[ -][0-9]{2,8}){1,4}"
                r"(?![\w/]|[.,:-][0-9])"), _with_trunk_prefix),
    (re.compile(rf"{_NOT_INSIDE}(?<![0-9] )0[0-9]+{_NOT_PARTLY}"), _digits),
    (re.compile(rf"(?i)(\b(?:call|dial|ring|text) )([19][0-9]{{2}}){_NOT_PARTLY}(?! [a-z]+s\b)"), _digits_after),
    (re.compile(rf"(?i)(\b(?:call|dial|ring|phone) (?:[0-9-]{{3,5}},? or )?)(999|112|[1-8]11|101|988){_NOT_PARTLY}"
                r"(?! [a-z]+s\b)"), _digits_after),
    (re.compile(rf"(?i)(\b(?:text|message) (?:\S+ ){{0,3}}?(?:to|at) )([0-9]{{4,6}}){_NOT_PARTLY}(?! [a-z]+s\b)"),
     _digits_after),
    (re.compile(rf"(?<!Porsche ){_NOT_INSIDE}911{_NOT_PARTLY}(?! [a-z]+s\b)"), _digits),
    (re.compile(rf"(?i)(\b(?:pin|(?:pass)?code|password|otp|zip|ending in|ends in)(?: is| was| number)?:? )"
                rf"([0-9]{{3,10}}(?: [0-9]{{3,4}})*){_NOT_PARTLY}"),
     _digits_after),
)  # fmt: skip
"""Digit by digit: telephone numbers, codes, emergency calls and whatever begins with a zero."""
