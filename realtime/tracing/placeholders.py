"""Placeholders: text without its words, for traces that must not have any.

A placeholder has the length, the white space and the punctuation of the text, and letters, digits and symbols of the
same kind: it is cut into the same phrases, in parts too, and has as many words, as a replay needs.
"""

import re
import unicodedata
from typing import Final

from realtime.speech.abbreviations import is_abbreviated

_IDEOGRAPH: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")

_STOP: Final = re.compile(r"(?P<word>[^\W\d_]+)\.(?=[^\w\s]*(?:\s+(?P<following>\S)|$))")
"""A word with a full stop, and the first character after it."""

_ABBREVIATIONS: Final = {1: "d", 2: "dr", 3: "etc", 4: "dept", 6: "approx"}
"""What stands for abbreviations, by their length."""


def placeholder(text: str) -> str:
    """Return the placeholder of a text.

    Where a text comes in parts, an abbreviation must not be divided, nor one from its number ("No. 5").
    """
    filled = "".join(map(_filler, text))
    for stop in _STOP.finditer(text):
        start, end = stop.span("word")
        if is_abbreviated(text[:end], stop["following"] or "x"):
            letters = zip(_ABBREVIATIONS.get(end - start, filled[start:end]), stop["word"], strict=True)
            cased = "".join(letter.upper() if like.isupper() else letter for letter, like in letters)
            filled = filled[:start] + cased + filled[end:]
    return filled


def _filler(character: str) -> str:
    """Return a character of the same kind. Words of these letters are no abbreviations."""
    if character.isdecimal():
        return "0"
    if character.isalpha():
        if _IDEOGRAPH.match(character):
            return "一"
        return "é" if character.islower() else "I" if character.isupper() else "א"
    if character.isalnum():
        return "½"
    symbol = unicodedata.category(character)[0] == "S" and not character.islower()
    return "+" if symbol and character != "`" else character  # "`" may close a quotation
