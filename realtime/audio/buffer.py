"""A growing buffer of a stream's samples, addressed by absolute position."""

from typing import Final

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, Samples

QUIET_SPAN: Final = SAMPLE_RATE * 160 // 1000
"""Samples over which `quietest` measures energy: 160 ms, about the gap between two words."""


class AudioBuffer:
    """The samples of a stream from `start` to `end`; positions count from the beginning of the stream.

    Appending and discarding take amortised constant time per sample. Discarded samples are freed: the array is at most
    about four times as large as its contents.
    """

    _MIN_CAPACITY: Final = SAMPLE_RATE // 4
    """Samples (250 ms) below which the array does not shrink. It is made with the first ones."""

    def __init__(self) -> None:
        self._data = np.empty(0, np.float32)
        self._first = 0
        self._length = 0
        self._start = 0

    @property
    def start(self) -> int:
        """Position of the first sample in the buffer."""
        return self._start

    @property
    def end(self) -> int:
        """Position after the last sample."""
        return self._start + self._length

    def append(self, samples: Samples) -> None:
        if self._first + self._length + len(samples) > len(self._data):
            self._reallocate(max(2 * (self._length + len(samples)), self._MIN_CAPACITY))
        last = self._first + self._length
        self._data[last : last + len(samples)] = samples
        self._length += len(samples)

    def slice(self, start: int, end: int) -> Samples:
        """Copy the samples from position `start` up to `end`. Raises `ValueError` if any of them is not buffered."""
        if not self.start <= start <= end <= self.end:
            raise ValueError(f"samples {start} to {end} are not in the buffer, which holds {self.start} to {self.end}")
        first = self._first + start - self._start
        return self._data[first : first + end - start].copy()

    def quietest(self, start: int, end: int) -> int:
        """Return the middle of the `QUIET_SPAN` samples with the least energy between two positions."""
        energy = np.cumsum(np.pad(np.square(self.slice(start, end), dtype=np.float64), (1, 0)))
        return start + int(np.argmin(energy[QUIET_SPAN:] - energy[:-QUIET_SPAN])) + QUIET_SPAN // 2

    def discard(self, before: int) -> None:
        """Drop all samples before position `before`; beyond the end, drop everything."""
        count = min(max(before - self._start, 0), self._length)
        self._start += count
        self._first += count
        self._length -= count
        if len(self._data) > max(4 * self._length, self._MIN_CAPACITY):
            self._reallocate(max(2 * self._length, self._MIN_CAPACITY))

    def compact(self) -> None:
        """Free the room for further samples."""
        self._reallocate(self._length)

    def _reallocate(self, capacity: int) -> None:
        """Move the contents to a new array of so many samples."""
        data = np.empty(capacity, np.float32)
        data[: self._length] = self._data[self._first : self._first + self._length]
        self._data, self._first = data, 0
