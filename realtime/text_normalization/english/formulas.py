"""Chemical formulas, whose symbols are spelled: H2SO4, CaCO3, NaCl."""

import re
from typing import Final

from realtime.text_normalization.english.spelling import spelled
from realtime.text_normalization.rules import Rule

_ELEMENT: Final = (
    "(?:Ag|Al|Ar|As|Au|Ba|Be|Bi|Br|Ca|Cd|Cl|Co|Cr|Cs|Cu|Fe|Ga|Ge|He|Hg|Kr|Li|Mg|Mn|Mo|Na|Ne|Ni|Pb|Pt|Ra|Rb|Se|Si|Sn"
    "|Sr|Ti|Xe|Zn|Zr|[BCFHIKNOPSUVWY])"
)
_ANIONS: Final = "Cl|OH|O|F|Br|I|S|CN"


def _spelled(match: re.Match[str]) -> str:
    """Spell the letters of a formula and read its numbers."""
    return " ".join(spelled(part) if part.isalpha() else part for part in re.findall("[A-Za-z]+|[0-9]+", match[0]))


FORMULAS: Final[tuple[Rule, ...]] = (
    # what is dissolved, in moles per liter
    (re.compile(rf"(?<=[0-9]) ?M (?=(?![A-Z]+s\b)(?=[A-Z]{{0,7}}[a-z0-9]|HF\b|KOH\b)"
                rf"(?:{_ELEMENT}[0-9]{{0,2}}){{2,8}}(?![\w/-])|(?:solution|Tris)\b)"), " molar "),
    # two symbols and a number; not B2B or P2P, where the number is read "to", and not COP28
    (re.compile(rf"(?<![\w./-])(?=[A-Za-z]*[0-9])(?![BCP]2[BCP]\b|[A-Za-z]+[0-9]{{2}}\b)(?:{_ELEMENT}[0-9]{{0,2}}){{2,8}}(?![\w/]|-[0-9])"),
     _spelled),
    # salts, acids, bases and oxides without one, where a small letter keeps them apart from abbreviations
    (re.compile(rf"(?<![A-Za-z./-])(?=[A-Z]*[a-z])(?:Na|Li|Ca|Mg|Ag|Cu|Zn|Fe|K|H)(?:{_ANIONS})(?![\w/-])"), _spelled),
)  # fmt: skip
