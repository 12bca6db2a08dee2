"""The order in which written English becomes spoken English.

Rules for what contains marks come before those for the marks, and rules for numbers of one kind before those for plain
numbers. Words stay as they are written; so do abbreviations of capitals, which every voice spells by itself.
"""

import re
from typing import Final

from realtime.text_normalization.english.abbreviations import ABBREVIATIONS
from realtime.text_normalization.english.addresses import ADDRESSES
from realtime.text_normalization.english.brackets import BRACKETS
from realtime.text_normalization.english.dates import dates, short_dates
from realtime.text_normalization.english.durations import DURATIONS
from realtime.text_normalization.english.feet_and_inches import FEET_AND_INCHES
from realtime.text_normalization.english.formulas import FORMULAS
from realtime.text_normalization.english.money import MONEY
from realtime.text_normalization.english.names import MONARCHS, NAMES
from realtime.text_normalization.english.numbers import CALCULATIONS, GROUPING, RATIOS
from realtime.text_normalization.english.scores import scores
from realtime.text_normalization.english.states import POSTAL, STATES
from realtime.text_normalization.english.symbols import SYMBOLS
from realtime.text_normalization.english.telephone import TELEPHONE
from realtime.text_normalization.english.units import UNITS
from realtime.text_normalization.english.words import BRITISH_NUMBERS, TIDYING, WORDS
from realtime.text_normalization.rules import Stage

_DIGIT: Final = re.compile("[0-9]")


def _stages(*, british: bool) -> tuple[Stage, ...]:
    return (
        (re.compile(r"[.@/\\]|#[0-9A-Fa-f]{3}|:[0-9A-Fa-f:]|[0-9A-Fa-f]-[0-9A-Fa-f]|\bport |\bv[0-9]"), ADDRESSES),
        (re.compile(r"\b(?:sec|min|hr|wk|mo|yr)s?\.|\b(?:gal|lb|oz|mi)\.|\bp\."), DURATIONS),
        (
            re.compile(r"\.|[A-Z]|\b(?:vs|etc|w/(?:o|in|out)?|aka|approx|qty|incl|w/c|y/e|dept|c/o)\b"),
            (*STATES, MONARCHS, *ABBREVIATIONS),
        ),
        (
            re.compile("[0-9IVXLC₀-₉\u00a0\u202f\u2009]|, [A-Z]{2}|[Ss]cene |Act |[ivx]{2,}\b"),
            (*GROUPING, *POSTAL, *NAMES),
        ),
        (re.compile(r"\w['′]?\(\S|\|[\w−-]"), BRACKETS),
        (_DIGIT, (*dates(british=british), *TELEPHONE)),
        (re.compile(r"[0-9]"), MONEY),
        (
            re.compile("[0-9¼½¾⅐-⅞−=/]"),
            (*scores(british=british), *RATIOS, *short_dates(british=british), *CALCULATIONS),
        ),
        (
            re.compile(r"[0-9°]|per |half|third|quarter|[fnxh]th|onds|/[hms]|[hkMGTmndcµμ][A-ZbΩ]|[µμ][a-z]|[mt][²³]"),
            (*UNITS, *FEET_AND_INCHES),
        ),
        (re.compile(r"[A-Za-z][0-9₀-₉]|[A-Z][a-z]?[A-Z]"), FORMULAS),
        (re.compile(r"[^\x00-\x7f]|[=!<>#&@%+*/|\\^~_-]|\(\)|['’]n|Ctrl|Cmd|Del"), SYMBOLS),
        (_DIGIT, WORDS),
        (_DIGIT if not british else re.compile("hundred|thousand|million"), BRITISH_NUMBERS),
        (re.compile(r"  | [.,;:!?]|^ |\n "), TIDYING),
    )


READINGS: Final = {british: _stages(british=british) for british in (False, True)}
"""The stages of American and, for true, of British English."""
