"""Endpointing: from one speech probability per window to where speech starts and stops.

The rules are those of OpenAI's `server_vad`: speech starts when the probability reaches the threshold for
`ONSET_WINDOWS` windows in a row, its start is moved back by the prefix padding, and it stops after `silence` samples
below the threshold less `HYSTERESIS`. Positions are samples at 16 kHz since the stream began.
"""

from dataclasses import dataclass
from typing import Final

from realtime.audio.formats import SAMPLE_RATE, WINDOW

HYSTERESIS: Final = 0.15
"""Silero's own margin between the thresholds of onset and offset."""

ONSET_WINDOWS: Final = 2
"""64 ms: a click is shorter, the shortest word is not."""


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """When a turn starts and ends. `threshold` is a probability, the paddings are samples at 16 kHz."""

    threshold: float = 0.5
    prefix_padding: int = SAMPLE_RATE * 300 // 1000
    silence: int = SAMPLE_RATE * 500 // 1000


@dataclass(frozen=True, slots=True)
class Onset:
    """Speech began at `start`, which includes the prefix padding; `voiced` is where the first window of it began."""

    start: int
    voiced: int


@dataclass(frozen=True, slots=True)
class Offset:
    """Speech ended: the last speech is before `voiced`; `end` includes the silence that proved it."""

    end: int
    voiced: int


class Endpointing:
    """Follows one stream window by window."""

    def __init__(self, detection: TurnDetection, *, position: int = 0) -> None:
        """Begin at `position`, in silence."""
        self.detection = detection
        self.speaking = False
        self._position = position
        self._floor = position
        self._onset_run = 0
        self._last_voiced = position

    @property
    def position(self) -> int:
        """The end of the last window seen."""
        return self._position

    def update(self, probability: float) -> Onset | Offset | None:
        """Take the speech probability of the next window of 512 samples."""
        self._position += WINDOW
        if self.speaking:
            if probability >= self.detection.threshold - HYSTERESIS:
                self._last_voiced = self._position
            elif self._position - self._last_voiced >= self.detection.silence:
                return self.finish()
            return None
        self._onset_run = self._onset_run + 1 if probability >= self.detection.threshold else 0
        if self._onset_run < ONSET_WINDOWS:
            return None
        voiced = self._position - self._onset_run * WINDOW
        self.speaking = True
        self._last_voiced = self._position
        return Onset(start=max(self._floor, voiced - self.detection.prefix_padding), voiced=voiced)

    def finish(self) -> Offset:
        """End the speech in progress here and now, in silence again."""
        self.speaking = False
        self._onset_run = 0
        self._floor = self._position
        return Offset(end=self._position, voiced=self._last_voiced)
