"""The transcript of a recording, and its division into cues."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from realtime.audio.formats import SAMPLE_RATE
from realtime.media.tracks import AudioTrack
from realtime.speech.abbreviations import is_abbreviated
from realtime.speech.punctuation import SENTENCE_ENDS
from realtime.speech.suppression import Suppression
from realtime.speech.transcript import Hypothesis, Word

_CLOSING: Final = "\"'”\u2019»)]」』"
"""Quotation marks and brackets that may follow the end of a sentence."""

_PAUSE: Final = SAMPLE_RATE // 2
"""Samples of silence between two words that end a cue: 0.5 s."""


@dataclass(frozen=True, slots=True)
class TranscribedSegment:
    """The text of one speech segment, which begins at sample `start`.

    `words` are positioned in the recording, the words of `hypothesis` in the segment.
    """

    start: int
    words: tuple[Word, ...]
    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True)
class SuppressedSegment:
    """A speech segment, from sample `start` to `end` of the recording, whose text is suppressed for `reason`."""

    start: int
    end: int
    reason: Suppression


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript of a recording of `samples` samples.

    Attributes:
        segments: Segments with text, in order.
        language: Code of the language spoken, empty if there was no text.
        samples: Length of the recording.
        translated: The text is a translation to English.
        suppressed: Segments whose text is suppressed, in order.
        track: The audio track transcribed, None if it is the only one of the recording.
    """

    segments: tuple[TranscribedSegment, ...]
    language: str
    samples: int
    translated: bool = False
    suppressed: tuple[SuppressedSegment, ...] = ()
    track: AudioTrack | None = None

    @property
    def text(self) -> str:
        """The whole text, without white space around it."""
        return "".join(segment.hypothesis.text for segment in self.segments).strip()


@dataclass(frozen=True, slots=True)
class Cue:
    """A sentence, or the words between two pauses, as one subtitle shows it."""

    words: tuple[Word, ...]
    segment: TranscribedSegment

    @property
    def text(self) -> str:
        """The words as the recognizer wrote them, with the leading space of the first."""
        return "".join(word.text for word in self.words)

    @property
    def start(self) -> int:
        """Sample at which the first word starts."""
        return self.words[0].start

    @property
    def end(self) -> int:
        """Sample at which the last word ends."""
        return self.words[-1].end


def cues(transcript: Transcript) -> list[Cue]:
    """Cut a transcript with word times at ends of sentences, at pauses and between segments."""
    found: list[Cue] = []
    for segment in transcript.segments:
        language = "en" if transcript.translated else segment.hypothesis.language
        words: list[Word] = []
        for word in segment.words:
            if words and (word.start - words[-1].end >= _PAUSE or _ends_sentence(words, word, language)):
                found.append(Cue(tuple(words), segment))
                words = []
            words.append(word)
        if words:
            found.append(Cue(tuple(words), segment))
    return found


def _ends_sentence(words: Sequence[Word], following: Word, language: str) -> bool:
    """Return whether a sentence ends with `words`: with a mark that is not the stop of "Mr." or of an ordinal."""
    text = "".join(word.text for word in words).rstrip().rstrip(_CLOSING)
    if not text.endswith(SENTENCE_ENDS):
        return False
    before = text.removesuffix(".")
    if before == text or not before[-1:].isalnum():
        return True
    return not is_abbreviated(before, following.text.lstrip()[:1], language)
