"""Symbols by name: of arithmetic, music and typing, keys and their combinations."""

import re
from typing import Final

from realtime.text_normalization.english.spelling import spelled
from realtime.text_normalization.rules import Rule, one_of

_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_KEYS: Final = {
    "Ctrl": "Control", "ctrl": "control", "Cmd": "Command", "cmd": "command", "Alt": "Alt", "Shift": "Shift",
    "Del": "Delete", "Esc": "Escape", "Opt": "Option", "Ins": "Insert", "PgUp": "Page Up", "PgDn": "Page Down",
    "Win": "Windows", "⌘": "Command", "⌥": "Option", "⇧": "Shift", "⌃": "Control", "Tab": "Tab", "Enter": "Enter",
    "Fn": "Function", "Meta": "Meta", "Option": "Option", "Command": "Command", "Control": "Control", "Space": "Space",
}  # fmt: skip
_MODIFIERS: Final = "Ctrl|ctrl|Cmd|cmd|Alt|Shift|Opt|Win|Fn|Meta|Option|Command|Control|⌘|⌥|⇧|⌃"

_GREEK: Final = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "θ": "theta", "λ": "lambda", "μ": "mu",
    "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Δ": "delta",
    "Σ": "sigma", "Ω": "omega",
}  # fmt: skip


_OF: Final = {
    "∑": "the sum of",
    "∫": "the integral of",
    "√": "the square root of",
    "∠": "angle",
    "△": "triangle",
    "∴": "therefore",
    "∛": "the cube root of",
}
_BETWEEN: Final = {
    "±": "plus or minus", "×": "times", "÷": "divided by", "−": "minus", "∈": "in", "∪": "union",
    "∩": "intersected with", "⊂": "is a subset of", "∥": "is parallel to", "⊥": "is perpendicular to",
}  # fmt: skip


_LIMITS: Final = {
    ">=": "at least", "≥": "at least", "<=": "at most", "≤": "at most", ">": "greater than", "<": "less than",
}  # fmt: skip
"""Between what is required and the number of its version."""


_LIMIT: Final[Rule] = (
    re.compile(
        r"(?i)(\b(?:requir\w+|needs?|supports?|install\w*|works with|compatible with|depends on)\b[^;:(\n<>≤≥]{1,40}?)"
        rf" ?({one_of(_LIMITS)}) ?(?=v?[0-9])"
    ),
    lambda match: f"{match[1]} {_LIMITS[match[2]]} ",
)


def _combination(match: re.Match[str]) -> str:
    """Name the keys of a combination one after the other."""
    keys = re.findall(r"[⌘⌥⇧⌃]|[^+\s⌘⌥⇧⌃-]+", match[0])
    return " ".join(_KEYS.get(key, key.upper() if len(key) == 1 else key) for key in keys)


def _hashtag(match: re.Match[str]) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=[0-9])|_", " ", match[1])
    return f"hashtag {words}"


def _power(match: re.Match[str]) -> str:
    """Read an exponent; squares and cubes have names of their own."""
    exponent = (match[1] or match[2]).translate(_SUPERSCRIPTS)
    return {"2": " squared", "3": " cubed"}.get(exponent, f" to the power of {exponent.replace('-', 'minus ')}")


def _charge(match: re.Match[str]) -> str:
    """Read the charge of an ion: "F E three plus"."""
    return f" {match[1].translate(_SUPERSCRIPTS)} {'plus' if match[2] == '⁺' else 'minus'}"


def _greek(match: re.Match[str]) -> str:
    """Name a letter, apart from what it stands beside: "two pi R"."""
    text, start, end = match.string, match.start(), match.end()
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    return " " * before.isalnum() + _GREEK[match[1]] + " " * after.isalpha()


_MENU: Final = r"[A-Z][\w'’-]*(?: (?:[A-Z][\w'’-]*|and|&|of|to))*"
_ITEM: Final = rf"[\"“]?(?:{_MENU}|[a-z][\w-]{{2,}})[\"”]?"
_INTO_MENU: Final = re.compile(
    r"(?i)\b(?:open|click|select|choose|tap|press|go|navigate|under|via|in|from|see|find|use|settings|file|edit|view|tools"
    r"|insert|format|help|window|preferences|options|system|home|menu|account|profile)\b"
)
"""What leads into a menu, or is one."""


