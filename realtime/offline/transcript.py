"""Transcript of a recording."""

from dataclasses import dataclass
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.suppression import Suppression
from realtime.speech.transcript import Hypothesis, Word

_SENTENCE_ENDS: Final = tuple(".?!…。\uff1f\uff01")


_CLOSING: Final = "\"'”\u2019»)]」』"


_PAUSE: Final = SAMPLE_RATE // 2
"""Silence between two words that ends a segment."""


@dataclass(frozen=True, slots=True)
class TranscribedSegment:
    """What was said in one excerpt, which begins at sample `start`. `words` have positions in the whole recording."""

    start: int
    words: tuple[Word, ...]
    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True)
class SuppressedSegment:
    """An excerpt, from sample `start` to `end` of the recording, whose text is not given, and why."""

    start: int
    end: int
    reason: Suppression


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole recording of `samples` samples. `language` is a code, empty where nothing was said to tell it by.

    A `translated` one is in English, whatever was spoken. What was `suppressed` is in order.
    """

    segments: tuple[TranscribedSegment, ...]
    language: str
    samples: int
    translated: bool = False
    suppressed: tuple[SuppressedSegment, ...] = ()

    @property
    def text(self) -> str:
        return "".join(segment.hypothesis.text for segment in self.segments).strip()


@dataclass(frozen=True, slots=True)
class Cue:
    """A sentence, or what was said between two pauses."""

    words: tuple[Word, ...]
    segment: TranscribedSegment

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words)

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end


def cues(transcript: Transcript) -> list[Cue]:
    """Cut a transcript with word times at the ends of sentences, at pauses and between excerpts."""
    found: list[Cue] = []
    for segment in transcript.segments:
        begun: list[Word] = []
        for word in segment.words:
            if begun and (_ends_sentence(begun[-1]) or word.start - begun[-1].end >= _PAUSE):
                found.append(Cue(tuple(begun), segment))
                begun = []
            begun.append(word)
        if begun:
            found.append(Cue(tuple(begun), segment))
    return found


def _ends_sentence(word: Word) -> bool:
    return word.text.rstrip().rstrip(_CLOSING).endswith(_SENTENCE_ENDS)
