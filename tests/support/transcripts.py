"""Transcripts of recordings, made of words and their times."""

from realtime.audio.formats import SAMPLE_RATE
from realtime.offline.transcript import TranscribedSegment, Transcript
from realtime.speech.transcript import Hypothesis, Word


def word(text: str, start: float, end: float) -> Word:
    return Word(text, round(start * SAMPLE_RATE), round(end * SAMPLE_RATE), 0.9)


def transcript(*segments: tuple[Word, ...], language: str = "en") -> Transcript:
    made = tuple(
        TranscribedSegment(words[0].start, words, Hypothesis(words, language, 0.01, -0.2, 1.3, (7, 8)))
        for words in segments
    )
    return Transcript(made, language, 12 * SAMPLE_RATE)


SPOKEN = transcript(
    (word(" Hello", 0.5, 0.9), word(" there.", 0.9, 1.2345), word(" How", 1.3, 1.5), word(" are", 1.5, 1.7)),
    (word(" you?", 3601.0, 3602.0),),
)
SILENT = Transcript((), "", SAMPLE_RATE)