def _path(match: re.Match[str]) -> str:
    """Read the steps through menus, between which nothing is said; two names alone may be compared."""
    steps = re.split(" ?[>›»▸] ?", match[0])
    before = match.string[max(0, match.start() - 20) : match.start()] + steps[0]
    return ", ".join(steps) if len(steps) > 2 or _INTO_MENU.search(before) else match[0]


SYMBOLS: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<![\w/])([a-z])/([a-z])(?= ?[=+×*<>−])|(?<=[=+×*<>−] )(?!n/a\b)([a-z])/([a-z])(?![\w/])"),
     lambda match: " over ".join(filter(None, match.groups()))),
    (re.compile(r"(?<=[0-9n)])!(?= ?[=+×*/÷−] ?[\w(])|(?<=\b[nkx])!(?= [a-z])"), " factorial"),
    (re.compile(rf"(?<![\w.]){_ITEM}(?: ?[>›»▸] ?{_ITEM})+(?!\w)"), _path),
    (re.compile(rf"(?<![\w+])(?:(?:{_MODIFIERS}) ?\+ ?)+(?:{one_of(_KEYS)}|F[0-9]{{1,2}}|[A-Za-z0-9])(?!\w)"
                rf"|(?<![\w-])(?:(?:{_MODIFIERS})-)+(?:{one_of(_KEYS)}|F[0-9]{{1,2}}|[A-Za-z])(?![\w-])|[⌘⌥⇧⌃]+[A-Za-z0-9](?!\w)"),
     _combination),
    (re.compile(rf"(?<![\w-])({one_of(key for key in _KEYS if key in ('Ctrl', 'Cmd', 'Del', 'PgUp', 'PgDn'))})(?= "
                rf"(?:key|button)|$)"),
     lambda match: _KEYS[match[1]]),
    (re.compile(r"\b(UTC|GMT) ?([+−-])(?=[0-9])"),
     lambda match: f"{match[1]} {'plus' if match[2] == '+' else 'minus'} "),
    (re.compile(r"(?<![\w#&])#(?=[A-Z]{1,3}-[0-9])|(?i:(?<=order )|(?<=ticket )|(?<=case )|(?<=item ))#(?=\w)"),
     "number "),
    (re.compile(r"(?<![\w])([A-Za-z] = )([a-z]{2,3})(?=²|³| [+−-] |[.,;)]|$)"),
     lambda match: match[1] + " ".join(match[2])),
    (re.compile(r"(?<!\w)#s(?= [0-9])"), "numbers"),
    (re.compile(r"(?<=[A-Za-z]{2})#(?=[ :]|[0-9])"), " number"),
    (re.compile(r"(?<![\w#&])#([A-Za-z_]\w*)"), _hashtag),
    (re.compile(r"(?<![\w.@])@([A-Za-z]\w*_\w+)"), lambda match: "at " + match[1].replace("_", " underscore ")),
    (re.compile(r"(?<![\w.@])@ ?(?=\w)"), "at "),
    (re.compile(r"\b([A-Z]{1,3})&([A-Z])\b"), lambda match: f"{spelled(match[1])} and {match[2]}"),  # AT&T
    (re.compile(r"(?<= )['’‘]n['’‘]?(?= )"), "and"),
    (re.compile(r"(?<!\S)--(?=[a-zA-Z])"), "dash dash "),
    (re.compile(r"(?<![^\s(])-([a-zA-Z])(?!\w)"), r"dash \1"),
    (re.compile(r"(?<=[a-z] )-([a-z]{2,3})(?![\w-])"), lambda match: f"dash {spelled(match[1])}"),
    (re.compile(r"\b([A-G])[#♯](?!\w)"), r"\1 sharp"),
    (re.compile(r"\b([A-G])♭(?!\w)"), r"\1 flat"),
    (re.compile(r" ?(?:-+>|=+>|⇒|➜|→) ?"), " to "),
    (re.compile(r" ?(?:<-+|←) ?"), " from "),
    _LIMIT,
    _LIMIT,  # of a second thing
    (re.compile(r"(?<=[a-z]{2} )(>=|≥|<=|≤)(?=v?[0-9])"), lambda match: f"{_LIMITS[match[1]]} "),
    (re.compile(r"(?<=[\w)]) ?(?:>=|≥) ?"), " is at least "),
    (re.compile(r"(?<=[\w)]) ?(?:<=|≤) ?"), " is at most "),
    (re.compile(r"(?:>=|≥) ?"), "at least "),
    (re.compile(r"(?:<=|≤) ?"), "at most "),
    (re.compile(r" ?(?:!==?|≠) ?(?=\w)"), " is not equal to "),
    (re.compile(r"(?<=\w) ?≈ ?"), " is about "),
    (re.compile(r"≈ ?"), "about "),
    (re.compile(r"={3,}(?! ?\w)"), ""),
    (re.compile(r"(?<=[\w)\]]) ?={2,3} ?(?=[\w\"'(-])"), " equals "),
    (re.compile(r"(?<=[\w)%]) ?= ?(?=[\w(+−.√$€£-])"), " equals "),
    (re.compile(r"(?<=[\w)%]) < (?=[\w(−-]|\.[0-9])|(?<=[0-9a-z)])<(?=[0-9])"), " is less than "),
    (re.compile(r"(?<=[\w)%]) > (?=[\w(−-]|\.[0-9])|(?<=[0-9a-z)])>(?=[0-9])"), " is greater than "),
    (re.compile(r"(?<!\S)< ?(?=[\w$€£])"), "less than "),
    (re.compile(r"(?<!\S)> ?(?=[\w$€£])"), "more than "),
    (re.compile(r"∑ ?_\(([^()]+)\) ?\^\(([^()]+)\) ?"), r"the sum from \1 to \2 of "),
    (re.compile(r"∫ ?_\(([^()]+)\) ?\^\(([^()]+)\) ?"), r"the integral from \1 to \2 of "),
    (re.compile(r"\blim ?_\((\w+) to ([^()]+)\) ?"), r"the limit as \1 goes to \2 of "),
    (re.compile(f"[{''.join(_OF)}] ?"), lambda match: _OF[match[0][0]] + " "),
    (re.compile(f" ?([{''.join(_BETWEEN)}]) ?"), lambda match: f" {_BETWEEN[match[1]]} "),
    (re.compile(r"∞"), "infinity"),
    (re.compile(r"№ ?"), "number "),
    (re.compile(r"(?<![\w&#])#(?=[0-9])"), "number "),
    (re.compile(r"§§? ?"), "section "),
    (re.compile(r"¶ ?"), "paragraph "),
    (re.compile(r"‰"), " per mille"),
    (re.compile(r" ?%"), " percent"),
    (re.compile(r"[™®†‡]|(?<=\w)\(\)"), ""),
    (re.compile(r"© ?"), "copyright "),
    (re.compile(r" ?[•·|] ?"), ", "),
    (re.compile(r" ?&& ?| ?& ?"), " and "),
    (re.compile(rf"(?:(?<![A-Za-z\u0370-\u03ff])|(?<=\b[A-Za-z])|(?<=sin|cos|tan))([{''.join(_GREEK)}])(?![\u0370-\u03ff])"),
     _greek),
    (re.compile(r"(?<=[\w)])\^(?:\(([^()]+)\)|(-?\w+))"), _power),
    (re.compile(r"(?<=[\w)])([²³⁴-⁹]?)([⁺⁻])(?![⁰¹²³⁴-⁹])"), _charge),
    (re.compile(r"(?<=[\w)])([⁻⁰¹²³⁴-⁹]+)"), _power),
    (re.compile(r"(?<=\w)\+\+"), " plus plus"),
    (re.compile(r"(?<=[\w)]) \+ (?=[\w(])|(?<=[a-z0-9])\+(?=[a-z0-9])"), " plus "),
    (re.compile(r"(?<=[a-z])\+(?![\w+])"), " plus"),
    (re.compile(r"(?<=[0-9])\+(?![\w+])|(?<=\b[A-F])\+(?![\w+])"), " plus"),
    (re.compile(r"(?<=\b[A-F])[-−](?= (?:in|on|for|average|grade)\b|[.,;!?)]|$)"), " minus"),
    (re.compile(r"(?<![\w+])\+(?=[0-9])"), "plus "),
    (re.compile(r"(?<=[a-z]) \* (?=[\w(])"), " times "),
    (re.compile(r"(?<=[\w.)]) / (?=[a-zA-Z])"), ", "),
    (re.compile(r"(?<=[^\W\d_])/(?=[^\W\d_])|(?<=[^\W_] )/(?= )"), " "),
    (re.compile(r"(?<=\w)/(?=\w)"), " slash "),
    (re.compile(r"(?<=[^\W_])_+(?=[^\W_]|\()"), " "),
    (re.compile(r"[\\_^~*#]+"), " "),
)  # fmt: skip
"""Rules for symbols, after those for what stands beside them."""
