"""What the grammar of `grammar.py` needs to know of a language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


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
        symbols: Names of symbols by symbol.
        marks: Names of the marks in addresses.
        months: Names of the months.
        month_patterns: For each month a pattern of its name and its abbreviations.
        date: Says a day, a month (1 to 12) and a year, which may be empty, after the text before it.
        time: Says an hour and its minutes.
        price: Says whole units and hundredths of a currency.
        currencies: Currencies by sign and by code.
        large: Names for one and for several of the large numbers by abbreviation and by name.
        of: What stands between a large number and a currency: "millions d'euros".
        units: Names for one and for several of the units by symbol.
        one: The number one before a noun, by the noun.
        fractions: Names of common fractions.
        abbreviations: Patterns of abbreviations, without the limits of words, with what they are read as.
        ordinals: Patterns of ordinal numbers, with how they are said.
        year: Says the number of a year.
    """

    code: str
    point: str
    to: str
    symbols: Mapping[str, str]
    marks: Mapping[str, str]
    months: tuple[str, ...]
    month_patterns: tuple[str, ...]
    date: Callable[[str, int, int, str], str]
    time: Callable[[int, int], str]
    price: Callable[[int, int, Currency], str]
    currencies: Mapping[str, Currency]
    large: Mapping[str, tuple[str, str]]
    of: Callable[[str], str]
    units: Mapping[str, tuple[str, str]]
    one: Callable[[str], str]
    fractions: Mapping[str, str]
    abbreviations: Mapping[str, str]
    ordinals: tuple[tuple[str, Callable[[str, str], str]], ...]
