"""Samples of a stream by their position."""

from typing import Final

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, Samples

QUIET: Final = SAMPLE_RATE * 160 // 1000
"""The length of the quietest moment: about the gap between two words."""


class AudioBuffer:
    """A stream's samples from `start` to `end`, counted since the stream began; what is discarded is freed.

    Appending and discarding take amortised constant time per sample, and the memory held is at most about four times
    that of the samples kept.
    """

    _SMALLEST: Final = SAMPLE_RATE

    def __init__(self) -> None:
        self._data = np.empty(self._SMALLEST, np.float32)
        self._first = 0
        self._length = 0
        self._start = 0

    @property
    def start(self) -> int:
        """The position of the first sample kept."""
        return self._start

    @property
    def end(self) -> int:
        """The position after the last sample."""
        return self._start + self._length

    def append(self, samples: Samples) -> None:
        if self._first + self._length + len(samples) > len(self._data):
            self._reallocate(self._length + len(samples))
        last = self._first + self._length
        self._data[last : last + len(samples)] = samples
        self._length += len(samples)

    def slice(self, start: int, end: int) -> Samples:
        """A copy of the samples from position `start` up to `end`. Raises `ValueError` where they are not kept."""
        if not self.start <= start <= end <= self.end:
            raise ValueError(f"samples {start} to {end} are not within {self.start} to {self.end}")
        first = self._first + start - self._start
        return self._data[first : first + end - start].copy()

    def quietest(self, start: int, end: int) -> int:
        """The middle of the stretch of `QUIET` samples with the least energy between two positions."""
        energy = np.cumsum(np.pad(np.square(self.slice(start, end), dtype=np.float64), (1, 0)))
        return start + int(np.argmin(energy[QUIET:] - energy[:-QUIET])) + QUIET // 2

    def discard(self, before: int) -> None:
        """Forget what is before position `before`, at most everything."""
        count = min(max(before - self._start, 0), self._length)
        self._start += count
        self._first += count
        self._length -= count
        if len(self._data) > max(4 * self._length, self._SMALLEST):
            self._reallocate(self._length)

    def _reallocate(self, needed: int) -> None:
        """Move the samples kept to the front of an array with room for twice `needed`."""
        data = np.empty(max(2 * needed, self._SMALLEST), np.float32)
        data[: self._length] = self._data[self._first : self._first + self._length]
        self._data, self._first = data, 0
