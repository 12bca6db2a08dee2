"""Brackets that belong to what stands before them: functions, and paragraphs of laws and rules."""

import re
from typing import Final

from realtime.text_normalization.english.names import in_pairs
from realtime.text_normalization.english.spelling import spelled
from realtime.text_normalization.numerals import cardinal, roman
from realtime.text_normalization.rules import Rule, one_of

_FUNCTIONS: Final = {
    "sin": "sine", "cos": "cosine", "tan": "tangent", "log": "log", "log10": "log base 10", "log2": "log base 2",
    "ln": "natural log", "exp": "exp", "max": "max",
    "min": "min", "sqrt": "the square root",
}  # fmt: skip
_OPERATORS: Final = {"-": "minus", "−": "minus", "+": "plus", "*": "times", "/": "over", "|": "given"}
_ARGUMENT: Final = rf"(?:[0-9.]*[a-zA-Zα-ω][²³]?|[0-9.]+°?|{one_of(_FUNCTIONS)})"
_ARGUMENTS: Final = rf"[-−]?{_ARGUMENT}(?:(?: ?[-−+*/^|] ?|, ?| of | ){_ARGUMENT})*"


def _function(match: re.Match[str]) -> str:
    """Read a function of its arguments: "f of x", "sine of two x"; a capital with a number is a name, such as B(2)."""
    name, prime, arguments = match.groups()
    if name in "ABCDEFGHIJKLM" and arguments.isdecimal():
        return match[0]
    return f"{_FUNCTIONS.get(name, name)}{' prime' if prime else ''} of {_with_operators(arguments)}"


def _with_operators(arguments: str) -> str:
    """Name the operators between arguments."""
    return re.sub(r" ?([-−+*/|]) ?", lambda sign: f" {_OPERATORS[sign[1]]} ", arguments).strip()


def _paragraph(match: re.Match[str]) -> str:
    """Read a number and the letters and numbers of its paragraphs: "twelve B six", "four oh one K"."""
    number = in_pairs(match[1]) if len(match[1]) in (3, 4) else cardinal(int(match[1]))
    parts = re.findall(r"\((\w+)\)", match[0])
    numerals = (roman(part.upper()) if len(part) > 1 and part.isalpha() else None for part in parts)
    words = (part if value is None else str(value) for part, value in zip(parts, numerals, strict=True))
    return " ".join([number, *(spelled(word) if word.isalpha() else word for word in words)])


_FUNCTION: Final[Rule] = (
    re.compile(rf"(?<![\w.'’/])([b-zB-HJ-ZΘΩ]|{one_of(_FUNCTIONS)})(['′]?)\(({_ARGUMENTS})\)(?!\w)"),
    _function,
)


def _absolute_value(match: re.Match[str]) -> str:
    return f"the absolute value of {_with_operators(match[1])}"


BRACKETS: Final[tuple[Rule, ...]] = (
    (re.compile(rf"(?<![\w|])\|({_ARGUMENTS})\|(?![\w|])"), _absolute_value),
    _FUNCTION,
    _FUNCTION,  # of a function
    (
        re.compile(
            r"(?:(?<=Article )|(?<=article )|"
            r"(?<=Section )|(?<=Rule )|(?<=Clause )|(?<=section ))([0-9]{1,4})\([0-9]{1,2}\)"
            r"(?:\((?:[a-z]|[0-9]{1,2}|[ivx]{2,4})\))*(?!\w)"
        ),
        _paragraph,
    ),
    (re.compile(r"(?<![\w.,/-])([0-9]{1,4})\([a-rt-w]\)(?:\((?:[a-z]|[0-9]{1,2}|[ivx]{2,4})\))*(?!\w)"), _paragraph),
)
