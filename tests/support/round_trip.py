"""Written sentences with what is said for them, and how many words of a transcript of their speech are wrong."""

import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import jiwer
from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

_SENTENCES: Final = Path(__file__).parents[1] / "data" / "written_forms" / "sentences.tsv"
_NORMALIZER: Final = EnglishTextNormalizer({"metres": "meters", "kilometres": "kilometers"})  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it is written, and all that may be said for it, in words."""

    written: str
    said: tuple[str, ...]


def alternatives(said: str) -> tuple[str, ...]:
    """Return what may be said according to "three [to|] one": one of the parts between bars in each place."""
    places = [place.split("|") for place in re.split(r"\[([^]]*)]", said)]
    return tuple(" ".join("".join(parts).split()) for parts in product(*places))


def sentences() -> list[Sentence]:
    """Return sixty English sentences full of numbers, units and abbreviations."""
    _, *rows = (line.split("\t") for line in _SENTENCES.read_text(encoding="utf-8").splitlines())
    return [Sentence(written, alternatives(said)) for written, said in rows]


def normalized(text: str) -> str:
    """Return the words of spoken English or of a transcript in the form of Whisper's normalizer for English.

    It keeps apart what sounds the same: 7:15 a.m. and 715 am become one here, as 555-0142, 555. 0142 and 5550142.
    """
    text = re.sub(r"\b([ap])\.? ?m\b\.?", r"\1m", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<!\w)[-−](?=\d)", "minus ", text)  # which the normalizer drops
    text = re.sub(r"(?<=\d)(?:-|[. ]+(?=0))(?=\d)", "", text.replace(":", " ").replace("++", " plus plus"))
    return re.sub(r"(?<=\d) (?=\d)", "", str(_NORMALIZER(text)))


def word_errors(sentence: Sentence, transcript: str) -> tuple[int, int]:
    """Return how many words of a transcript are wrong, by the alternative with the fewest, and how many it has."""
    outputs = [jiwer.process_words(normalized(said), normalized(transcript)) for said in sentence.said]
    counts = [
        (output.substitutions + output.insertions + output.deletions, output.hits + output.substitutions
         + output.deletions) for output in outputs
    ]  # fmt: skip
    return min(counts)
