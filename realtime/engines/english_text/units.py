"""Units of measurement, after a number or where capitals show that they are units: 5 kWh, 10 mg/dL, per kWh.

hibari knows the commonest units and spells or mispronounces the others. The names are made of the prefixes and units of
the SI (BIPM, "The International System of Units"), and of those of IEC 80000-13 for bits and bytes.
"""

import re
from collections.abc import Iterable
from typing import Final

from realtime.engines.english_text.rules import NUMBER, Rule

_PREFIXES: Final = {
    "": "", "k": "kilo", "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "h": "hecto", "d": "deci",
    "c": "centi", "m": "milli", "µ": "micro", "μ": "micro", "n": "nano", "p": "pico", "Ki": "kibi", "Mi": "mebi",
    "Gi": "gibi", "Ti": "tebi",
}  # fmt: skip

_UNITS: Final = (
    ("m", "meter", (*"cdkmnµμ", "")), ("g", "gram", (*"kmnµμ", "")), ("s", "second", "mnµμ"), ("h", "hour", ("",)),
    ("l", "liter", (*"cdmµμ", "")), ("L", "liter", (*"cdmµμ", "")), ("V", "volt", (*"kmµμM", "")),
    ("W", "watt", (*"kmMGT", "")), ("A", "amp", "kmnµμ"), ("Ω", "ohm", (*"kmM", "")), ("Ω", "ohm", (*"kmM", "")),
    ("F", "farad", "mnpµμ"), ("N", "newton", "kmµμ"), ("J", "joule", "kmMG"), ("Wh", "watt hour", (*"kMGT", "")),
    ("Ah", "amp hour", ("", "m", "k")), ("Nm", "newton meter", ("", "k", "m")), ("Hz", "hertz", (*"kmMGT", "")),
    ("Pa", "pascal", (*"hkmMG", "")), ("cal", "calorie", (*"k", "")), ("eV", "electronvolt", (*"kMGT", "")),
    ("mol", "mole", (*"mnµμ", "")), ("Sv", "sievert", (*"mµμ", "")), ("B", "byte", (*"kKMGTP", "Ki", "Mi", "Gi", "Ti")),
    ("b", "bit", "kKMGT"), ("bit", "bit", "kKMGT"), ("bps", "bit per second", "kKMGT"),
    ("Bps", "byte per second", "kKMGT"),
)  # fmt: skip
"""Symbol, name, and the prefixes that occur with it and make no other word: no `pm`, no abbreviations of states."""

_NAMES: Final = {
    prefix + symbol: re.sub("(?<=kil)o(?=ohm)|(?<=meg)a(?=ohm)", "", _PREFIXES[prefix] + name)
    for symbol, name, prefixes in _UNITS
    for prefix in prefixes
}

_DIVISORS: Final = {**_NAMES, "h": "hour", "s": "second", "min": "minute", "day": "day"}
_POWERS: Final = {"²": "square ", "³": "cubic ", None: ""}

_DISTINCT: Final = [
    symbol
    for symbol in _NAMES
    if re.search("[a-zµμ]", symbol) and re.search("[A-ZΩ]", symbol)
    and symbol not in {"Ah", "Gb", "Hz", "Mb", "Nm", "Pa", "Tb", "Wh", "eV"}
]  # fmt: skip
"""Units that are nothing else even without a number, because they mix small letters and capitals: kWh, mAh."""


def _one_of(symbols: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, symbols), key=len, reverse=True))


_UNIT: Final = rf"(?P<unit>{_one_of(_NAMES)})(?P<power>[²³])?"
_DIVISOR: Final = rf"/(?P<divisor>{_one_of(_DIVISORS)})(?P<divisor_power>[²³])?"
_END: Final = r"(?![\w'’²³]|/[^\W\d_])"
_SINGULAR: Final = r"(?P<one>\b(?:an?|each|every|one|per) |/)?(?<![\w.-])"


def _name(match: re.Match[str], *, plural: bool) -> str:
    """Return the names of the unit and of what it is divided by."""
    name = _POWERS[match["power"]] + _NAMES[match["unit"]]
    if plural and not name.endswith("hertz"):
        first, per, rest = name.partition(" per ")
        name = f"{first}s{per}{rest}"
    if not (divisor := match.groupdict().get("divisor")):
        return name
    of, power = _DIVISORS[divisor], match["divisor_power"]
    return f"{name} per " + (f"{of} squared" if of == "second" and power else _POWERS[power] + of)


def _measure(match: re.Match[str]) -> str:
    return f"{match['number']} {_name(match, plural=match['number'] != '1' and match['gap'] != '-')}"


def _without_number(match: re.Match[str]) -> str:
    before = " per " if match["one"] == "/" else match["one"] or ""
    return before + _name(match, plural=not before)


UNITS: Final[tuple[Rule, ...]] = (
    (re.compile(rf"(?<![\w.,$€£])(?P<number>{NUMBER})(?P<gap> ?|-(?=\w\w)){_UNIT}(?:{_DIVISOR})?{_END}"), _measure),
    (re.compile(rf"{_SINGULAR}(?=\w\w+/|m/){_UNIT}{_DIVISOR}{_END}"), _without_number),
    (re.compile(rf"{_SINGULAR}(?P<unit>{_one_of(_DISTINCT)})(?P<power>[²³])?{_END}"), _without_number),
)
