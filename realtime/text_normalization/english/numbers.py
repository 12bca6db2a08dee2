"""Numbers whose reading depends on what they stand for: ratings, sums, ranges, measures.

Numbers that are read as plain ones are left to `words.py`.
"""

import re
from fractions import Fraction
from typing import Final
from unicodedata import numeric

from realtime.text_normalization.numerals import cardinal
from realtime.text_normalization.ordinals import ordinal
from realtime.text_normalization.rules import NUMBER, Rule, one_of

_SUBSCRIPTS: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

_NOT_PARTLY: Final = r"(?![\w/]|[.,:-][0-9])"
"""After a number that is not a part of a longer number, a date or a word."""


def _scientific(match: re.Match[str]) -> str:
    sign = "minus " if match[2] in ("-", "−") else ""
    return f"{match[1]} times 10 to the power of {sign}{match[3]}"


_PARTS: Final = {
    2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth", 10: "tenth",
    12: "twelfth", 16: "sixteenth", 32: "thirty-second", 64: "sixty-fourth", 100: "hundredth",
}  # fmt: skip
_SAYINGS: Final = r"24[/-]7|9/11|7/7|20[/-]20|4/20|50[/-]50|60[/-]40|80[/-]20"
"""Pairs of numbers that have become words."""

_PER: Final = {
    "sec": "second", "min": "minute", "hr": "hour", "mo": "month", "yr": "year", "kg": "kilogram", "lb": "pound",
    "second": "second", "minute": "minute", "hour": "hour", "day": "day", "night": "night", "week": "week",
    "month": "month", "year": "year", "person": "person", "user": "user", "seat": "seat", "item": "item",
    "unit": "unit", "mile": "mile", "bbl": "barrel", "oz": "ounce", "gal": "gallon", "mi": "mile", "km": "kilometer",
    "ton": "ton", "tonne": "tonne", "head": "head", "wk": "week",
}  # fmt: skip
"""What a price or a number of things is counted for."""

_ASSESSED: Final = (
    "stars|points|marks|questions|answers|items|tests|tasks|problems|cases|students|patients|participants|respondents|games"
    "|quiz|test|exam|essay|midterm|survey|matches|samples|correct|correctly|right"
)
"""What a rating, or a part of a whole, is counted in."""

_ARITHMETIC: Final = re.compile(
    r"(?i)\b(?:simplif\w+|reduc\w+|fractions?|numerators?|denominators?|multipl\w+|equals?|decimals?|pi|π)\b|[=×÷≈]"
    r"|[0-9]/[0-9]+ (?:of|times|plus|minus) [0-9]|(?<![0-9/])(?:1/2|[12]/3|[13]/4|[1357]/8), [0-9]+/[0-9]"
    r"|\b(?:roughly|approximately|exactly|nearly|almost) [0-9]+/[0-9]"
    r"|[0-9], (?:1/2|[12]/3|[13]/4|[1357]/8)\b|(?:third|quarter|fif|six|eigh|ten)(?:th)?s? (?:of (?:one|two|three|four"
    r"|five|six|seven|[0-9])|plus|minus|times)\b"
)
"""Around a fraction that is no date."""

_OF_A_SUM: Final = r" ?[=+*×÷]"


def _fraction(numerator: int, denominator: int) -> str:
    """Return a fraction in words."""
    part = _PARTS.get(denominator) or ordinal(denominator)
    if numerator == 1:
        return f"one {part}"
    return f"{cardinal(numerator)} {'halves' if part == 'half' else part + 's'}"


def _mixed(match: re.Match[str]) -> str:
    """Read a whole number with a fraction: "one and a half"."""
    numerator, denominator = int(match[2]), int(match[3])
    if numerator < denominator and denominator in _PARTS:
        return f"{cardinal(int(match[1]))} and {_with_article(_fraction(numerator, denominator))}"
    return match[0]


def _with_article(fraction: str) -> str:
    """Return a fraction as it follows a whole number: "a half", "a third"."""
    return "a " + fraction.removeprefix("one ") if fraction.startswith("one ") else fraction


def _half_of(match: re.Match[str]) -> str:
    return "half an" if match.string.startswith((" hour", " inch"), match.end()) else "half a"


