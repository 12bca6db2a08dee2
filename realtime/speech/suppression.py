"""Suppression of hallucinated text, on evidence about the audio and never because of its words.

Whisper writes fluent sentences for silence, noise and music. The evidence against them is the speech probability of the
voice activity detector for the same audio, and the decoder's own figures: no-speech probability, average
log-probability and compression ratio, with the thresholds of Radford et al. (2022), section 4.5.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.speech.recognition import DecodingOptions, Thresholds
from realtime.speech.transcript import Hypothesis, ends_in_loop, mostly_repeats

VOICED: Final = 0.5
"""Default probability from which a window has speech: Silero's own. A client with soft speech may ask for less."""

MIN_VOICED_WINDOWS: Final = 3
"""Windows with speech (96 ms) below which there was none: no word is shorter."""

MIN_SOUND: Final = SAMPLE_RATE * 220 // 1000
"""Samples from the first sound to the last (220 ms) below which a segment holds no complete word: a tap.

Cuts of 60 to 200 ms out of speech are shorter, with silence around them too, where the detector takes cuts of 160 ms
for up to 256 ms of speech. Of 205 spoken digits, letters and words of 250 ms and more the shortest has 230 ms.
"""

STRONG_SPEECH: Final = 0.9
"""Probability that real speech reaches in some window; a hum that just crosses the threshold does not."""

MAX_WINDOWS_PER_WORD: Final = 31
"""Windows with speech per word (1 s) above which the voice hums, snores or howls: slowly dictated digits take half."""

STRONG_WINDOWS: Final = 7
"""Windows with speech (224 ms) from which the evidence is strong: most words of 250 ms have as many."""

LONG_WINDOWS: Final = 12
"""Windows with speech, and with sound (384 ms), from which the speech may hold several words.

Between silences the detector takes cuts of 350 ms for up to 448 ms of speech.
"""

CUT_OFF: Final = -18.0
"""Level of both edges of the sound, in dB relative to the loudest 10 ms, above which it was cut out of longer speech.

Of 240 cuts of 200 to 350 ms 64 % are louder; of 218 spoken digits, letters and words none.
"""

MIN_LOG_LIKELIHOOD: Final = {True: -0.7, False: -1.6}
"""Least log-likelihood, in nats, of the final text of short speech, by whether it was cut off at both ends.

For cuts out of speech Whisper writes words that sound alike, but hesitates between many. Of 72 cuts of 250 to 350 ms, 4
have an invented text by hand and 5 by server VAD; with one bound of -1.5 for what the detector takes for short, 8 and
12. Of 36 spoken digits 27 and 32 have a text; with that bound 27 and 31. Of 85 words cut out of sentences 9 are right
and 11 wrong; with that bound 16 and 21.
"""

MIN_LOG_LIKELIHOOD_RATIO: Final = {True: 2.5, False: 5.0}
"""Least log-likelihood ratio of compared text against silence, in nats, by whether the speech was strong and long.

What whisper-base makes up for cuts of 80 to 300 ms out of speech ("Thank you.", "you") reaches 4.9. Spoken digits,
letters and short words begin at 3.4 ("I") with long speech, and at 5.6 ("on") with 256 ms.
"""

MIN_RATIO_OF_UNLIKELY_TEXT: Final = 10.0
"""Least log-likelihood ratio against silence, in nats, of text whose average log-probability is below the threshold.

What whisper-base writes for a tiger, a hippopotamus and a cello has 5.1 to 9.98 ("I don't know what that is.",
"S.U.S.", "Bzzzzz"), though the detector is certain of speech. Sentences in noise as loud as they are have 36 to 101.
"""

MIN_RATIO_PER_REPEATED_WORD: Final = 3.5
"""Least log-likelihood ratio against silence, in nats per word, of compared text that mostly repeats a phrase.

What has been written twice is likely to be written again, whatever is heard. Barks and a chimpanzee have 0.8 to 2.0
("Buh, Buh, Buh", "Get it, get it, get it!"), digits and letters that are said three to six times 5.8 to 9.6.
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
        return self.voiced >= MIN_VOICED_WINDOWS and self.samples >= MIN_SOUND


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
    if not voice.has_speech or (hypothesis.sound is not None and hypothesis.sound < MIN_SOUND):
        return Suppression.NO_VOICE
    thresholds = decoding.thresholds
    unlikely = hypothesis.average_log_probability < thresholds.log_probability
    said = decoding.thorough and hypothesis.ended and not unlikely
    if hypothesis.compression_ratio > thresholds.compression_ratio and not said:
        return Suppression.REPETITION
    if not hypothesis.ended and ends_in_loop(hypothesis.text):  # short texts compress less well
        return Suppression.REPETITION
    long = voice.long and (hypothesis.sound is None or hypothesis.sound >= LONG_WINDOWS * WINDOW)
    sparse = 0 < MAX_WINDOWS_PER_WORD * len(hypothesis.words) < voice.voiced
    if hypothesis.no_speech_probability > thresholds.no_speech and (unlikely or sparse or not voice.strong):
        return Suppression.NO_SPEECH
    ratio, likelihood = hypothesis.log_likelihood_ratio, hypothesis.log_likelihood
    least_ratio = MIN_RATIO_OF_UNLIKELY_TEXT if unlikely else MIN_LOG_LIKELIHOOD_RATIO[voice.strong and long]
    if ratio is not None and mostly_repeats(hypothesis.words):
        least_ratio = max(least_ratio, MIN_RATIO_PER_REPEATED_WORD * len(hypothesis.words))
    if ratio is not None and ratio < least_ratio:
        return Suppression.NO_SPEECH
    very_unlikely = hypothesis.average_log_probability < thresholds.log_probability - LOGPROB_MARGIN
    cut_off = not long and hypothesis.sound_edges is not None and hypothesis.sound_edges > CUT_OFF
    unclear = likelihood is not None and likelihood < MIN_LOG_LIKELIHOOD[cut_off] and not long
    if very_unlikely or unclear or (unlikely and not voice.strong):
        return Suppression.IMPROBABLE
    return None
