"""What decoding costs on this machine, measured."""

import math
from dataclasses import dataclass
from typing import Final

AVERAGING_SECONDS: Final = 15.0
"""Seconds over which averages are taken."""


TARGET_BATCH_SIZE: Final = 6
"""Decodes that are enough for a batch. What one costs is reckoned for a batch of so many."""


BATCH_OVERHEAD: Final = 3.0
"""A batch of n takes as long as n + `BATCH_OVERHEAD` times what one more adds to it."""


MAX_BATCH: Final = 8
"""What has gathered meanwhile goes along, up to so many."""


COST_SAMPLES: Final = 20
"""Partials over which their cost is averaged."""


@dataclass(slots=True)
class DecayingRate:
    """An exponentially decaying rate: units per second over the last `horizon` seconds."""

    rate: float = 0.0
    at: float = -math.inf
    horizon: float = AVERAGING_SECONDS

    def add(self, amount: float, now: float) -> None:
        self.rate, self.at = self.read(now) + amount / self.horizon, now

    def read(self, now: float) -> float:
        return self.rate * math.exp(min(0.0, self.at - now) / self.horizon) if self.rate else 0.0