def _fraction_of(match: re.Match[str]) -> str:
    """Read a proper fraction of something, or in a sum; what is larger than one is left for a division."""
    numerator, denominator = int(match[1]), int(match[2])
    return _fraction(numerator, denominator) if 0 < numerator < denominator else match[0]


def _plain_fraction(match: re.Match[str]) -> str:
    """Read a part of a whole; what can be a day of a month is left for a date."""
    numerator, denominator = int(match[1]), int(match[2])
    if 0 < numerator < denominator and denominator in _PARTS and denominator <= 10:
        return _fraction(numerator, denominator)
    if _ARITHMETIC.search(match.string, max(0, match.start() - 40), match.end() + 40):
        proper = 0 < numerator < denominator <= 20
        return _fraction(numerator, denominator) if proper else f"{match[1]} over {match[2]}"
    if max(numerator, denominator) <= 31 and min(numerator, denominator) <= 12:
        return match[0]
    return f"{match[1]} over {match[2]}"


def _vision(match: re.Match[str]) -> str:
    """Read how sharply somebody sees: "twenty forty"."""
    around = match.string[max(0, match.start() - 40) : match.end() + 40]
    return f"20 {match[1]}" if re.search("vision|eyesight", around) else match[0]


def _fraction_sign(match: re.Match[str]) -> str:
    """Read a character such as ¾, with the whole number before it."""
    value = Fraction(numeric(match[2])).limit_denominator(10)
    words = _fraction(value.numerator, value.denominator)
    return f"{cardinal(int(match[1]))} and {_with_article(words)}" if match[1] else f" {words} "


