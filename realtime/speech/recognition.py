"""Requests to a recognizer: audio, and how to decode it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.speech.segmentation import Span
from realtime.speech.voice import clipped, shifted

LEAD_IN: Final = SAMPLE_RATE * 300 // 1000
"""Samples decoded before the first window with speech (300 ms); silence, where the audio begins with speech.

Whisper was trained on few words that begin with the window, and writes others for them.
"""

SHORT_SPEECH: Final = SAMPLE_RATE // 2
"""Samples of speech (0.5 s) up to which the extent of its sound is measured, and text is compared with silence however
probable it is; `suppression` asks for that where there is less than 384 ms.
"""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a hypothesis is doubtful; the defaults are those of Radford et al. (2022), section 4.5."""

    no_speech: float = 0.6
    """Highest no-speech probability."""
    log_probability: float = -1.0
    """Lowest average log-probability of the tokens."""
    compression_ratio: float = 2.4
    """Highest compression ratio of the text."""


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How to search for the most likely text."""

    temperatures: tuple[float, ...] = (0.0,)
    """Temperatures to try in turn, until a hypothesis passes the thresholds; 0 is a beam search, more is sampling."""
    beam_size: int = 1
    """Beams of the search at temperature 0; 1 is greedy."""
    best_of: int = 1
    """Samples at higher temperatures, of which the most likely is used."""
    patience: float = 1.0
    """Factor of the beam search: it ends after `beam_size * patience` hypotheses."""
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    thresholds: Thresholds = Thresholds()
    thorough: bool = False
    """Retry doubtful text in the full window, unless there is little speech; used for uploads."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """Audio to transcribe, and how."""

    samples: Samples = field(repr=False)
    """Mono at 16 kHz, at most 30 s."""
    language: str | None = None
    """Whisper's language code; None: detect it, among the `candidates` if there are any."""
    candidates: tuple[str, ...] = ()
    language_prior: Mapping[str, float] = field(default_factory=dict)
    """What the speech around the audio adds to the log-probability of a language, in nats; see `language_evidence`."""
    stretches: tuple[Span, ...] = ()
    """The speech between pauses, in samples of `samples`, of which each may be in a language of its own."""
    prompt: str = field(default="", repr=False)
    """Text that precedes the audio."""
    hotwords: str = field(default="", repr=False)
    """Words to expect."""
    expected: str = field(default="", repr=False)
    """Text that the audio probably has, from its first word on: a guess that saves time where it is right."""
    final: bool = True
    """Whether the best answer is wanted rather than the cheapest."""
    word_times: bool = False
    """Whether times and probabilities of the words are wanted."""
    translate: bool = False
    """Whether to transcribe in English whatever the language."""
    under_load: bool = False
    """Whether other requests wait: use the least context, and decode a doubtful final again only if it misses much."""
    voice: tuple[Span, ...] = ()
    """Where the detector found voice, in samples of `samples`, which bounds the times of words; empty: not known."""
    raise_level: bool = True
    """Whether to raise the level of quiet audio; not where no detector found speech: it may be noise."""
    decoding: DecodingOptions = DecodingOptions()

    def part(self, start: int, end: int) -> "TranscriptionRequest":
        """Return the request for the samples from `start` to `end`."""
        return replace(self, samples=self.samples[start:end], voice=clipped(self.voice, start, end), expected="")

    def after_silence(self, samples: int) -> "TranscriptionRequest":
        """Return the request for the audio after so many samples of silence."""
        if not samples:
            return self
        return replace(
            self,
            samples=np.pad(self.samples, (samples, 0)),
            voice=shifted(self.voice, samples),
            stretches=shifted(self.stretches, samples),
        )

    @property
    def speech(self) -> int:
        """Samples in which the detector found voice; all where that is not known."""
        return sum(span.end - span.start for span in self.voice) or len(self.samples)

    @property
    def is_short(self) -> bool:
        """Whether there is too little speech for its text to be trusted because it is probable."""
        return self.speech <= SHORT_SPEECH

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return len(self.samples) / SAMPLE_RATE
