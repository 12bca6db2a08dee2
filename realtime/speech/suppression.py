"""Suppression of hallucinated text, on evidence about the audio and never because of its words.

Whisper writes fluent sentences for silence, noise and music. The evidence against them is the speech probability of the
voice activity detector for the same audio, and the decoder's own figures: no-speech probability, average
log-probability and compression ratio, with the thresholds of Radford et al. (2022), section 4.5.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from realtime.speech.recognition import DecodingOptions
from realtime.speech.transcript import Hypothesis

VOICED: Final = 0.5
"""Default probability from which a window has speech: Silero's own. A client with soft speech may ask for less."""

MIN_VOICED_WINDOWS: Final = 3
"""Windows with speech (96 ms) below which there was none: no word is shorter."""

STRONG_SPEECH: Final = 0.9
"""Probability that real speech reaches in some window; a hum that just crosses the threshold does not."""

MAX_WINDOWS_PER_WORD: Final = 31
"""Windows with speech per word (1 s) above which the voice hums, snores or howls: slowly dictated digits take half."""

LOGPROB_MARGIN: Final = 0.5
"""Average log-probability below the threshold by which text is suppressed however strong the speech was."""

DEFAULT_DECODING: Final = DecodingOptions()
"""The options of live decoding."""


class Suppression(StrEnum):
    """Why text was suppressed."""

    NO_VOICE = "no_voice"
    """The voice activity detector found no speech."""
    NO_SPEECH = "no_speech"
    """The decoder gives silence a high probability."""
    IMPROBABLE = "improbable"
    """The decoder gives its own text a low probability."""
    REPETITION = "repetition"
    """The text repeats itself."""


REPORTED: Final = tuple(reason for reason in Suppression if reason is not Suppression.NO_VOICE)
"""The reasons that clients and metrics see. Audio without speech is not decoded for its final, so no text is lost."""


@dataclass(slots=True)
class SpeechEvidence:
    """The speech probabilities of a segment, summed up window by window."""

    threshold: float = VOICED
    """Probability from which a window counts as speech."""
    voiced: int = 0
    """Number of windows with speech."""
    peak: float = 0.0
    """Highest probability."""

    def add(self, probability: float) -> bool:
        """Add the probability of one window; return whether it counts as speech."""
        voiced = probability >= self.threshold
        self.voiced += voiced
        self.peak = max(self.peak, probability)
        return voiced

    @property
    def has_speech(self) -> bool:
        """Whether there were enough windows with speech for a word."""
        return self.voiced >= MIN_VOICED_WINDOWS


def suppression(
    hypothesis: Hypothesis, voice: SpeechEvidence, decoding: DecodingOptions = DEFAULT_DECODING
) -> Suppression | None:
    """Return why to suppress the text of a hypothesis decoded with these options, or None to keep it.

    People repeat themselves too: after a thorough decode, a repetition that is probable and came to an end is kept.
    """
    if not voice.has_speech:
        return Suppression.NO_VOICE
    thresholds = decoding.thresholds
    unlikely = hypothesis.average_log_probability < thresholds.log_probability
    said = decoding.thorough and hypothesis.ended and not unlikely
    if hypothesis.compression_ratio > thresholds.compression_ratio and not said:
        return Suppression.REPETITION
    sparse = 0 < MAX_WINDOWS_PER_WORD * len(hypothesis.words) < voice.voiced
    if hypothesis.no_speech_probability > thresholds.no_speech and (unlikely or sparse or voice.peak < STRONG_SPEECH):
        return Suppression.NO_SPEECH
    very_unlikely = hypothesis.average_log_probability < thresholds.log_probability - LOGPROB_MARGIN
    if very_unlikely or (unlikely and voice.peak < STRONG_SPEECH):
        return Suppression.IMPROBABLE
    return None
