"""Cut a recording into speech segments that fit the recognizer, at pauses wherever possible.

A segment contains short pauses. Speech is joined with the speech after it until the segment is long enough to provide
context. Speech without a pause is cut at the window with the lowest speech probability.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.speech.endpointing import ONSET_WINDOWS, Endpointing, Offset, Onset, TurnDetection

MAX_SEGMENT: Final = 28 * SAMPLE_RATE
"""Samples in the longest segment, 28 s: the recognizer takes 30 s and needs some silence at the end."""

MIN_SEGMENT: Final = 10 * SAMPLE_RATE
"""Samples from which on a segment is not extended by more speech: 10 s."""

MAX_PAUSE: Final = 2 * SAMPLE_RATE
"""Samples of silence that end a segment, 2 s: in longer silence the recognizer hallucinates words."""

_CUT_SEARCH_WINDOWS: Final = 8 * SAMPLE_RATE // WINDOW
"""Windows at the end of uninterrupted speech among which the cut is chosen: 8 s."""


@dataclass(frozen=True, slots=True)
class Span:
    """Samples from `start` up to `end`, counted from the start of the recording at 16 kHz."""

    start: int
    end: int
    stretches: "tuple[Span, ...]" = field(default=(), compare=False)
    """The speech between its pauses."""


class Segmentation:
    """Finds the spans of a recording to transcribe, window by window; they are in order and do not overlap."""

    def __init__(self, detection: TurnDetection = TurnDetection(), *, min_segment: int = MIN_SEGMENT) -> None:
        """Use `detection`; with a threshold of 0 the spans cover the whole recording.

        With a `min_segment` of 0, every pause that `detection` finds ends a span.
        """
        self._min_segment = min_segment
        self._endpointing = Endpointing(detection)
        self._pending: Span | None = None
        self._speech_start: int | None = None
        self._recent: deque[float] = deque(maxlen=_CUT_SEARCH_WINDOWS)

    @property
    def earliest_needed(self) -> int:
        """Position before which no later span begins."""
        if self._pending is not None:
            return self._pending.start
        if self._speech_start is not None:
            return self._speech_start
        detection = self._endpointing.detection
        return max(0, self._endpointing.position - detection.prefix_padding - ONSET_WINDOWS * WINDOW)

    def update(self, probability: float) -> list[Span]:
        """Take the speech probability of the next window of 512 samples and return the spans it completes."""
        self._recent.append(probability)
        spans: list[Span] = []
        match self._endpointing.update(probability):
            case Onset(start=start):
                self._speech_start = start
            case Offset(end=end):
                spans += self._join(end)
        return spans + self._overdue()

    def finish(self) -> list[Span]:
        """End the recording and return the remaining spans."""
        spans: list[Span] = []
        if self._speech_start is not None:
            spans += self._join(self._endpointing.finish().end)
        return spans + self._release()

    def _join(self, end: int) -> list[Span]:
        """Join speech that ended with the pending span, and return the span if it is long enough."""
        assert self._speech_start is not None
        before = () if self._pending is None else self._pending.stretches
        start = self._speech_start if self._pending is None else self._pending.start
        self._pending, self._speech_start = Span(start, end, (*before, Span(self._speech_start, end))), None
        return self._release() if end - start >= self._min_segment else []

    def _overdue(self) -> list[Span]:
        """Return the spans that can wait no longer for more speech or for the end of speech."""
        position = self._endpointing.position
        min_start = position + WINDOW - MAX_SEGMENT  # a span from before would be too long with one more window
        spans: list[Span] = []
        if self._pending is not None:
            paused = (position if self._speech_start is None else self._speech_start) - self._pending.end > MAX_PAUSE
            if paused or self._pending.start < min_start:
                spans += self._release()
        if self._speech_start is not None and self._speech_start < min_start:
            quietest = min(range(len(self._recent)), key=self._recent.__getitem__)
            cut = position - (len(self._recent) - quietest) * WINDOW + WINDOW // 2
            spans.append(Span(self._speech_start, cut))
            self._speech_start = cut
        return spans

    def _release(self) -> list[Span]:
        spans = [] if self._pending is None else [self._pending]
        self._pending = None
        return spans
