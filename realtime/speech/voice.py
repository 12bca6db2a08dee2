"""Voice activity of audio: the spans in which the voice activity detector found voice."""

from collections.abc import Sequence
from typing import Final

from realtime.audio.formats import WINDOW
from realtime.speech.endpointing import HYSTERESIS, ONSET_WINDOWS
from realtime.speech.segmentation import Span

MIN_VOICE: Final = ONSET_WINDOWS * WINDOW
"""Samples below which a span is a click (64 ms)."""


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
