"""Ordinal numbers in words, in English, German, French and Spanish."""

from collections.abc import Callable
from typing import Final

from realtime.text_normalization.numerals import cardinal


def ordinal(number: int, language: str = "en") -> str:
    """Return the ordinal number: "twenty-third". In French and Spanish it is the masculine form."""
    return _ORDINALS[language](number)


_ORDINALS_EN: Final = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip


def _ordinal_en(number: int) -> str:
    words = cardinal(number)
    start = max(words.rfind(" "), words.rfind("-")) + 1
    last = words[start:]
    return words[:start] + _ORDINALS_EN.get(last, last[:-1] + "ieth" if last.endswith("y") else last + "th")


_ORDINALS_DE: Final = {1: "erste", 3: "dritte", 7: "siebte", 8: "achte"}


def _ordinal_de(number: int) -> str:
    rest = number % 100
    if rest in _ORDINALS_DE:
        before = cardinal(number - rest, "de") if number > rest else ""
        return before + _ORDINALS_DE[rest]
    return cardinal(number, "de") + ("te" if 0 < rest < 20 else "ste")


def _ordinal_fr(number: int) -> str:
    if number == 1:
        return "premier"
    words = cardinal(number, "fr").removesuffix("s") if number % 100 in (80, 0) else cardinal(number, "fr")
    if words.endswith("cinq"):
        return words + "uième"
    return words[:-1] + "vième" if words.endswith("neuf") else words.removesuffix("e") + "ième"


_UNITS_ES: Final = (
    "", "primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo", "noveno",
)  # fmt: skip
_TENS_ES: Final = (
    "", "décimo", "vigésimo", "trigésimo", "cuadragésimo", "quincuagésimo", "sexagésimo", "septuagésimo", "octogésimo",
    "nonagésimo",
)  # fmt: skip
_HUNDREDS_ES: Final = (
    "", "centésimo", "ducentésimo", "tricentésimo", "cuadringentésimo", "quingentésimo", "sexcentésimo",
    "septingentésimo", "octingentésimo", "noningentésimo",
)  # fmt: skip


def _ordinal_es(number: int) -> str:
    """Return an ordinal of up to four digits; later ones are said as cardinals."""
    if not 0 < number < 10_000:
        return cardinal(number, "es")
    thousands, rest = divmod(number, 1000)
    hundreds, rest = divmod(rest, 100)
    tens, ones = divmod(rest, 10)
    words = [f"{cardinal(thousands, 'es') if thousands > 1 else ''}milésimo"] if thousands else []
    words.append(_HUNDREDS_ES[hundreds])
    if tens == 1 and ones:
        words.append({1: "undécimo", 2: "duodécimo", 8: "decimoctavo"}.get(ones, f"decimo{_UNITS_ES[ones]}"))
    else:
        words += _TENS_ES[tens], _UNITS_ES[ones]
    return " ".join(filter(None, words))


def feminine_es(ordinal_number: str) -> str:
    """Return a Spanish ordinal number before a feminine noun: "vigésima primera"."""
    return " ".join(f"{word[:-1]}a" if word.endswith("o") else word for word in ordinal_number.split())


_ORDINALS: Final[dict[str, Callable[[int], str]]] = {
    "en": _ordinal_en, "de": _ordinal_de, "fr": _ordinal_fr, "es": _ordinal_es,
}  # fmt: skip
