"""Text normalization: from text as it is written to the words that a reader says.

Every voice model is given spoken text: words and punctuation, without digits and symbols that it could read in another
way. Each character of it knows which part of the written text it stands for.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from realtime.text_normalization import markup
from realtime.text_normalization.chinese import CHINESE
from realtime.text_normalization.english.reading import READINGS
from realtime.text_normalization.european.french import FRENCH
from realtime.text_normalization.european.german import GERMAN
from realtime.text_normalization.european.grammar import rules
from realtime.text_normalization.european.spanish import SPANISH
from realtime.text_normalization.language import language_of
from realtime.text_normalization.latex import LATEX
from realtime.text_normalization.numerals import digit_by_digit
from realtime.text_normalization.rules import Rewriting, Stage, positions

_ANY: Final = re.compile("")
_STAGES: Final[dict[str, tuple[Stage, ...]]] = {
    "zh": ((_ANY, CHINESE),),
    **{language.code: ((_ANY, rules(language)),) for language in (GERMAN, FRENCH, SPANISH)},
}
LANGUAGES: Final = ("en", *_STAGES)
"""Languages with rules of their own; in others only markup is dropped."""


_LONG: Final = re.compile(r"(?<![0-9][.,])(?:[0-9]{16,}|[0-9]{1,3}(?:[,.][0-9]{3}){5,}(?![0-9]))")
"""Numbers too long to be read as one, whose digits are named."""


@dataclass(frozen=True, slots=True)
class SpokenText:
    """What is said for a written text."""

    written: str
    text: str
    positions: Sequence[float]
    """For each character of `text`, the place in `written` that it belongs to, in rising order."""
    language: str
    """The language whose rules were used."""


def spoken_text(
    written: str, languages: Collection[str] = ("en",), *, own: str = "", british: bool = False
) -> SpokenText:
    """Write out what a reader says.

    The text decides which of several `languages` it is in; a voice may have one of its `own` among them
    (`language_of`). 3/10/2024 is the tenth of March, or the third of October if
    `british`.
    """
    language = language_of(written, languages, own)
    text = Rewriting(written)
    if "$" in written or "\\" in written:
        text.apply(LATEX)
    if markup.NEEDED.search(text.text):
        text.apply(markup.MARKUP)
    text.apply(((_LONG, lambda match: digit_by_digit(match[0], language if language in LANGUAGES else "en")),))
    for needed, stage_rules in READINGS[british] if language == "en" else _STAGES.get(language, ()):
        if needed.search(text.text):
            text.apply(stage_rules)
    return SpokenText(written, text.text, positions(text.sources), language)
