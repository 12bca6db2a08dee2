"""Where a transcript is cut for subtitles: at the ends of sentences and at pauses."""

from collections.abc import Sequence
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.abbreviations import is_abbreviated
from realtime.speech.punctuation import SENTENCE_ENDS
from realtime.speech.transcript import Word

_CLOSING: Final = "\"'”\u2019»)]」』"
"""Quotation marks and brackets that may follow the end of a sentence."""

_PAUSE: Final = SAMPLE_RATE // 2
"""Samples of silence between two words that end a cue: 0.5 s."""


def cut_into_cues(words: Sequence[Word], language: str) -> list[tuple[Word, ...]]:
    """Cut the words of a transcript in this language; where words have no times, only at the ends of sentences."""
    found: list[tuple[Word, ...]] = []
    cue: list[Word] = []
    for word in words:
        if cue and (word.start - cue[-1].end >= _PAUSE or ends_sentence(cue, word, language)):
            found.append(tuple(cue))
            cue = []
        cue.append(word)
    return [*found, tuple(cue)] if cue else found


def ends_sentence(words: Sequence[Word], following: Word, language: str) -> bool:
    """Return whether a sentence ends with `words`: with a mark that is not the stop of "Mr." or of an ordinal."""
    text = "".join(word.text for word in words).rstrip().rstrip(_CLOSING)
    if not text.endswith(SENTENCE_ENDS):
        return False
    before = text.removesuffix(".")
    if before == text or not before[-1:].isalnum():
        return True
    return not is_abbreviated(before, following.text.lstrip()[:1], language)
