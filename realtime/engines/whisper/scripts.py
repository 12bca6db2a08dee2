"""The scripts that languages are written in, and Whisper's tokens that are written in others.

Even where the language is given, Whisper writes a word of short or unclear speech in another alphabet now and then.
Such text is decoded again with the tokens of other scripts suppressed. Latin letters are allowed everywhere: names,
units and abbreviations are written in them in any language.
"""

import re
import unicodedata
from functools import cache
from typing import Final

from tokenizers import Tokenizer as Vocabulary

from realtime.engines.whisper.words import bytes_of

_LANGUAGES_OF_SCRIPTS: Final = {
    "ARABIC": "ar fa pa ps sd ur",
    "ARMENIAN": "hy",
    "BENGALI": "as bn",
    "BOPOMOFO": "yue zh",
    "CJK": "ja ko yue zh",
    "CYRILLIC": "az ba be bg bs hr kk mk mn ru sr tg tk tt uk uz",
    "DEVANAGARI": "hi mr ne sa sd",
    "ETHIOPIC": "am",
    "GEORGIAN": "ka",
    "GREEK": "el",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "HANGUL": "ko",
    "HEBREW": "he yi",
    "HIRAGANA": "ja",
    "KANNADA": "kn",
    "KATAKANA": "ja",
    "KHMER": "km",
    "LAO": "lo",
    "MALAYALAM": "ml",
    "MYANMAR": "my",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
    "TIBETAN": "bo",
}
"""Languages by script; a script is named by the first word of the Unicode names of its letters."""

_UNFINISHED: Final = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?)\Z")
"""The beginning of a character of two or three bytes in UTF-8, at the end of a text."""


def foreign_scripts(language: str) -> frozenset[str]:
    """Return the scripts that are not used for a language; never Latin."""
    return frozenset(script for script, users in _LANGUAGES_OF_SCRIPTS.items() if language not in users.split())


def has_foreign_letters(text: str, language: str) -> bool:
    """Whether a text has letters of a script that is not used for the language."""
    return not text.isascii() and not foreign_scripts(language).isdisjoint(map(_script, text))


class ForeignTokens:
    """The tokens of a vocabulary that write letters of certain scripts, found once for each set of scripts."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._known: dict[frozenset[str], list[int]] = {frozenset(): []}

    def writing(self, scripts: frozenset[str]) -> list[int]:
        """Return the tokens that write letters of `scripts`.

        A token may end within a character. It counts if every letter that it can begin is of `scripts`.
        """
        if scripts not in self._known:
            tokens = self._vocabulary.get_vocab(with_added_tokens=False).values()
            self._known[scripts] = [each for each in tokens if _writes(bytes_of(each, self._vocabulary), scripts)]
        return self._known[scripts]


def _writes(text: bytes, scripts: frozenset[str]) -> bool:
    """Whether part of a UTF-8 text has letters of `scripts`, or ends within a character that is one."""
    if not scripts.isdisjoint(map(_script, text.decode(errors="ignore"))):
        return True
    begun = _UNFINISHED.search(text)
    possible = _scripts_of(begun[0]) if begun else frozenset()
    return bool(possible) and possible <= scripts


@cache
def _scripts_of(begun: bytes) -> frozenset[str]:
    """Return the scripts of the letters whose UTF-8 encoding begins with these bytes."""
    size = 2 if begun[0] < 0xE0 else 3
    missing = size - len(begun)
    value = begun[0] & (0x1F if size == 2 else 0x0F)
    for byte in begun[1:]:
        value = value << 6 | byte & 0x3F
    first, after = value << 6 * missing, (value + 1) << 6 * missing
    codes = range(max(first, 0x800) if size == 3 else first, after)  # three bytes are not used for fewer
    return frozenset(_script(chr(code)) for code in codes) - {""}


@cache
def _script(character: str) -> str:
    """Return the script of a letter, or an empty string for what is no letter of a known script."""
    name = unicodedata.name(character, "").partition(" ")[0]
    return name if name == "LATIN" or name in _LANGUAGES_OF_SCRIPTS else ""
