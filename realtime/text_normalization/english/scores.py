"""Results of games: sets of tennis, records of wins and losses, and the wickets and "nil" of the British."""

import re
from typing import Final

from realtime.text_normalization.rules import Rule

_TIEBREAK: Final = r"(?: ?\([0-9]+(?:-[0-9]+)?\))?"
_PAIR: Final = r"([0-9]{1,3})[-–]([0-9]{1,3})(?![\w%-]|[.,:/][0-9])"
_SEASON: Final = (
    r"overall|record|(?:this|last) (?:season|year)|on the (?:season|year|road)|at home|in (?:conference|division)"
)

_NOT_OF_A_GAME: Final = (
    r"(?<!\bit )(?<!\bIt )(?<!score )(?<!game )(?<!match )(?<!series )(?<!set )(?<!lead )(?<!tie )(?<!vote )(?<!final )"
)
"""Behind none of what has a score, before "is" or "ended": "It is now 2-1."."""

_RECORDS: Final[tuple[Rule, ...]] = (
    (re.compile(rf"((?:\b{_NOT_OF_A_GAME}(?:is|are|was|were|go|went|going|started|opened|finished|ended|now)"
                rf"|['’]re) (?:at )?){_PAIR}(?= (?:{_SEASON})\b)"),
     r"\1\2 and \3"),
    (re.compile(rf"(\b(?:{_NOT_OF_A_GAME}(?:is|was)|are|were|['’]re) now "
                rf"|\b(?:improv(?:ed?|es|ing)|fell|dropped) to ){_PAIR}"
                r"(?=[.,;!?)]|$| (?:after|with|and|on the)\b)"),
     r"\1\2 and \3"),
    (re.compile(rf"(?<![\w.,/-]){_PAIR}(?= (?:overall|record)\b)"), r"\1 and \2"),
    (re.compile(rf"((?:(?<=[a-z,] )|(?<=\bThe ))(?!(?:Ages|Chapters|Grades|Pages|Years) )[A-Z][a-z]+s \()"
                rf"{_PAIR}(?=\))"),
     r"\1\2 and \3"),  # of a team
)  # fmt: skip
_SETS: Final[tuple[Rule, ...]] = (
    (re.compile(rf"(?<![\w.,/-])[0-7]-[0-7]{_TIEBREAK}(?:, [0-7]-[0-7]{_TIEBREAK})+(?![\w-])"),
     lambda match: match[0].replace("-", " ")),
    (re.compile(r"(?<![\w.,/-])([0-9]{1,3})-([0-9]{1,3})-([0-9]{1,3})(?![\w-]|[.,/:][0-9])"), r"\1, \2, \3"),
)  # fmt: skip
"""Sets of tennis, and a record of wins, losses and draws."""

_BRITISH: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<![\w.,$€£/-])(?:(1[3-9]|[2-9][0-9]|[1-9][0-9]{2})[-–]|(3[2-9]|[4-9][0-9]|[1-9][0-9]{2})/)([0-9])"
                r"(?![\w%°-]|[.,:/][0-9])"
                r"(?=[^.;!?\n]{0,30}\b(?:tea|lunch|stumps|overs|declared|close of play|innings)\b)"),
     lambda match: f"{match[1] or match[2]} for {match[3]}"),
    (re.compile(r"(\b(?:reached|posted|(?:slumped|collapsed) to|(?:declared|closed) on) )([1-9][0-9]{1,2})[-–/]([0-9])"
                r"(?![\w%°-]|[.,:/][0-9])"),
     r"\1\2 for \3"),
    (re.compile(r"(?<![\w.,$€£/-])([0-9]|1[0-9])[-–]0(?![\w%°-]|[.,:/][0-9]| ?=)"),
     lambda match: f"{'nil' if match[1] == '0' else match[1]} nil"),
    (re.compile(r"\b(?!(?:Platform|Level|Floor|Gate|Room|Chapter|Section|Day|Step|Version|Phase) )"
                r"([A-Z][a-z]+ )0(?=,? [A-Z][a-z]+ [0-9](?!\w|[.:][0-9]))"
                r"|(?<=[a-z])( [0-9],? [A-Z][a-z]+ )0(?!\w|[.:][0-9])"),
     lambda match: f"{match[1] or match[2]}nil"),
    (re.compile(r"(\b(?:los[et]s?|losing|lost|trail(?:ed|ing)|beaten|down) )0[-–]([0-9])(?![\w%°-]|[.,:/][0-9])"),
     r"\1nil \2"),
)  # fmt: skip


def scores(*, british: bool) -> tuple[Rule, ...]:
    """Return the rules for results whose numbers "to" does not join."""
    return (*_RECORDS, *_SETS, *(_BRITISH if british else ()))
