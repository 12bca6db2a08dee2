"""Markup of any language: Markdown, tags, emoji and emoticons, which are for the eye."""

import re
from typing import Final

from realtime.text_normalization.rules import Rule

_TAGS: Final = (
    "a|abbr|audio|b|big|blockquote|br|break|code|div|em|emphasis|h[1-6]|hr|i|img|li|mark|ol|p|phoneme|pre|prosody|s"
    "|say-as|small|span|speak|strong|sub|sup|table|tbody|td|th|thead|tr|u|ul|voice"
)
"""Elements of HTML and SSML that texts contain."""

_EMOJI: Final = "\U0001f000-\U0001faff\u2600-\u266c\u2670-\u27bf\u2b00-\u2bff\ufe0f\u200d\u20e3"
"""Emoji, dingbats and what joins them, without the signs of music."""

NEEDED: Final = re.compile(rf"[*_`#<>~|\[\]•+{_EMOJI}-]|[:;][)(]")
"""Without any of these a text has no markup."""


def _rating(match: re.Match[str]) -> str:
    """Write five stars, filled or not, as a number of them; others are ornaments."""
    filled = len(match[1].replace("\ufe0f", ""))
    return f"{filled}★{',' * match.string.startswith(' ', match.end())}" if filled + len(match[2]) == 5 else match[0]


MARKUP: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?m)^[ \t]*(?:```|~~~).*$"), ""),
    (re.compile(r"(?m)^[ \t]*(?:[-*_][ \t]*){3,}$"), ""),  # a thematic break
    (re.compile(r"(?m)^(?=.*--)[ \t|:-]+$"), ""),  # below the head of a table
    (
        re.compile(
            r"(?m)^[ \t]*\|(?![-−]?\w(?: ?[-+−] ?\w+)?\|(?:[^|\n]*$|[,.]? ?[=<>+≤≥]))[ \t]*(?=[^\n|]*\|)"
            r"|(?<=[^\s|])(?<![ (=]\|\w)(?<!^\|\w)[ \t]*\|[ \t]*$"
        ),
        "",
    ),  # the sides of a table
    (re.compile(r"(?m)^[ \t]*(?:>[ \t]*)+(?![ \t]*[0-9.=])"), ""),
    (re.compile(r"(?m)^[ \t]*#{1,6}[ \t]+"), ""),
    (re.compile(r"(?m)^[ \t]*[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?(?![0-9. ]+=)"), ""),
    (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)"), r"\1"),  # link, image
    (re.compile(r"\]\([^()\s]*\)"), ""),  # the end of a link that a phrase begins with
    (re.compile(r"<((?:https?://|mailto:)?[^\s<>@]+[@/][^\s<>]*[^\s<>/])>"), r"\1"),
    (re.compile(rf"</?(?:{_TAGS})(?:\s+[\w:-]+=(?:\"[^\"]*\"|'[^']*'))*\s*/?>", re.IGNORECASE), " "),
    (re.compile(r"<([A-Za-z][\w-]*)>"), r"\1"),  # a placeholder, or who speaks
    (re.compile(r"~~(?=\S)([^~]+)(?<=\S)~~"), r"\1"),
    (re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*]+)(?<=[^\s*])\1(?![\w*])"), r"\2"),
    (re.compile(r"(?<![\w_])(_{1,3})(?=[^\s_])([^_]+)(?<=[^\s_])\1(?![\w_])"), r"\2"),
    (re.compile(r"`+"), ""),
    (re.compile(r"(?<=\w )<3(?= (?:you|u|it|this|my|the|them|her|him)\b)"), "love"),
    (re.compile("(?<![★⭐☆\ufe0f])((?:[★⭐]\ufe0f?){1,5})(☆{0,4})(?![★⭐☆])"), _rating),
    (re.compile(rf"[ \t]?(?:(?!(?<=[0-9])★)[{_EMOJI}])+"), ""),
    (re.compile(r"(?<!\S)[:;=][-'^]?[)(DPpOo/|\\*](?!\S)|(?<!\S)(?:\^_\^|xD)(?!\S)|(?<!\S)<3(?=\s*$|[!.])"), ""),
)
"""Marks that are dropped; of a link the target too."""
