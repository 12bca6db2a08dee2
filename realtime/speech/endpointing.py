"""Endpointing: from the speech probability of each window to the start and the end of speech.

The rules are those of OpenAI's `server_vad`: speech starts when the probability reaches the threshold for
`ONSET_WINDOWS` windows in a row, its start is moved back by the prefix padding, and it stops after `silence` samples
below the threshold less `HYSTERESIS`. Positions are samples at 16 kHz since the stream began.
"""

from dataclasses import dataclass
from typing import Final

from realtime.audio.formats import SAMPLE_RATE, WINDOW

HYSTERESIS: Final = 0.15
"""Difference between the thresholds of onset and offset: Silero's own."""

ONSET_WINDOWS: Final = 2
"""Windows in a row (64 ms) that make an onset: longer than a click, shorter than any word."""


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """When a turn starts and ends; the defaults are OpenAI's."""

    threshold: float = 0.5
    """Speech probability of an onset."""
    prefix_padding: int = SAMPLE_RATE * 300 // 1000
    """Samples before the onset that belong to the turn (300 ms)."""
    silence: int = SAMPLE_RATE * 500 // 1000
    """Samples without speech that end the turn (500 ms)."""


@dataclass(frozen=True, slots=True)
class Onset:
    """Speech began."""

    start: int
    """Position of the onset less the prefix padding."""
    voiced: int
    """Start of the first window with speech."""


@dataclass(frozen=True, slots=True)
class Offset:
    """Speech ended."""

    end: int
    """Position after the silence that ended it."""


class Endpointing:
    """Finds onsets and offsets in one stream, window by window."""

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
        """End of the last window."""
        return self._position

    def update(self, probability: float) -> Onset | Offset | None:
        """Take the speech probability of the next window; return what it leads to."""
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
        """End the speech in progress at the current position."""
        self.speaking = False
        self._onset_run = 0
        self._floor = self._position
        return Offset(end=self._position)
