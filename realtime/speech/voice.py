"""Voice activity of audio: the spans in which the voice activity detector found voice."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples
from realtime.speech.endpointing import HYSTERESIS, ONSET_WINDOWS
from realtime.speech.segmentation import Span

MIN_VOICE: Final = ONSET_WINDOWS * WINDOW
"""Samples below which a span is a click (64 ms)."""

SOUND_RANGE: Final = 30.0
"""Decibels below the loudest 10 ms of a short segment down to which the others count as sound.

At 25 dB a spoken digit of 370 ms, whose end is quiet, has 150 ms of sound; at 30 dB none of 205 has less than 230 ms.
"""

_HOP: Final = SAMPLE_RATE // 100


class VoiceActivity:
    """Collects voiced spans from the speech probabilities of windows, which come in order.

    A span begins with a window above the threshold and lasts while the probability stays above the threshold less
    `HYSTERESIS`, or above half the threshold where that is higher.
    """

    def __init__(self, threshold: float) -> None:
        """Take `threshold`, above 0 and at most 1, for the lowest probability at which a span begins."""
        self.threshold: Final = threshold
        self._spans: list[Span] = []

    def add(self, start: int, end: int, probability: float) -> None:
        """Add the window of samples from `start` to `end` with its speech probability."""
        last = self._spans[-1] if self._spans else None
        if (
            last is not None
            and last.end == start
            and probability >= max(self.threshold - HYSTERESIS, self.threshold / 2)
        ):
            self._spans[-1] = Span(last.start, end)
        elif probability >= self.threshold:
            self._spans.append(Span(start, end))

    def between(self, start: int, end: int) -> tuple[Span, ...]:
        """Return what is voiced from `start` to `end`, in samples counted from `start`; clicks are left out."""
        return clipped([span for span in self._spans if span.end - span.start >= MIN_VOICE], start, end)

    def since(self, start: int) -> "VoiceActivity":
        """Return the voice activity from `start` on."""
        rest = VoiceActivity(self.threshold)
        rest._spans = [Span(max(span.start, start), span.end) for span in self._spans if span.end > start]
        return rest


def clipped(spans: Sequence[Span], start: int, end: int) -> tuple[Span, ...]:
    """Return the parts of `spans` from `start` to `end`, counted from `start`."""
    return tuple(
        Span(max(span.start, start) - start, min(span.end, end) - start)
        for span in spans
        if span.start < end and span.end > start
    )


def shifted(spans: Sequence[Span], samples: int) -> tuple[Span, ...]:
    """Return the spans this much later."""
    return tuple(Span(span.start + samples, span.end + samples) for span in spans)


def sound_shape(samples: Samples) -> tuple[int, float]:
    """Return the extent and the edge level of the sound, which is relative to the loudest 10 ms.

    The extent is the number of samples from the first to the last 10 ms with sound, 0 without any. The edge level is
    that of the quieter of the two, in dB relative to the loudest: a sound that was cut out of a longer one begins and
    ends loud, one that was recorded whole fades in and out.
    """
    hops = np.pad(samples, (0, -len(samples) % _HOP)).reshape(-1, _HOP)
    powers = np.einsum("ij,ij->i", hops, hops)
    sounding = np.flatnonzero(powers > powers.max(initial=0.0) * 10 ** (-SOUND_RANGE / 10))
    if not len(sounding):
        return 0, -SOUND_RANGE
    quieter = min(powers[sounding[0]], powers[sounding[-1]])
    return int(sounding[-1] + 1 - sounding[0]) * _HOP, 10 * math.log10(quieter / powers.max())
