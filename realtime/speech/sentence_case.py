"""The capital letter with which a sentence begins.

Whisper writes the first word of the audio small where it takes it for the middle of a sentence, as it often does with a
second of audio. Few of these words are committed by its own next hypotheses; a draft confirms those of the first one.
What a draft adds to the words of another model follows marks that are not its own.
"""

from dataclasses import replace
from typing import Final

from realtime.speech.abbreviations import is_abbreviated
from realtime.speech.punctuation import SENTENCE_ENDS
from realtime.speech.transcript import Word

_CLOSING: Final = " \"'”’)]}»"
"""Marks that may follow the end of a sentence."""

_OPENING: Final = ' ¿¡"“„«(['
"""Marks with which a sentence may begin; an apostrophe is part of a word."""

_ELLIPSES: Final = ("...", "…")


def begins_sentence(before: str) -> bool:
    """Return whether a sentence begins after the text `before`: if it is empty, or has ended one."""
    text = before.rstrip(_CLOSING)
    if not text:
        return True
    if not text.endswith(SENTENCE_ENDS) or text.endswith(_ELLIPSES):
        return False
    sentence = text.rstrip(".")
    return not (text.endswith(".") and sentence.strip() and is_abbreviated(sentence, ""))


def capitalised(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Return the words, the first of them with a capital letter; one that has another capital stays as it is."""
    if not words:
        return words
    text = words[0].text
    start = len(text) - len(text.lstrip(_OPENING))
    if not text.islower():
        return words
    return (replace(words[0], text=text[:start] + text[start].title() + text[start + 1 :]), *words[1:])
