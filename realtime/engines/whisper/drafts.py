"""Whether what Whisper wrote down can be believed: its own evidence, and which of several drafts is the best.

Source: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), 4.5.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from faster_whisper.tokenizer import Tokenizer

from realtime.speech.recognition import Thresholds

DOUBTFUL_LOG_PROBABILITY: Final = -0.6
BROKEN_COMPRESSION: Final = 2.4


@dataclass(frozen=True, slots=True)
class Draft:
    """Tokens as they were generated, with their evidence."""

    tokens: list[int]
    average_log_probability: float
    no_speech_probability: float
    compression_ratio: float
    ended: bool
    temperature: float
    end: int = 0
    """Frames of 20 ms to the end of what was said, as the last timestamp token has it; 0 where there is none."""

    @property
    def broken(self) -> bool:
        """It repeats itself, or never ends."""
        return not self.ended or self.compression_ratio > BROKEN_COMPRESSION

    @property
    def doubtful(self) -> bool:
        return self.broken or self.average_log_probability < DOUBTFUL_LOG_PROBABILITY

    def meets(self, thresholds: Thresholds) -> bool:
        """Whether it needs no other temperature: it is likely, or there was probably nothing to write."""
        return (
            self.ended
            and self.compression_ratio <= thresholds.compression_ratio
            and (
                self.average_log_probability >= thresholds.log_probability
                or self.no_speech_probability > thresholds.no_speech
            )
        )

    def score(self, thresholds: Thresholds) -> tuple[bool, bool, bool, float]:
        """Of several drafts the one that is worth most is kept: likely text rather than text that repeats nothing."""
        return (
            self.ended,
            self.average_log_probability >= thresholds.log_probability,
            self.compression_ratio <= thresholds.compression_ratio,
            self.average_log_probability,
        )


def parse_output(generated: Sequence[int], tokenizer: Tokenizer, frames: int) -> tuple[list[int], int]:
    """The text among the tokens generated for so many frames, and in which frame the last timestamp has it end.

    Text that follows other text and is said to begin after the audio is invented.
    """
    text: list[int] = []
    end, invented = 0, False
    for token in generated:
        if token >= tokenizer.timestamp_begin:
            end = token - tokenizer.timestamp_begin
            invented = bool(text) and end >= frames
        elif token < tokenizer.eot and not invented:
            text.append(token)
    return text, end


def compression_ratio(text: str) -> float:
    """How many times smaller zlib makes a text: repetition shows as a high ratio."""
    written = text.encode()
    return len(written) / len(zlib.compress(written)) if written else 0.0