RATIOS: Final[tuple[Rule, ...]] = (
    # of a screw: its diameter and its threads per inch
    (re.compile(r"(?<![\w./-])([0-9]{1,2})/([0-9]{1,2})-([0-9]{1,2})(?= (?:thread|bolt|screw|nut|stud|tap|hole)s?\b)"),
     lambda match: f"{_fraction(int(match[1]), int(match[2]))} {match[3]}"),
    (re.compile(r"([0-9]/[0-9]{1,2}) ?[-−–] ?(?=[0-9]{1,2}/[0-9]{1,2} ?=)"), r"\1 minus "),
    (re.compile(r"(?i)(\b(?:page|step|slide|question|part|level|day|week|episode|round|lesson|item|attempt) )"
                rf"([0-9]{{1,4}})/([0-9]{{1,4}}){_NOT_PARTLY}"), r"\1\2 of \3"),
    (re.compile(r"(?<![\w/.])([0-9]{1,3})/([0-9]{1,3})(?= (?:fav|favou?rite|outsider|odds|shot)\b)"), r"\1 to \2"),
    # of a match: the 67' minute, the 90+3' minute
    (re.compile(r"(?<![\w.])([0-9]{2,3})(?:\+([0-9]{1,2}))?['′’](?= minute\b)"),
     lambda match: f"{match[1]} plus {match[2]}" if match[2] else f"{match[1]}th"),
    (re.compile(r"(?i)(\bodds (?:of|are|were|at) )([0-9]{1,3})/([0-9]{1,3})(?![\w/])"), r"\1\2 to \3"),
    (re.compile(rf"(?<=[\w%])/({one_of(_PER)})\b(?!/)|(?<=\bper) ({one_of(_PER)})\b"),
     lambda match: f" {'per ' if match[1] else ''}{_PER[match[1] or match[2]]}"),
    (re.compile(r"\b(dollars?|cents?|euros?|pounds?|pence|yen|rupees)/(?!dollar|cent|euro|pound|yen|rupee)(?=[a-z])"),
     r"\1 per "),
    (re.compile(r"\b(FY ?'?)([0-9]{2})/([0-9]{2})\b"), r"\1\2 \3"),
    (re.compile(r"(?<![\w/.])([0-9]{1,2})/([0-9]{1,3})(?:ths?|rds?|nds?)\b"), _fraction_of),
    (re.compile(rf"(?<![\w/.-])({_SAYINGS})(?![\w/-]|\.[0-9])"), lambda match: re.sub("[/-]", " ", match[0])),
    (re.compile(r"(?<![\w/.])20/([1-9][0-9]{1,2})(?![\w/])"), _vision),
    (re.compile(r"(?<![\w/.])([0-9]{1,2})/([248]|16)(?= (?:time|meter|metre|beat)\b)"), r"\1 \2"),
    (re.compile(rf"(?<![\w/.])([0-9]+)[ -]([0-9]{{1,2}})/([0-9]{{1,2}}){_NOT_PARTLY}"), _mixed),
    (re.compile(r"(?<![\w/.])([0-9]{1,3})/([0-9]{1,4})(?= of (?!20[0-9]{2}\b|1[0-9]{3}\b))"), _fraction_of),
    (re.compile(r"(?<![\w/.])([0-9]{1,2})/([0-9]{1,2})(?= ?[=+×÷−] ?[0-9(]| minus [0-9/ ]+=)"), _fraction_of),
    # tenths and hundredths are written with a point: these are ratings, as is what is whole or has a point
    (re.compile(rf"(?<![\w/.])({NUMBER})/(100?|\1){_NOT_PARTLY}(?!{_OF_A_SUM})"), r"\1 out of \2"),
    (re.compile(rf"(?<![\w/.])([0-9]+\.[0-9]+)/([0-9]+(?:\.[0-9])?){_NOT_PARTLY}(?!{_OF_A_SUM})"), r"\1 out of \2"),
    (re.compile(rf"(?<![\w/.])({NUMBER})/([0-9]+)(?= (?:(?:on|in) \w+ )?(?:{_ASSESSED})\b)"), r"\1 out of \2"),
    (re.compile(rf"(?i)(\b(?:rated?|rating|scored?)(?: \w+)?:? |\b(?:got|earned) (?=[0-9.]+/[1-9]0\b))"
                rf"({NUMBER})/([0-9]+){_NOT_PARTLY}"),
     r"\1\2 out of \3"),
    (re.compile(r"(?<![\w/.])([0-9]{2,3})/([0-9]{2,3})(?= ?mm ?Hg)"), r"\1 over \2"),
    # parts of an inch; without its name they would be dates
    (re.compile(r"(?<![\w/.])(1|3|5|7|9|11|13|15)/(16|32|64)"
                r"(?=[\"″”]|[- ](?:inch|in\b|of|cup|teaspoon|tablespoon|mile))"),
     lambda match: _fraction(int(match[1]), int(match[2]))),
    (re.compile(r"(?<![\w./-])([1-9][0-9]?)-(?=[¼½¾⅐-⅞])"), r"\1"),  # "3-½ inch"
    (re.compile(r"(?<=[0-9¼½¾⅐-⅞]) ?[-–] ?(?=[0-9]{0,2} ?[¼½¾⅐-⅞])|(?<=[¼½¾⅐-⅞])[-–](?=[0-9])"
                r"|(?<=[0-9])[-–](?=#[0-9])"),
     " to "),
    (re.compile(r"([0-9]*) ?([¼½¾⅐-⅞])"), _fraction_sign),
    (re.compile(r"(?<![\w/.])(?<!and )1/2(?= (?:hour|cup|teaspoon|tablespoon|tsp|tbsp|Tbsp|pound|lb|mile|inch|dozen))"),
     _half_of),
    (re.compile(rf"(?<![\w/.])([0-9]{{1,2}})/([0-9]{{1,3}}){_NOT_PARTLY}(?!{_OF_A_SUM})"), _plain_fraction),
    (re.compile(rf"(?<![\w/.])([0-9]{{3,}})/([0-9]+){_NOT_PARTLY}(?!{_OF_A_SUM})"), r"\1 over \2"),
)  # fmt: skip


def _difference_or_range(match: re.Match[str]) -> str:
    """Read a hyphen between numbers: between blanks a difference, if it falls; else a range or a score."""
    first, hyphen, second = match[1], match[2], match[3]
    falls = _value(first) > _value(second)
    return f"{first} minus {second}" if " " in hyphen and falls else f"{first} to {second}"


def _value(number: str) -> float:
    return float(re.sub(r"[^0-9.]", "", number))


