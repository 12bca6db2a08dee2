"""Items and passages: a turn of the user, and the stretches of its audio that are decoded as one.

A passage knows which part of its audio is worth decoding. Where it is too long it is cut in two, or forgets the audio
of words that are committed.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from realtime.audio.buffer import QUIET_SPAN, AudioBuffer
from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import VoiceError
from realtime.session.events import TranscriptCompleted
from realtime.speech.endpointing import HYSTERESIS
from realtime.speech.local_agreement import LocalAgreement
from realtime.speech.suppression import SpeechEvidence, Suppression
from realtime.speech.transcript import Hypothesis, Word

LEAD_IN: Final = SAMPLE_RATE * 300 // 1000
LEAD_OUT: Final = SAMPLE_RATE * 200 // 1000
"""Audio decoded before and after the windows with a voice."""

COMMITTED_CONTEXT: Final = 3 * SAMPLE_RATE // 2
"""Of the audio of committed words, kept before the first that is not."""


@dataclass(slots=True)
class Turn:
    """One turn of the user: what its passages have come to so far."""

    id: str
    start: int
    end: int = 0
    text: str = ""
    """All that was given out."""
    words: tuple[Word, ...] = ()
    commit_lags: tuple[int, ...] = ()
    erased: int = 0
    language: str = ""
    suppressed: tuple[Suppression, ...] = ()
    error: VoiceError | None = None

    def completed(self) -> TranscriptCompleted:
        return TranscriptCompleted(
            item_id=self.id,
            text=self.text.strip(),
            words=self.words,
            language=self.language,
            samples=self.end - self.start,
            suppressed=self.suppressed,
            commit_lags=self.commit_lags,
            erased=self.erased,
        )


@dataclass(slots=True)
class Segment:
    """A stretch of an item's audio that is decoded as one. Its `start` moves on as early words are committed."""

    item: Turn
    start: int
    speech: SpeechEvidence
    end: int | None = None
    closes_item: bool = False
    voice_start: int | None = None
    voice_end: int = 0
    heard_until: int = 0
    requested_until: int = 0
    """Where the voice ended when a transcription was last asked for."""
    final_requested_until: int = 0
    """The same for a final."""
    agreement: LocalAgreement = field(default_factory=LocalAgreement)
    committed_at: list[int] = field(default_factory=list)
    """How much of the session's audio had come when each word was committed."""
    final: tuple[int, Hypothesis] | None = None
    """The newest final, and where the voice ended in its audio."""

    def hear(self, start: int, end: int, probability: float) -> None:
        self.heard_until = end
        voiced = self.speech.add(probability)
        if voiced and self.voice_start is None:
            self.voice_start = start
        # Speech trails off: what keeps a turn open is worth decoding.
        if voiced or (self.voice_start is not None and probability >= self.speech.threshold - HYSTERESIS):
            self.voice_end = end

    def excerpt(self, end: int) -> tuple[int, int]:
        """The part of the passage worth decoding: from shortly before the voice to shortly after."""
        first = self.start if self.voice_start is None else max(self.start, self.voice_start - LEAD_IN)
        return first, max(first, min(end, self.voice_end + LEAD_OUT))

    def cut(self, at: int) -> "Segment":
        """End at `at`; return the passage that follows."""
        rest = Segment(self.item, at, SpeechEvidence(self.speech.threshold), heard_until=self.heard_until)
        if self.voice_end > at:  # in the middle of speech
            rest.speech = replace(self.speech)
            rest.voice_start, rest.voice_end, self.voice_end = at, self.voice_end, at
        self.end = at
        return rest

    def trim(self, hypothesis: Hypothesis, end: int, buffer: AudioBuffer) -> None:
        """Forget the audio of committed words but for some context, by the last `hypothesis`, of audio up to `end`."""
        tentative = self.agreement.tentative
        first = hypothesis.words[-len(tentative)].start if tentative else end
        if (gap := self.agreement.trim(hypothesis.words, first - COMMITTED_CONTEXT)) is not None:
            self.start = buffer.quietest(max(self.start, gap[0] - QUIET_SPAN), gap[1] + QUIET_SPAN)

    def finish(self, hypothesis: Hypothesis, why: Suppression | None) -> None:
        """Hand over to the item what was committed, with the evidence of the final."""
        item, agreement = self.item, self.agreement
        item.words += tuple(agreement.committed)
        item.commit_lags += tuple(
            at - word.end
            for at, word in zip(self.committed_at, agreement.committed, strict=True)
            if word.end > word.start
        )
        item.erased += agreement.erased
        if agreement.committed:
            item.language = hypothesis.language or item.language
        if why is not None and why is not Suppression.NO_VOICE:
            item.suppressed += (why,)

    def note_committed(self, position: int) -> None:
        """The words committed since the last note were committed when audio up to `position` had come."""
        self.committed_at += [position] * (len(self.agreement.committed) - len(self.committed_at))
