"""Whether anything was said: text is withheld on evidence, never because of its words.

Whisper writes fluent sentences for silence, noise and music. The witnesses are the voice activity detector, which heard
the same audio, and the decoder's own figures (Radford et al. 2022, 4.5: no-speech probability, average log-probability
and compression ratio, with the thresholds given there).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from realtime.speech.recognition import DecodingOptions
from realtime.speech.transcript import Hypothesis

VOICED: Final = 0.5
"""Speech by default, Silero's own choice; a client that asks for a lower threshold speaks softly."""

MIN_VOICED_WINDOWS: Final = 3
"""96 ms: no shorter word is known."""

STRONG_SPEECH: Final = 0.9
"""Speech reaches this probability somewhere; a hum that merely crosses the threshold does not."""

LOGPROB_MARGIN: Final = 0.5
"""So much less than the least likely text that nothing speaks for it any more."""

DEFAULT_DECODING: Final = DecodingOptions()


class Suppression(StrEnum):
    """Why text was withheld."""

    NO_VOICE = "no_voice"
    NO_SPEECH = "no_speech"
    IMPROBABLE = "improbable"
    REPETITION = "repetition"


@dataclass(slots=True)
class SpeechEvidence:
    """What the voice activity detector heard in a stretch of audio, window by window.

    A window as probable as `threshold` has a voice in it.
    """

    threshold: float = VOICED
    voiced: int = 0
    peak: float = 0.0

    def add(self, probability: float) -> bool:
        """Take one window; return whether it had a voice in it."""
        voiced = probability >= self.threshold
        self.voiced += voiced
        self.peak = max(self.peak, probability)
        return voiced

    @property
    def has_speech(self) -> bool:
        return self.voiced >= MIN_VOICED_WINDOWS


def suppression(
    hypothesis: Hypothesis, voice: SpeechEvidence, decoding: DecodingOptions = DEFAULT_DECODING
) -> Suppression | None:
    """Why the text of a hypothesis, found by this decoding, should be withheld, or None where it stands.

    Speakers repeat themselves, too: where there was time to look for another text, a repetition that is likely and
    came to an end is what was said.
    """
    if not voice.has_speech:
        return Suppression.NO_VOICE
    thresholds = decoding.thresholds
    unlikely = hypothesis.average_log_probability < thresholds.log_probability
    said = decoding.thorough and hypothesis.ended and not unlikely
    if hypothesis.compression_ratio > thresholds.compression_ratio and not said:
        return Suppression.REPETITION
    if hypothesis.no_speech_probability > thresholds.no_speech and (unlikely or voice.peak < STRONG_SPEECH):
        return Suppression.NO_SPEECH
    very_unlikely = hypothesis.average_log_probability < thresholds.log_probability - LOGPROB_MARGIN
    if very_unlikely or (unlikely and voice.peak < STRONG_SPEECH):
        return Suppression.IMPROBABLE
    return None
