"""Written English with what a reader says, to test and to measure the front end of the voice."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parents[1] / "data/spoken_english.tsv"
"""Lines of what is written and what is said, with a tab between them, below headings of their kind."""

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
    """A written text and its spoken words."""

    kind: str
    written: str
    said: str


def readings() -> list[Reading]:
    """Return the table."""
    found = []
    kind = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("# ") and "\t" not in line:
            kind = line.removeprefix("# ")
        else:
            written, said = line.split("\t")
            found.append(Reading(kind, written, said))
    return found


def without_prosody(phonemes: str) -> str:
    """Drop stress and pauses from hibari's phonemes, and the reductions of "to" and "a"."""
    sounds = re.sub(r"[ˈˌ\s.,:;!?—…“”\"()]", "", phonemes)
    return sounds.replace("tʊ", "tə").replace("ɐ", "ə").replace("T", "t")


def is_heard(sentence: str, transcript: str) -> bool:
    """Return whether a transcript of the speech of one of `SENTENCES` has the right words."""
    return re.search(SENTENCES[sentence], transcript.lower().strip(" .")) is not None
