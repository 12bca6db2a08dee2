"""Faster and slower speech at the same pitch, by FFmpeg's filter `atempo`.

The filter is a form of WSOLA (Verhelst and Roelands, 1993): it repeats or leaves out periods of the voice.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil, log2
from typing import Final

import av
import numpy as np
from av.filter import Graph

from realtime.audio.formats import Samples

MAX_FACTOR: Final = 2.0
"""Largest change of speed that one filter makes, either way: above it, FFmpeg drops samples unblended."""

SLICE_SECONDS: Final = 0.01
"""Seconds of speech that are given to the filter at a time: it returns a slice once it has the next one.

So the first speech is 90 ms late at most, and not by the 2 s of a chunk.
"""


class TimeStretch:
    """Changes the speed of speech that comes in chunks; how it is cut into them does not change a sample."""

    def __init__(self, sample_rate: int, speed: float) -> None:
        """Make it `speed` times as fast; above 1 it becomes shorter."""
        self._sample_rate = sample_rate
        self._slice = round(SLICE_SECONDS * sample_rate)
        self._time_base = Fraction(1, sample_rate)
        self._position = 0
        stages = max(1, ceil(abs(log2(speed) / log2(MAX_FACTOR))))
        graph = Graph()
        self._source = graph.add_abuffer(
            format="flt", sample_rate=sample_rate, layout="mono", time_base=self._time_base
        )
        filters = [graph.add("atempo", f"{speed ** (1 / stages):.9f}") for _ in range(stages)]
        self._sink = graph.add("abuffersink")
        graph.link_nodes(self._source, *filters, self._sink).configure()
        self._graph = graph  # its filters do not keep it

    def process(self, samples: Samples) -> Samples:
        """Take the next samples; return what is ready, possibly nothing."""
        return self._pull([self._frame(samples[at : at + self._slice]) for at in range(0, len(samples), self._slice)])

    def flush(self) -> Samples:
        """End the speech; return the rest of it."""
        return self._pull([None])

    def _frame(self, samples: Samples) -> av.AudioFrame:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[np.newaxis], np.float32), "flt", "mono")
        frame.sample_rate, frame.time_base, frame.pts = self._sample_rate, self._time_base, self._position
        self._position += len(samples)
        return frame

    def _pull(self, frames: Iterable[av.AudioFrame | None]) -> Samples:
        pulled: list[Samples] = [np.empty(0, np.float32)]
        for frame in frames:
            self._source.push(frame)
            try:
                while True:
                    stretched = self._sink.pull()
                    assert isinstance(stretched, av.AudioFrame)
                    pulled.append(np.asarray(stretched.to_ndarray().ravel(), np.float32))
            except (av.BlockingIOError, av.EOFError):
                pass
        return np.concatenate(pulled)


def stretched(chunks: Iterator[Samples], sample_rate: int, speed: float) -> Iterator[Samples]:
    """Return the chunks `speed` times as fast; 1.0 leaves them as they are."""
    return chunks if speed == 1.0 else _stretched(chunks, TimeStretch(sample_rate, speed))


def _stretched(chunks: Iterator[Samples], stretch: TimeStretch) -> Iterator[Samples]:
    for chunk in chunks:
        if len(ready := stretch.process(chunk)):
            yield ready
    if len(rest := stretch.flush()):
        yield rest
