"""Fractions, ratings and divisions in German, French and Spanish."""

import re
from fractions import Fraction
from typing import Final
from unicodedata import numeric

from realtime.text_normalization.european.amounts import BLANK
from realtime.text_normalization.european.language import Language
from realtime.text_normalization.rules import Rule

_BEFORE: Final = r"(?<![\w/,.:-])"
_AFTER: Final = r"(?![\w/]|[.,:-][0-9])"
_WORD: Final = rf"(?:{BLANK}(?P<word>[^\W\d_]+))?"
_RATED: Final = re.compile("Stern|Punkt|étoile|point|estrella|punto")
"""What ratings are counted in."""

_SUM: Final = re.compile(" ?=")
_LARGEST: Final = 100
"""Largest denominator of what is said as a fraction."""


def fractions(language: Language) -> tuple[Rule, ...]:
    """Return the rules for fractions, with what they are parts of."""
    of = {"de": "der|des|dem|den|von|vom|aller", "fr": "de|des|du", "es": "de|del"}[language.code]
    is_part = re.compile(rf"{BLANK}(?:(?:{of})\b|d['’])")

    def named(numerator: int, denominator: int, word: str) -> str:
        """Say a fraction and the word after it, which may be a unit."""
        names = language.units.get(word)
        words = language.fraction(numerator, denominator, names[0] if names else word)
        if names:
            return f"{words} {names[0] if denominator == 2 else language.of(names[0])}"
        return f"{words} {word}".rstrip()

    def unit(word: str, number: int) -> str:
        """Return the name of a unit after a whole number with a fraction, and any other word as it is."""
        return language.units[word][number > 1] if word in language.units else word

    def mixed(match: re.Match[str]) -> str:
        word = match["word"] or ""
        number, numerator, denominator = int(match[1]), int(match[2]), int(match[3])
        if not numerator < denominator <= _LARGEST:
            return match[0]
        noun = unit(word, number)
        return language.mixed(number, numerator, denominator, noun)

    def fraction(match: re.Match[str]) -> str:
        """Say a fraction; what can be at most ten, twenty or a hundred without a noun is a rating."""
        numerator, denominator, word = int(match[1]), int(match[2]), match["word"] or ""
        if denominator and not numerator % denominator and _SUM.match(match.string, match.end()):
            return f"{match[1]} {language.divided_by} {match[2]}"
        part = is_part.match(match.string, match.end(2)) or word in language.units
        rated = denominator in (10, 20, 100) or numerator == denominator or _RATED.match(word)
        rating = numerator > 1 and not part and rated
        if not 0 < denominator <= _LARGEST or rating or numerator > denominator * 3:
            return f"{match[1]} {language.out_of} {match[2]}" + match[0][match.end(2) - match.start() :]
        return named(numerator, denominator, word)

    def sign(match: re.Match[str]) -> str:
        value = Fraction(numeric(match[2])).limit_denominator(10)
        word = match["word"] or ""
        if not match[1]:
            return " " + named(value.numerator, value.denominator, word)
        number = int(match[1])
        return language.mixed(number, value.numerator, value.denominator, unit(word, number))

    return (
        (re.compile(r"(?<=[0-9]) ?: ?(?=[0-9.,]+ ?=)"), f" {language.divided_by} "),
        (re.compile(rf"{_BEFORE}([0-9]{{1,3}}){BLANK}?(?P<unit>h|kg|l|km|m){BLANK}1/2{_AFTER}"),
         lambda match: language.mixed(int(match[1]), 1, 2, unit(match["unit"], int(match[1])))),
        (re.compile(rf"{_BEFORE}([0-9]+,[0-9]+)/(?=[0-9]{{1,3}}{_AFTER})"), rf"\1 {language.out_of} "),
        (re.compile(rf"{_BEFORE}([0-9]{{1,3}}){BLANK}([0-9]{{1,2}})/([0-9]{{1,3}}){_AFTER}{_WORD}"), mixed),
        (re.compile(rf"([0-9]{{0,3}}){BLANK}?([¼½¾⅐-⅞]){_WORD}"), sign),
        (re.compile(rf"{_BEFORE}([0-9]{{1,3}}) ?/ ?([0-9]{{1,4}}){_AFTER}{_WORD}"), fraction),
    )  # fmt: skip
