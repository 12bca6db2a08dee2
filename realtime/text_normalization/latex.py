r"""Formulas as chat models write them in LaTeX, rewritten with the signs that the rules of a language can read.

`$\frac{1}{2} \times x^{10}$` becomes `1/2 × x^10`. Dollars are marks of a formula where something between them is no
amount of money: a command, an exponent, an index, an equation or one letter.
"""

import re
from typing import Final

from realtime.text_normalization.rules import Rule

_SIGNS: Final = {
    "times": "×", "cdot": "×", "ast": "×", "div": "÷", "pm": "±", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥",
    "lt": "<", "gt": ">", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "≈", "infty": "∞", "to": "→", "rightarrow": "→",
    "Rightarrow": "→", "implies": "→", "in": "∈", "cup": "∪", "cap": "∩", "subset": "⊂", "sum": "∑", "int": "∫",
    "circ": "°", "degree": "°", "ldots": "…", "cdots": "…", "dots": "…", "alpha": "α", "beta": "β", "gamma": "γ",
    "delta": "δ", "Delta": "Δ", "epsilon": "ε", "varepsilon": "ε", "theta": "θ", "lambda": "λ", "mu": "μ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "Sigma": "Σ", "tau": "τ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Omega": "Ω",
}  # fmt: skip
_FUNCTIONS: Final = "sin|cos|tan|log|ln|exp|max|min|lim"
_SIMPLE: Final = re.compile(r"−?[\w.]{1,6}")
_GROUP: Final = r"\{([^{}]*)\}"
_CONTENT: Final = (
    rf"\\(?:text|textbf|textit|mathrm|mathbf|mathbb|mathit|operatorname|boxed|overline|bar|hat|vec){_GROUP}"
)

_INNERMOST: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(_CONTENT), r"\1"),
    (re.compile(rf"\\[dt]?frac{_GROUP}{_GROUP}"), "fraction"),
    (re.compile(rf"\\sqrt\[3\]{_GROUP}"), "∛"),
    (re.compile(rf"\\sqrt{_GROUP}"), "√"),
    (re.compile(rf"([\^_]){_GROUP}"), "script"),
)


def _in_brackets(part: str) -> str:
    part = part.strip()
    return part if _SIMPLE.fullmatch(part) else f"({part})"


def _group(match: re.Match[str], kind: str) -> str:
    """Rewrite a command with its groups, in which there are no others left."""
    if kind == "fraction":
        both = match[1].strip(), match[2].strip()
        return "/".join(both) if all(part.isdecimal() for part in both) else " ÷ ".join(map(_in_brackets, both))
    if kind == "script":
        return match[1] + _in_brackets(match[2])
    return match[1] if kind == r"\1" else kind + _in_brackets(match[1])


def _formula(match: re.Match[str]) -> str:
    """Rewrite a formula, from the innermost groups outwards."""
    text = next(group for group in match.groups() if group is not None)
    text = re.sub(
        r"(?<=[0-9])[a-z]{2,3}\b|(?<![\\\w])[a-z]{2,3}(?=[\^_])|\bd[xyt]\b", lambda found: " ".join(found[0]), text
    )
    text = re.sub(r"(?<=[\w)}]) ?- ?(?=[\w\\({])", " − ", text).replace("-", "−")
    while True:
        for pattern, kind in _INNERMOST:
            text, count = pattern.subn(lambda found, kind=kind: _group(found, kind), text)  # type: ignore[misc]
            if count:
                break
        else:
            break
    text = re.sub(r"\\(?:left|right|displaystyle|quad|qquad|[,;:! ])", " ", text)
    text = re.sub(
        rf"\\({_FUNCTIONS})(?= ?[a-zA-Z0-9\\])(?! ?\\(?:left|to)) ?(\\?[a-zA-Z]+|[0-9]+[a-z]?)", r"\1(\2)", text
    )
    text = re.sub(r"\\([a-zA-Z]+)", lambda found: f" {_SIGNS[found[1]]} " if found[1] in _SIGNS else found[1], text)
    text = re.sub(r"\^ *°", "°", re.sub(r"\\([%$&#_{}])", r"\1", text))
    text = re.sub(r"[{}\\]", " ", text)
    text = re.sub(r"([∑∫]) *_ *\(?([^()^]+)\)? *\^ *\(?([\w∞]+)\)?", r"\1_(\2)^(\3)", text)
    text = re.sub(r"([0-9]+/[0-9]+)(?= *[-=+*×÷−])", r"(\1)", re.sub(r"\^([23])(?![0-9])", _square_or_cube, text))
    return re.sub(r"\( | (?=[),.²³])", lambda found: found[0].strip(), re.sub(r" {2,}", " ", text).strip())


def _square_or_cube(match: re.Match[str]) -> str:
    return "²" if match[1] == "2" else "³"


LATEX: Final[tuple[Rule, ...]] = (
    (re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)", re.DOTALL), _formula),
    (
        re.compile(
            r"(?<![\w$\\])\$(?! )([^$\n]*?[\\^_=][^$\n]*?|[a-zA-Z]!?|[-−]?[0-9]+(?:\.[0-9]+)?)(?<! )\$(?![\w$])"
        ),
        _formula,
    ),
)
"""Rules for formulas between their marks; what is no formula keeps its dollars."""
