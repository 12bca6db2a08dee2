"""What requests cost on this machine, measured.

Costs are engine seconds: the time of one worker. They are averaged exponentially, so that they follow the machine, the
model, and other load on the machine.

A batch of n decodes takes about n + `BATCH_OVERHEAD` times the marginal cost of one more. So that costs compare, what a
decode cost in a batch of any size is normalised to a batch of `TARGET_BATCH_SIZE`.
"""

import math
from dataclasses import dataclass
from typing import Final

AVERAGING_SECONDS: Final = 15.0
"""Time constant of the rates, in seconds."""

TARGET_BATCH_SIZE: Final = 6
"""Decodes in a batch that is worth starting."""

BATCH_OVERHEAD: Final = 3.0
"""Fixed cost of a batch, in units of the marginal cost of one decode.

Measured with whisper-base on one CPU thread: a batch of eight takes 2.7 times as long as a single decode.
"""

MAX_BATCH: Final = 8
"""Decodes in a batch at most: those that arrived while the target size was being reached are included up to this."""

COST_SAMPLES: Final = 20
"""Time constant of the cost of a partial, in partials."""


@dataclass(slots=True)
class DecayingRate:
    """An amount per second, averaged exponentially over `horizon` seconds; `at` is the time of the last update."""

    rate: float = 0.0
    at: float = -math.inf
    horizon: float = AVERAGING_SECONDS

    def add(self, amount: float, now: float) -> None:
        """Count an amount."""
        self.rate, self.at = self.read(now) + amount / self.horizon, now

    def read(self, now: float) -> float:
        """Return the rate at this time."""
        return self.rate * math.exp(min(0.0, self.at - now) / self.horizon) if self.rate else 0.0


class PartialCost:
    """The engine seconds of one partial, by stage, when it is decoded in a batch of the target size."""

    def __init__(self, estimated_seconds: float) -> None:
        """Begin with an estimate, divided equally between the stages."""
        self._encode_seconds = estimated_seconds / 2
        self._decode_seconds = estimated_seconds / 2

    @property
    def seconds(self) -> float:
        """The cost of both stages."""
        return self._encode_seconds + self._decode_seconds

    def record_encode(self, seconds: float) -> None:
        """Average in the time that one encoding took."""
        self._encode_seconds += (seconds - self._encode_seconds) / COST_SAMPLES

    def record_decode(self, normalized_seconds: float) -> None:
        """Average in the cost of one decode, normalised to the target batch size."""
        self._decode_seconds += (normalized_seconds - self._decode_seconds) / COST_SAMPLES


def normalized(seconds: float, batch_size: int) -> float:
    """Return what a decode that took `seconds` in a batch of this size would take in one of `TARGET_BATCH_SIZE`."""
    return seconds * (1 + BATCH_OVERHEAD / TARGET_BATCH_SIZE) / (1 + BATCH_OVERHEAD / batch_size)
