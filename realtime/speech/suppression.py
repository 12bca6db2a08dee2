"""Suppression of hallucinated text, on evidence about the audio and never because of its words.

Whisper writes fluent sentences for silence, noise and music. The evidence against them is the speech probability of the
voice activity detector for the same audio, and the decoder's own figures: no-speech probability, average
log-probability and compression ratio, with the thresholds of Radford et al. (2022), section 4.5.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from unicodedata import east_asian_width

from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.speech.recognition import DecodingOptions, Thresholds
from realtime.speech.transcript import Hypothesis

VOICED: Final = 0.5
"""Default probability from which a window has speech: Silero's own. A client with soft speech may ask for less."""

MIN_VOICED_WINDOWS: Final = 3
"""Windows with speech (96 ms) below which there was none: no word is shorter."""

MIN_SCORED: Final = SAMPLE_RATE * 210 // 1000
"""Samples of audio (210 ms) below which a segment holds no complete word: a tap on push-to-talk.

Of 48 such cuts of 60 to 200 ms out of speech, 10 gave text that nobody said, and 26 if one session heard them all. Of
48 spoken digits two are shorter.
"""

STRONG_SPEECH: Final = 0.9
"""Probability that real speech reaches in some window; a hum that just crosses the threshold does not."""

MAX_WINDOWS_PER_WORD: Final = 31
"""Windows with speech per word (1 s) above which the voice hums, snores or howls: slowly dictated digits take half."""

STRONG_WINDOWS: Final = 7
"""Windows with speech (224 ms) from which the evidence is strong: most words of 250 ms have as many."""

LONG_WINDOWS: Final = 12
"""Windows with speech (384 ms) from which the speech may hold several words.

The final text of less must be probable and sayable in that time. Of 24 cuts of 250 ms out of speech between silences,
16 gave text that nobody said ("I'll be back." in 256 ms, words of other languages), and 4 do with this limit.
"""

MAX_LETTERS_PER_WINDOW: Final = 1
"""Letters per window with speech (31 a second) that nobody exceeds; fast speakers reach 20 a second."""

LETTERS_PER_SYLLABLE: Final = 2
"""Letters that a wide character counts for: the scripts of Chinese, Japanese and Korean write syllables."""

MIN_LOG_LIKELIHOOD_RATIO: Final = {True: 2.5, False: 5.5}
"""Least log-likelihood ratio of doubtful text against silence, in nats, by whether the speech was strong and long
enough for its words.

What whisper-base makes up for 90 cuts of 80 to 300 ms out of speech ("Thank you.", "you") reaches 2.7, a word that it
made of less than 224 ms of speech 5.0. Of 130 spoken digits, letters and short words, those that it recognizes begin at
2.7 ("two") and 5.6 ("four" with 192 ms of speech).
"""

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
    samples: int = 0
    """Samples in the windows; the last window of a turn that the client ends may be incomplete."""

    def add(self, probability: float, samples: int = WINDOW) -> bool:
        """Add the probability of one window, of which `samples` are audio; return whether it counts as speech."""
        self.samples += samples
        voiced = probability >= self.threshold
        self.voiced += voiced
        self.peak = max(self.peak, probability)
        return voiced

    @property
    def strong(self) -> bool:
        """Whether the speech was long and clear enough for a word, so that doubts about the text weigh less."""
        return self.voiced >= STRONG_WINDOWS and self.peak >= STRONG_SPEECH

    @property
    def long(self) -> bool:
        """Whether the speech was long enough for several words."""
        return self.voiced >= LONG_WINDOWS

    @property
    def has_speech(self) -> bool:
        """Whether there were enough audio and enough windows with speech for a word."""
        return self.voiced >= MIN_VOICED_WINDOWS and self.samples >= MIN_SCORED


def resembles_silence(hypothesis: Hypothesis, thresholds: Thresholds) -> bool:
    """Return whether the text is doubtful and what Whisper writes for silence, whatever the detector heard."""
    ratio = hypothesis.log_likelihood_ratio
    no_speech = hypothesis.no_speech_probability > thresholds.no_speech
    return ratio is not None and (no_speech or ratio < MIN_LOG_LIKELIHOOD_RATIO[True])


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
    if hypothesis.no_speech_probability > thresholds.no_speech and (unlikely or sparse or not voice.strong):
        return Suppression.NO_SPEECH
    ratio = hypothesis.log_likelihood_ratio
    if ratio is not None and not _explained(hypothesis, ratio, voice):
        return Suppression.NO_SPEECH
    very_unlikely = hypothesis.average_log_probability < thresholds.log_probability - LOGPROB_MARGIN
    short = ratio is not None and not voice.long
    if very_unlikely or (unlikely and (short or not voice.strong)):
        return Suppression.IMPROBABLE
    return None


def _explained(hypothesis: Hypothesis, ratio: float, voice: SpeechEvidence) -> bool:
    """Return whether the speech explains doubtful text: it is as long as the text, and silence explains it worse."""
    sayable = voice.long or _letters(hypothesis.text) <= MAX_LETTERS_PER_WINDOW * voice.voiced
    enough_speech = voice.strong and (voice.long or len(hypothesis.words) <= 1)
    return sayable and ratio >= MIN_LOG_LIKELIHOOD_RATIO[enough_speech]


def _letters(text: str) -> int:
    letters = filter(str.isalnum, text)
    return sum(LETTERS_PER_SYLLABLE if east_asian_width(letter) == "W" else 1 for letter in letters)
