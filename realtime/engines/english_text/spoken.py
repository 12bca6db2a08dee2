"""The spoken form of written English text, where hibari would not find it itself.

hibari reads most numbers, dates, times and units well. These rules write out what it reads wrongly, each in the context
that shows what is meant, and leave everything else as it is.
"""

import re
from typing import Final

from realtime.engines.english_text.abbreviations import ABBREVIATIONS, DAYS_AND_MONTHS
from realtime.engines.english_text.addresses import ADDRESSES
from realtime.engines.english_text.formulas import FORMULAS
from realtime.engines.english_text.numbers import NUMBERS
from realtime.engines.english_text.rules import Rule, rewrite, spelled
from realtime.engines.english_text.units import UNITS

_TAGS: Final = (
    "a|abbr|audio|b|big|blockquote|br|break|code|div|em|emphasis|h[1-6]|hr|i|img|li|mark|ol|p|phoneme|pre|prosody|s"
    "|say-as|small|span|speak|strong|sub|sup|table|tbody|td|th|thead|tr|u|ul|voice"
)
"""Elements of HTML and SSML that texts contain."""

_MARKUP: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?m)^[ \t]*(?:```|~~~).*$"), ""),
    (re.compile(r"(?m)^[ \t]*(?:[-*_][ \t]*){3,}$"), ""),  # a thematic break
    (re.compile(r"(?m)^(?=.*--)[ \t|:-]+$"), ""),  # below the head of a table
    (re.compile(r"(?m)^[ \t]*(?:>[ \t]*)+"), ""),
    (re.compile(r"(?m)^[ \t]*#{1,6}[ \t]+"), ""),
    (re.compile(r"(?m)^[ \t]*[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?"), ""),
    (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)"), r"\1"),  # link, image
    (re.compile(r"\]\([^()\s]*\)"), ""),  # the end of a link that a phrase begins with
    (re.compile(r"<((?:https?://|mailto:)?[^\s<>@]+[@/][^\s<>]*[^\s<>/])>"), r"\1"),
    (re.compile(rf"</?(?:{_TAGS})(?:\s+[\w:-]+=(?:\"[^\"]*\"|'[^']*'))*\s*/?>", re.IGNORECASE), " "),
    (re.compile(r"~~(?=\S)([^~]+)(?<=\S)~~"), r"\1"),
    (re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*]+)(?<=[^\s*])\1(?![\w*])"), r"\2"),
    (re.compile(r"(?<![\w_])(_{1,3})(?=[^\s_])([^_]+)(?<=[^\s_])\1(?![\w_])"), r"\2"),
    (re.compile(r"`+"), ""),
)
"""Markdown and tags: the marks are for the eye, and so is the target of a link."""

_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUBSCRIPTS: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

_SYMBOLS: Final[tuple[Rule, ...]] = (
    (re.compile(r"\b([A-G])[#♯](?!\w)"), r"\1 sharp"),
    (re.compile(r"\b([A-G])♭(?!\w)"), r"\1 flat"),
    (re.compile(r" ?(?:-+>|=+>|⇒|➜) ?"), " to "),
    (re.compile(r" ?(?:>=|≥) ?"), " is at least "),
    (re.compile(r" ?(?:<=|≤) ?"), " is at most "),
    (re.compile(r" ?(?:!==?|≠) ?(?=\w)"), " is not equal to "),
    (re.compile(r"(?<=\w) ?≈ ?"), " is about "),
    (re.compile(r"≈ ?"), "about "),
    (re.compile(r" ?={2,} ?"), " equals "),
    (re.compile(r"√ ?"), "the square root of "),
    (re.compile(r"∞"), "infinity"),
    (re.compile(r"№ ?"), "number "),
    (re.compile(r"‰"), " per mille"),
    (re.compile(r" ?&& ?"), " and "),
    (re.compile(r"(?<=[0-9])π"), " pi"),
    (re.compile(r"π"), "pi"),
    (
        re.compile(r"(?<=[\w)])(?![²³](?![⁰¹²³⁴-⁹]))([⁻⁰¹²³⁴-⁹]+)"),
        lambda match: f" to the power of {match[1].translate(_SUPERSCRIPTS)}",
    ),
    (re.compile(r"[₀-₉]+"), lambda match: f" {match[0].translate(_SUBSCRIPTS)} "),
    (re.compile(r"\bCO(?= ?2\b)"), "C.O "),  # the gas; hibari reads the word "co"
    (re.compile(r"\b([A-Z])&([A-Z])\b"), lambda match: f"{match[1]} and {match[2]}"),
    (re.compile(r"\b([A-Z]{2})&([A-Z])\b"), lambda match: f"{spelled(match[1])} and {match[2]}"),
)


_STAGES: Final = (
    (re.compile(r"[*_`#<>~|\[\]•+-]"), _MARKUP),
    (re.compile(r"[.@/\\]|:[0-9A-Fa-f:]|[0-9A-Fa-f]-[0-9A-Fa-f]|\bport |\bv[0-9]"), ADDRESSES),
    (re.compile(rf"\.|\bGen |\b[A-Z]o[A-Z]s?\b|\b(?:{DAYS_AND_MONTHS})"), ABBREVIATIONS),
    (re.compile(r"[0-9¼½¾⅐-⅞−=\u00a0]"), NUMBERS),
    (re.compile(r"[0-9]|/[hms]|[hkMGTmndcµμ][A-ZbΩ]"), UNITS),
    (re.compile(r"[A-Za-z][0-9]|[A-Z][a-z]?[A-Z]"), FORMULAS),
    (re.compile(r"[^\x00-\x7f]|[=!<>#&]|\bCO ?2\b"), _SYMBOLS),
)
"""Rules in the order of their use, each after a pattern without which none of them applies."""


def spoken_text(text: str) -> str:
    """Write out what a reader says where hibari would say something else."""
    for needed, rules in _STAGES:
        if needed.search(text):
            text = rewrite(text, rules)
    return text
