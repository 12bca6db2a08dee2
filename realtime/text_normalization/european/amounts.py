"""Numbers and numbers of things, as German, French and Spanish say them."""

import re
from typing import Final

from realtime.text_normalization.european.language import Language
from realtime.text_normalization.numerals import DIGITS, cardinal, whole

_WHOLE: Final = r"[0-9]{1,3}(?:[.\u00a0\u202f\u2009 ’'][0-9]{3})+(?![0-9])|[0-9]+"
"""A whole number, whose groups of thousands a point or a narrow blank may part."""

NUMBER: Final = rf"(?:{_WHOLE})(?:,[0-9]+)?"
BEFORE: Final = r"(?<![\w/,:+-])(?<![0-9]\.)"
AFTER: Final = r"(?![\w/]|[.,:-][0-9])"
BLANK: Final = "[\u00a0\u202f ]"

MILLIONS: Final = ("million", "millions", "milliard", "milliards", "millón", "millones", "billón", "billones")
"""Numbers that are nouns, and join what they count with "of"."""


def plain(number: str) -> str:
    """Return a number with a point for the decimal comma, and without groups."""
    return re.sub(r"[^0-9,]", "", number).replace(",", ".")


def said(number: str, language: Language) -> str:
    """Say a whole number or a decimal as it is written."""
    before, _, fraction = plain(number).partition(".")
    words = whole(before, language.code)
    if not fraction:
        return words
    if language.code == "de" or fraction.startswith("0") or len(fraction) > 2:
        places = " ".join(DIGITS[language.code][int(digit)] for digit in fraction)
    else:
        places = cardinal(int(fraction), language.code)
    return f"{words} {language.point} {places}"


def counted(number: str, names: tuple[str, str], language: Language) -> str:
    """Say a number of things, given the names for one and for several."""
    words = said(number, language)
    if words.endswith(MILLIONS):
        return f"{words} {language.of(names[1])}"
    amount = float(plain(number))
    name = names[amount != 1 and amount >= language.singular_below]
    return f"{words if '.' in plain(number) else language.agree(words, name)} {name}"
