"""Written text with what a reader says, to test and to measure text normalization and the voices."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parents[1] / "data"

WRITTEN_FORMS: Final = _DATA / "written_forms.tsv"
"""Forms by language and kind, with what is said for each; a bar parts what may be said equally well."""

SENTENCES: Final = {
    "I asked him twice, and the answer is no.": "answer is no$",
    "The earth and the planets orbit the Sun.": "orbit the sun$",
    "The ticket to the museum costs $12.5.": r"\$12\.50|12 dollars and 50 cents",
    "I liked the film and gave it a 10/10.": "(10|ten) out of (10|ten)",
    "The shop on the corner is open 24/7.": "24[- /]?7",
    "Most people of Gen Z have a telephone.": "gen z have",
    "We all know that 10 - 4 = 6.": "10 minus 4",
    "Please call me at 010 234 5678.": "010[ ,.-]*234[ ,.-]*5678",
    "The page is at https://example.com/help now.": r"at example(\.| dot )com",
    "He writes his programs in C# and Java.": "c[- ]sharp|c#",
    "Turn left onto Main St. We live there.": "main street. we",
    "Mr. Smith met Dr. Jones at 3 p.m.": r"(mr\.?|mister) smith met (dr\.?|doctor) jones",
    "It was -5 degrees in the morning.": "minus 5 degrees|-5 degrees",
    "The address is 192.168.0.1, I think.": r"192(\.| dot )168(\.| dot )0(\.| dot )1",
}
"""Sentences, and what a transcript of their speech must contain in small letters; numbers may be written in any way."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A written text in a language and what may be said for it."""

    language: str
    written: str
    said: tuple[str, ...]
    kind: str


def readings() -> list[Reading]:
    """Return the rows of `WRITTEN_FORMS`."""
    _, *rows = (line.split("\t") for line in WRITTEN_FORMS.read_text(encoding="utf-8").splitlines())
    return [
        Reading(language, written.replace("\\n", "\n"), tuple(said.split("|")), kind)
        for language, written, said, kind in rows
    ]


def letters(text: str) -> str:
    """Return the letters and digits of a text, without "and" between words, which may be said or not."""
    words = re.findall(r"[\w']+", text.lower().replace("’", "'"))
    return "".join(word for word in words if word != "and")


def is_said(reading: Reading, spoken: str) -> bool:
    """Return whether the words of a spoken text are those of a reading."""
    return letters(spoken) in map(letters, reading.said)


def without_prosody(phonemes: str) -> str:
    """Drop stress and pauses from hibari's phonemes, and the reductions of "to" and "a"."""
    sounds = re.sub(r"[ˈˌ\s.,:;!?—…“”\"()]", "", phonemes)
    return sounds.replace("tʊ", "tə").replace("ɐ", "ə").replace("T", "t")


def is_heard(sentence: str, transcript: str) -> bool:
    """Return whether a transcript of the speech of one of `SENTENCES` has the right words."""
    return re.search(SENTENCES[sentence], transcript.lower().strip(" .")) is not None
