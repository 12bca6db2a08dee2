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

ESTIMATE_SAMPLES: Final = 2
"""Partials that the estimate counts for, with which the cost of a partial begins. It is made when the model is loaded;
others may have the machine then, so that it can be several times too high."""

USUAL_SECONDS: Final = 4.0
"""Audio in the partials of a user who speaks all the time, in seconds: in the simulation 3.5 with pauses of a second
after each turn, 4.5 without."""

FIXED_SECONDS: Final = 1.0
"""What a partial costs whatever its length, in seconds of audio that cost as much, by `tests.bench.engine_costs`."""


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


class RecentMean:
    """The mean of the last `COST_SAMPLES` values, averaged exponentially; an estimate counts for `ESTIMATE_SAMPLES`."""

    def __init__(self, estimate: float) -> None:
        self.value = estimate
        self._samples = ESTIMATE_SAMPLES

    def add(self, value: float) -> None:
        """Average in a value; of the first ones, each counts as twice the mean at most, for some are outliers."""
        if self._samples < COST_SAMPLES:
            self._samples += 1
            value = min(value, 2 * self.value)
        self.value += (value - self.value) / self._samples


class PartialCost:
    """The engine seconds of one partial, by stage, when it is decoded in a batch of the target size."""

    def __init__(self, estimated_seconds: float) -> None:
        """Begin with an estimate, divided equally between the stages."""
        self._encode = RecentMean(estimated_seconds / 2)
        self._decode = RecentMean(estimated_seconds / 2)
        self._audio = RecentMean(USUAL_SECONDS)

    @property
    def seconds(self) -> float:
        """The cost of both stages, for partials as long as those of late."""
        return self._encode.value + self._decode.value

    @property
    def encode_seconds(self) -> float:
        """The cost of encoding, for partials as long as those of late."""
        return self._encode.value

    @property
    def usual_seconds(self) -> float:
        """The cost of both stages for `USUAL_SECONDS` of audio, which users who have just begun to speak will need."""
        return self.seconds * (USUAL_SECONDS + FIXED_SECONDS) / (self._audio.value + FIXED_SECONDS)

    def record_encode(self, seconds: float, audio_seconds: float) -> None:
        """Average in the time that one encoding took, and the length of its audio."""
        self._encode.add(seconds)
        self._audio.add(audio_seconds)

    def record_decode(self, normalized_seconds: float) -> None:
        """Average in the cost of one decode, normalised to the target batch size."""
        self._decode.add(normalized_seconds)


def normalized(seconds: float, batch_size: int) -> float:
    """Return what a decode that took `seconds` in a batch of this size would take in one of `TARGET_BATCH_SIZE`."""
    return seconds * (1 + BATCH_OVERHEAD / TARGET_BATCH_SIZE) / (1 + BATCH_OVERHEAD / batch_size)
