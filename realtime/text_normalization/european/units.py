"""Names of the units of the SI and of IEC 80000-13, made of prefixes and units."""

from collections.abc import Callable, Mapping
from typing import Final

_PREFIXES: Final = {
    "m": "cdkmnµμ", "g": "kmnµμ", "l": "cdhmµμ", "L": "dcmµμ", "s": "mnµμ", "W": "kmMGT", "Wh": "kMGT", "V": "km",
    "A": "m", "Ah": "m", "Hz": "kMGT", "Pa": "hkMG", "N": "k", "J": "kM", "cal": "k", "Ω": "kM", "eV": "kMG",
    "mol": "m",
    "B": "kKMGTP", "bit": "kMG", "o": "kKMGTP", "t": "", "h": "", "min": "", "ha": "", "dB": "",
}  # fmt: skip
"""Units by symbol with the prefixes that occur with them."""

_NEVER_ALONE: Final = frozenset({"A", "B", "N", "J", "o", "bit"})
"""Symbols that mean something else without a prefix."""

_OTHER_CASES: Final = {
    "Kg": "kg", "KG": "kg", "Km": "km", "KM": "km", "kwh": "kWh", "KWh": "kWh", "kw": "kW", "mhz": "MHz", "ghz": "GHz",
    "Mhz": "MHz", "Ghz": "GHz", "gb": "GB", "mb": "MB", "tb": "TB", "Ml": "ml", "mL": "ml", "cL": "cl",
}  # fmt: skip
"""What people write, with the symbol that they mean."""

Names = Mapping[str, tuple[str, str]]
"""Names for one and for several by symbol."""


def units(
    names: Names,
    prefixes: Mapping[str, str],
    join: Callable[[str, str], str],
    powers: Mapping[str, Callable[[str], str]],
) -> dict[str, tuple[str, str]]:
    """Return the names of units by symbol, with prefixes and as squares and cubes.

    Args:
        names: The units without a prefix.
        prefixes: Names of the prefixes by symbol.
        join: Joins a prefix and a name.
        powers: For `²` and `³` what makes a name that of a square or a cube.
    """
    found: dict[str, tuple[str, str]] = {}
    for symbol, (one, several) in names.items():
        if symbol not in _NEVER_ALONE:
            found[symbol] = one, several
        for prefix in _PREFIXES.get(symbol, ""):
            name = prefixes[prefix]
            found[prefix + symbol] = join(name, one), join(name, several)
    for symbol in ("m", "km", "cm", "mm"):
        for power, raised in powers.items():
            found[symbol + power] = raised(found[symbol][0]), raised(found[symbol][1])
    found |= {"㎡": found["m²"], "qm": found["m²"]}
    return found | {other: found[symbol] for other, symbol in _OTHER_CASES.items() if symbol in found}
