"""What the grammar of `grammar.py` needs to know of a language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from realtime.text_normalization.european.dictionary import Dictionary


class Currency(NamedTuple):
    """Names for one and for several, of the unit and of its hundredth."""

    one: str
    several: str
    hundredth: str = ""
    hundredths: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """The words and the conventions of a language.

    Attributes:
        code: ISO 639 code.
        point: The word for the decimal comma.
        to: The word between the ends of a range.
        out_of: The word between what a rating is and what it can be at most: "huit sur dix".
        divided_by: What a colon in a calculation is read as.
        singular_below: Amounts below this one have the singular, as 1 has: 2 in French, else 0.
        symbols: Names of symbols by symbol.
        marks: Names of the marks in addresses.
        months: Names of the months.
        month_patterns: For each month a pattern of its name and its abbreviations.
        before_date: A pattern of words before a day and a month that only a slash parts.
        date: Says a day, a month (1 to 12) and a year, which may be empty, after the text before it.
        time: Says an hour, its minutes and its seconds.
        price: Says whole units and hundredths of a currency.
        currencies: Currencies by sign and by code.
        large: Names for one and for several of the large numbers by abbreviation and by name.
        of: What stands between a large number or a fraction and a noun: "millions d'euros".
        units: Names for one and for several of the units by symbol.
        agree: A number in words as it stands before a word, which is a noun or not: "veintiuna", "une".
        fraction: Says a fraction, given its numerator, its denominator and the word after it.
        mixed: Says a whole number with a fraction and the noun after them, which may be empty.
        telephone: Says a telephone number.
        abbreviations: Patterns of abbreviations, without the limits of words, with what they are read as.
        ending: Those of these readings that sentences end with, so that a capital after them begins another.
        dictionary: Further abbreviations, which need no pattern.
        ordinals: Patterns of ordinal numbers with the groups `number` and, for what stands before it, `before`; with
            what says the number, given the text before it, the number and the text after it.
    """

    code: str
    point: str
    to: str
    out_of: str
    divided_by: str
    singular_below: float
    symbols: Mapping[str, str]
    marks: Mapping[str, str]
    months: tuple[str, ...]
    month_patterns: tuple[str, ...]
    before_date: str
    date: Callable[[str, int, int, str], str]
    time: Callable[[int, int, int], str]
    price: Callable[[int, int, Currency], str]
    currencies: Mapping[str, Currency]
    large: Mapping[str, tuple[str, str]]
    of: Callable[[str], str]
    units: Mapping[str, tuple[str, str]]
    agree: Callable[[str, str], str]
    fraction: Callable[[int, int, str], str]
    mixed: Callable[[int, int, int, str], str]
    telephone: Callable[[str], str]
    abbreviations: Mapping[str, str]
    ending: frozenset[str]
    dictionary: Dictionary
    ordinals: tuple[tuple[str, Callable[[str, str, str], str]], ...]
