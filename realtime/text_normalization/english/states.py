"""States of America by their abbreviations, of the post ("Denver, CO 80203") and of newspapers ("Albany, N.Y.")."""

import re
from typing import Final

from realtime.text_normalization.english.abbreviations import STARTERS
from realtime.text_normalization.numerals import digit_by_digit
from realtime.text_normalization.rules import Rule, one_of

_STATES: Final = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho",
    "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine",
    "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri",
    "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico",
    "NY": "New York", "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon",
    "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee",
    "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia",
    "WI": "Wisconsin", "WY": "Wyoming", "DC": "D C",
}  # fmt: skip
"""Postal abbreviations of states, which are read as names before a ZIP code."""


_WORDS: Final = frozenset({"HI", "IN", "LA", "MA", "ME", "OH", "OK", "OR", "PA", "AL", "ID", "CO", "DE"})
"""Abbreviations of states that are words or titles too, and so need a ZIP code behind them."""

_OF_NEWSPAPERS: Final = {
    "Ala": "AL", "Ariz": "AZ", "Ark": "AR", "Calif": "CA", "Colo": "CO", "Conn": "CT", "Del": "DE", "Fla": "FL",
    "Ga": "GA", "Ill": "IL", "Ind": "IN", "Kan": "KS", "Ky": "KY", "La": "LA", "Md": "MD", "Mass": "MA", "Mich": "MI",
    "Minn": "MN", "Miss": "MS", "Mo": "MO", "Mont": "MT", "Neb": "NE", "Nev": "NV", "N.H": "NH", "N.J": "NJ",
    "N.M": "NM", "N.Y": "NY", "N.C": "NC", "N.D": "ND", "Okla": "OK", "Ore": "OR", "Pa": "PA", "R.I": "RI",
    "S.C": "SC", "S.D": "SD", "Tenn": "TN", "Tex": "TX", "Vt": "VT", "Va": "VA", "Wash": "WA", "W.Va": "WV",
    "Wis": "WI", "Wyo": "WY",
}  # fmt: skip
"""Abbreviations with a stop, behind a town: many are words or names elsewhere."""

_NO_TOWNS: Final = (
    "Yes|No|Hi|Hello|Hey|Thanks|Sorry|Please|Okay|Ok|Right|Sure|Well|Wait|Oh|Bye|Goodbye|Goodnight|Look|Listen|Come"
    "|Now|Then|So|But|And|Ma|Mama|[A-Z][a-z]+day"
)
"""What is no town before somebody's name: "Goodnight, Pa."."""

_PARTIES: Final = {"R": "Republican", "D": "Democrat", "I": "Independent"}


def _state(match: re.Match[str]) -> str:
    extension = f", {digit_by_digit(match[3])}" if match[3] else ""
    return f"{_STATES[match[1]]} {digit_by_digit(match[2])}{extension}"


def _behind_town(match: re.Match[str]) -> str:
    ends = re.compile(rf"\s*$|\s+(?:{STARTERS})\b").match(match.string, match.end())
    return match[1] + _STATES[_OF_NEWSPAPERS[match[2]]] + ("." if ends else "")


def _party(match: re.Match[str]) -> str:
    state = _OF_NEWSPAPERS.get(match[2].removesuffix("."), match[2])
    return f"({_PARTIES[match[1]]}, {_STATES.get(state, state)})"


STATES: Final[tuple[Rule, ...]] = (
    (re.compile(r"\(([RDI])-([A-Z][A-Za-z.]+)\)"), _party),
    (re.compile(rf"\b(?!(?:{_NO_TOWNS})\b)([A-Z][a-z'’-]+, )({one_of(_OF_NEWSPAPERS)})\.(?!\w)(?!(?<=Miss\.) [A-Z])"),
     _behind_town),
)  # fmt: skip
"""States as newspapers write them, before other abbreviations."""

POSTAL: Final[tuple[Rule, ...]] = (
    (re.compile(rf"(?<![\w-])({one_of(_STATES)}) ([0-9]{{5}})(?:-([0-9]{{4}}))?(?![\w-])"),
     _state),
    (re.compile(rf"\b({one_of(_STATES.values())}) ([0-9]{{5}})(?![\w-]|[.,][0-9])"),
     lambda match: f"{match[1]} {digit_by_digit(match[2])}"),
    (re.compile(rf"(?<=[a-z], )({one_of(set(_STATES) - _WORDS)})(?=$|[.,;!?)]| [A-Z0-9])"),
     lambda match: _STATES[match[1]]),
)  # fmt: skip
"""States as the post writes them."""
