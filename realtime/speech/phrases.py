"""Phrases: where to cut text, as it arrives, into parts that are synthesized one by one.

The first phrase is short, a clause of at least `CLAUSE_WORDS` words or a sentence, for a short time to the first audio.
Later phrases are whole sentences, which sound better. A sentence longer than `LONGEST_PHRASE` is cut after the last
clause that fits, else between words, else anywhere. A line break ends a sentence.

A cut is decided as soon as the character after it is known, and later text does not change it: the phrases do not
depend on how the text is divided into deltas. Only where text comes more slowly than it is spoken, a sentence is cut
after a clause, so as not to stop in front of it (`take_clause`). No cut depends on more than `_WINDOW` characters, so
the work is linear in the length of the text.
"""

import re
from enum import Enum, auto
from typing import Final

from realtime.speech.abbreviations import is_abbreviated

LONGEST_PHRASE: Final = 200
"""Characters of a phrase, not counting the white space at its end."""

_LONGEST_SPACE: Final = re.compile(rf"(?<!\s)(\s{{{LONGEST_PHRASE}}})\s+")
"""White space longer than a phrase; the group is what replaces it."""

_WINDOW: Final = 2 * LONGEST_PHRASE + 2
"""Characters that decide a cut: the longest phrase, the longest white space after it and the character after that."""

CLAUSE_WORDS: Final = 2
"""Words in the shortest clause that makes a phrase. Two Chinese or Japanese characters count as a word.

Two words take about half a second to say, in which a backend of 60 tokens per second and the voice have the next phrase
ready. With one, "Well," would be a phrase.
"""

_IDEOGRAPH: Final = r"[\u3040-\u30ff\u3400-\u9fff]"
_CLOSING: Final = r"[\"'”’)\]}»›」』）】》〉*_`]*"
_PLACE: Final = re.compile(
    rf"""
    (?: (?P<stop>   (?<![.!?…])[.!?…]+ {_CLOSING} (?=\s) | [。！？｡][。！？｡.!?…]* {_CLOSING} )
      | (?P<clause> (?<![,;:–])[,;:–]+ {_CLOSING} (?=\s) | [，、､；：—]+ {_CLOSING} )
      | (?=\s)
      | (?<={_IDEOGRAPH})(?={_IDEOGRAPH})
    )
    (?P<space> \s* )
    """,
    re.VERBOSE,
)
"""A place where text may be cut, after `space`, if the context permits."""

_NEVER_FIRST: Final = frozenset(".!?…,;:)]}»›。！？｡，、､；：」』）】》〉")
"""Characters that must not begin a phrase."""

_WORD: Final = re.compile(rf"{_IDEOGRAPH}{{1,2}}|[^\W_]+(?:['’.,-][^\W_]+)*")


class _Break(Enum):
    """What ends at a place."""

    SENTENCE = auto()
    CLAUSE = auto()
    WORD = auto()


def has_words(text: str) -> bool:
    """Return whether there is anything to speak in a text: a letter or a digit."""
    return any(map(str.isalnum, text))


class PhraseChunker:
    """Cuts text that arrives in deltas into phrases.

    The phrases concatenate to the text, without white space at its beginning and with overlong white space shortened.
    White space at a cut belongs to the phrase before it.
    """

    def __init__(self, first_words: int = 1) -> None:
        """Make the first phrase of at least `first_words` words, if the text has as many."""
        self._text = ""
        self._first = True
        self._first_words = first_words

    def feed(self, delta: str) -> list[str]:
        """Append text; return the phrases that are complete."""
        text = _LONGEST_SPACE.sub(r"\1", self._text + delta if self._text else delta.lstrip())
        found = []
        start = 0
        while (cut := _first_cut(text[start : start + _WINDOW], self._first_words if self._first else 0)) is not None:
            found.append(text[start : start + cut])
            start += cut
            self._first = False
        self._text = text[start:]
        return found

    def take_clause(self) -> str | None:
        """Cut the text so far after its last clause, for a listener who has nothing left to hear; None without one."""
        cut = None
        for place in _PLACE.finditer(self._text):
            if place.end() < len(self._text) and _break(self._text, place) is _Break.CLAUSE:
                cut = place.end()
        if cut is None:
            return None
        clause, self._text = self._text[:cut], self._text[cut:]
        return clause

    def flush(self) -> list[str]:
        """End the text; return the last phrase, if any text is left. A new text may follow."""
        rest = [self._text] if self._text else []
        self._text = ""
        self._first = True
        return rest


def phrases(text: str) -> list[str]:
    """Cut a whole text into phrases."""
    chunker = PhraseChunker()
    return chunker.feed(text) + chunker.flush()


def _first_cut(text: str, first_words: int) -> int | None:
    """Return where the first phrase of `text` ends, or None if that depends on text to come.

    The first one of a text ends after a sentence or a clause of at least `first_words`; 0 for any other, which ends
    after a sentence. Only the first `_WINDOW` characters matter.
    """
    clause = word = None
    for place in _PLACE.finditer(text):
        if place.start("space") > LONGEST_PHRASE:
            break
        if place.end() == len(text):
            return None
        found = _break(text, place)
        if found and _words(text, place) < first_words:
            found = _Break.WORD
        match found:
            case _Break.SENTENCE:
                return place.end()
            case _Break.CLAUSE if first_words:
                return place.end()
            case _Break.CLAUSE:
                clause = place.end()
            case _Break.WORD:
                word = place.end()
    else:
        if len(text) <= LONGEST_PHRASE:
            return None
    return clause or word or LONGEST_PHRASE


def _break(text: str, place: re.Match[str]) -> _Break | None:
    """Return what ends at `place`; None where the text must not be cut."""
    following = text[place.end()]
    if following in _NEVER_FIRST:
        return None
    if not (place["stop"] or place["clause"] or "\n" in place["space"]):
        return _Break.WORD
    words = _words(text, place)
    if words and "\n" in place["space"]:
        return _Break.SENTENCE
    if words and place["stop"]:
        if place["stop"].startswith(".") and is_abbreviated(text[: place.start()], following):
            return None
        return _Break.WORD if following.islower() else _Break.SENTENCE
    if following.isdecimal() and text[: place.start()][-1:].isdecimal():
        return _Break.WORD if place["space"] else None
    return _Break.CLAUSE if words >= CLAUSE_WORDS else _Break.WORD


def _words(text: str, place: re.Match[str]) -> int:
    return len(_WORD.findall(text, 0, place.start("space")))