_SUMS: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<=[0-9]) ?· ?(?=[0-9])"), " times "),
    (re.compile(r"(?<=[0-9])\((?=[0-9a-z]+ ?[-−+*×/] ?[0-9a-z]+\))"), " times ("),
    (re.compile(rf"(?<=[0-9)]) ?/ ?(?={NUMBER} ?=)"), " divided by "),
    (re.compile(r"(?<=[0-9)]) ?\* ?(?=[-−(]?[0-9])|(?<=[0-9)])\*(?=[a-z(])"), " times "),
    (re.compile(r"(?:(?<=[0-9)\"″])|(?<=[0-9]['′’])) ?[xX] ?(?=[0-9])|(?<=[0-9][\"″'′’]) ?× ?(?=[0-9])"), " by "),
    (re.compile(r"((?<=[0-9])|(?<=[0-9] ))([ckm]?m|ft|in)\.? ?[xX×] ?(?=[0-9])"), r"\2 by "),
    (re.compile(r"(?<=[0-9]) [xX] (?=[a-z])"), " times "),  # an amount of money, which is in words by now
    (re.compile(r"(?<=[0-9)]) ?\+ ?(?=[-−(]?[0-9])"), " plus "),
    (re.compile(r"(?<=[0-9a-z)]) ?[-−–] ?(?=[0-9a-z(][0-9.,a-z)]* ?=)"), " minus "),
    (re.compile(r"(?<=[0-9)]) [-–] (?=[0-9.,]+ (?:is|equals|makes|gives|leaves)\b)"), " minus "),
    (re.compile(r"(?<=[\w)]) ?− ?(?=\w)"), " minus "),
)
_RANGES: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<![\w.:])([0-9]+\.[0-9]+):([0-9.]*[0-9])(?![\w:])"), r"\1 to \2"),
    (re.compile(rf"(?<![\w.,/-])({NUMBER}%?)( ?[-–] ?)({NUMBER}%?)(?![\w-]|[.,/:][0-9])"), _difference_or_range),
    (re.compile(rf"(?<![\w.,$€£/-])({NUMBER})[xX×]?[-–]({NUMBER})[xX×](?!\w)"), r"\1 to \2 times"),
    (re.compile(r"(?<![\w.,$€£/=+*(-])(?<![=+−*/-] )([0-9]+\.[0-9]+)[xX×](?!\w| ?[-+=*/^−])"), r"\1 times"),
    (re.compile(rf"(?<![\w.,/-])({NUMBER})[-–]({NUMBER})(?=[a-zA-Z°])(?!(?:st|nd|rd|th)\b)"), r"\1 to \2"),
    (re.compile(r"(?<![\w.:])([0-9]{1,2}):([0-9]{1,2})(?![\w:]|[.,][0-9])"), r"\1 to \2"),
    (
        re.compile(
            rf"(?<![\w.,:])(?:1:{NUMBER}|{NUMBER}:1|[0-9]{{1,3}}:(?:[0-9]{{4,}}|[0-9]{{1,3}},[0-9]{{3}}))(?![\w:])"
        ),
        lambda match: match[0].replace(":", " to "),
    ),
    (re.compile(r"(?<![\w)\]%.])[-−] ?(?=\.?[0-9])"), "minus "),
    (re.compile(r"(?<![\w)\]])−(?= ?[0-9a-z])"), "minus "),
)

_MEASURES: Final[tuple[Rule, ...]] = (
    # of a place on the earth
    (re.compile(r"(?<![\w.])([0-9]{1,3})° ?([0-9]{1,2}(?:\.[0-9]+)?)['′’]"
                r"(?: ?([0-9]{1,2}(?:\.[0-9]+)?)(?:[\"″”]|''))?"),
     lambda match: f"{match[1]} degrees {match[2]} minutes" + (f" {match[3]} seconds" if match[3] else "")),
    (re.compile(r"(?<![\w.])([0-9]+)[xX](?= (?:daily|weekly|monthly|yearly|a (?:day|week|month|year)|per)\b)"),
     r"\1 times"),
    (re.compile(r"(?<![\w.])([0-9]{1,2})['′’] ?([0-9]{1,2})(?:[\"″”]|'')"), r"\1 foot \2"),
    (re.compile(r"(?<![\w.])([4-7])['′’](1[01]|[0-9])(?![\w'’])"), r"\1 foot \2"),
    (re.compile(r"(?<=[0-9] ft )([0-9]{1,2}) in\b"), r"\1 inches"),
    (re.compile(r"\b1h ?(?=[0-9]{2}\b)"), "1 hour "),
    (re.compile(r"(?<=[0-9])h(?=[0-9]{2}\b)"), " hours "),
    (re.compile(r"(?<=[0-9]h) ?([0-9]{1,2}) ?m(?:in)?\b"), r" \1 minutes"),
    (re.compile(r"(?<=[0-9]) s(?=[.,;:!?)]|$| [a-z])"), " seconds"),
)  # fmt: skip

