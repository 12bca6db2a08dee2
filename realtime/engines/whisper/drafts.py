"""Drafts: what Whisper generated for one decode, with the evidence for and against it.

A request may be decoded several times, in a wider window or at higher temperatures; the draft with the best score
becomes the hypothesis.

Source: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), section 4.5.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from faster_whisper.tokenizer import Tokenizer

from realtime.speech.recognition import Thresholds
from realtime.speech.transcript import Hypothesis

DOUBTFUL_LOG_PROBABILITY: Final = -0.6
"""Average log-probability of the tokens below which a draft is worth a second decode, if there is time for it."""

BROKEN_COMPRESSION: Final = 2.4
"""Compression ratio above which a draft repeats itself: the paper's threshold."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The text tokens of one decode. `ended` is False if generation hit its limit before the end token."""

    tokens: list[int]
    average_log_probability: float
    no_speech_probability: float
    compression_ratio: float
    ended: bool
    temperature: float
    end: int = 0
    """The last timestamp token, in frames of 20 ms; 0 if there is none."""
    probabilities: tuple[float, ...] = ()
    """The probability of each token as it was generated; empty where they were not asked for."""
    boundaries: tuple[int, ...] = ()
    """The frame in which each token begins, and the one in which the last ends, if generation has shown them."""

    @property
    def broken(self) -> bool:
        """Whether the draft repeats itself or did not end."""
        return is_broken(self)

    @property
    def doubtful(self) -> bool:
        """Whether the draft is broken or its tokens are improbable."""
        return self.broken or self.average_log_probability < DOUBTFUL_LOG_PROBABILITY

    def meets(self, thresholds: Thresholds) -> bool:
        """Whether no higher temperature need be tried: the text is probable, or there probably is no speech."""
        return meets(self, thresholds)

    def score(self, thresholds: Thresholds) -> tuple[bool, bool, bool, float]:
        """Return a sort key: the best draft ended, then is probable, then does not repeat itself."""
        return (
            self.ended,
            self.average_log_probability >= thresholds.log_probability,
            self.compression_ratio <= thresholds.compression_ratio,
            self.average_log_probability,
        )


def is_broken(evidence: Draft | Hypothesis) -> bool:
    """Return whether a text repeats itself or did not end."""
    return not evidence.ended or evidence.compression_ratio > BROKEN_COMPRESSION


def meets(evidence: Draft | Hypothesis, thresholds: Thresholds) -> bool:
    """Return whether a text is probable, ended and does not repeat itself, or there probably is no speech."""
    return (
        evidence.ended
        and evidence.compression_ratio <= thresholds.compression_ratio
        and (
            evidence.average_log_probability >= thresholds.log_probability
            or evidence.no_speech_probability > thresholds.no_speech
        )
    )


def parse_output(generated: Sequence[int], tokenizer: Tokenizer, frames: int) -> tuple[list[int], int]:
    """Return the places of the text tokens among those generated for a window of `frames`, and the last timestamp.

    The timestamp is a frame, 0 without any. Text that follows other text and whose timestamp lies after the audio is
    hallucinated, and left out.
    """
    text: list[int] = []
    end, hallucinated = 0, False
    for place, token in enumerate(generated):
        if token >= tokenizer.timestamp_begin:
            end = token - tokenizer.timestamp_begin
            hallucinated = bool(text) and end >= frames
        elif token < tokenizer.eot and not hallucinated:
            text.append(place)
    return text, end


def compression_ratio(text: str) -> float:
    """Return the ratio of a text's size to its size compressed by zlib; repetitive text has a high one."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded)) if encoded else 0.0