_LARGE: Final = {"mn": "million", "bn": "billion", "tn": "trillion"}
_COUNTED_IN_MILLIONS: Final = (
    "people|users|followers|views|viewers|downloads|jobs|homes|households|tonnes|tons|customers|subscribers|copies|visitors"
    "|votes|voters|children|women|men|workers|patients|cases|deaths|doses|cars|passengers|members|listeners|students"
)
"""What is counted in millions, and has no length in meters."""

_OF_A_RATIO: Final = "ratio of|ratio is|ratio was|ratio to|odds of|odds are|scale of|proportion of|diluted|mixed|scaled"

GROUPING: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<![\w.,])([0-9]+(?:\.[0-9]+)?)[eE]([+−-]?)([0-9]{1,3})(?![\w.])"), _scientific),
    (re.compile(r"(?<![\w.,])([0-9]+),([0-9]{1,2})(?= [a-z]{2,}\b(?<! and)(?<! or)| ?%)"), r"\1.\2"),
    (re.compile(r"(?<![\w.,$€£])([0-9]+(?:\.[0-9]+)?) ?(mn|bn|tn)\b"), lambda match: f"{match[1]} {_LARGE[match[2]]}"),
    (re.compile(r"(?<![\w.,$€£])([0-9]+(?:\.[0-9]+)?)([KkMB])(?=\+ [a-z])"),
     lambda match: f"{match[1]} " + {"M": "million", "B": "billion"}.get(match[2], "thousand")),
    (re.compile(rf"(?<![\w.,$€£])([0-9]+(?:\.[0-9]+)?)m(?= (?:{_COUNTED_IN_MILLIONS})\b)"), r"\1 million"),
    (re.compile(r"(?i)(\bratios?\b[^.;:0-9]{0,30}[ (][0-9]{1,3}):([0-9]{1,3})( (?:to|and|or) [0-9]{1,3})"
                r":([0-9]{1,3})(?![\w:])"),
     r"\1 to \2\3 to \4"),
    (re.compile(rf"(?i)((?:{_OF_A_RATIO}) )([0-9]{{1,3}}):([0-9]{{1,3}})(?![\w:]|[.,][0-9])"), r"\1\2 to \3"),
    (re.compile(r"(?<![\w.,:])([0-9]{1,3}):([0-9]{1,3})(?= (?:ratio|scale|odds|split|mix|mixture|dilution|aspect)\b)"),
     r"\1 to \2"),
    (re.compile(r"(?<![\w.,])[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![\w,])"), lambda match: match[0].replace(",", "")),
    (re.compile(r"(?<=[0-9][°'′’\"″”])(?=[NSEW](?![\w'’]))"), " "),  # of a place on the earth
    (re.compile("[₀-₉]+"), lambda match: match[0].translate(_SUBSCRIPTS)),
    (re.compile(r"(?<!\w)\+ ?/ ?[-−] ?"), "plus or minus "),
    (re.compile(r"(?<=[0-9]) ?~ ?(?=[-−]?[0-9])"), " to "),
    (re.compile(r"~ ?(?=[$€£]?[0-9])"), "about "),
    (re.compile(r"(?m)^([ \t]*[0-9]{1,3})\)(?= )"), r"\1."),
    (re.compile(r"(?<=[0-9])[\u00a0\u202f\u2009](?=[0-9]{3}(?![0-9]))"), ","),
    (re.compile(r"[\u00a0\u202f\u2009]"), " "),
    # a comma for the point, where groups of thousands prove it
    (re.compile(r"(?<![\w.,])[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+(?![\w,]|\.[0-9])"),
     lambda match: match[0].translate(str.maketrans(".,", ",."))),
)  # fmt: skip

CALCULATIONS: Final = (*_SUMS, *_RANGES, *_MEASURES)
"""Sums, ranges and measures, after dates, money and ratios."""
