"""Where to cut a long recording: excerpts short enough for the recognizer, cut where nobody speaks.

An excerpt is a stretch of the recording with its short pauses in it. Neighbouring speech is joined until an excerpt is
long enough to have context; speech without any pause is cut where the detector believed in it least.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.speech.endpointing import ONSET_WINDOWS, Endpointing, Offset, Onset, TurnDetection

MAX_SEGMENT: Final = 28 * SAMPLE_RATE
"""The recognizer takes 30 s; the rest is room for the silence it wants to see at the end."""

MIN_SEGMENT: Final = 10 * SAMPLE_RATE
"""An excerpt of this length waits for no more speech."""

MAX_PAUSE: Final = 2 * SAMPLE_RATE
"""A longer silence invites the recognizer to invent words, so it ends an excerpt."""

_CUT_SEARCH_WINDOWS: Final = 8 * SAMPLE_RATE // WINDOW


@dataclass(frozen=True, slots=True)
class Span:
    """Samples at 16 kHz from `start` up to `end`, counted since the recording began."""

    start: int
    end: int


class Segmentation:
    """Follows a recording window by window and says which spans of it to transcribe, in order and without overlap."""

    def __init__(self, detection: TurnDetection = TurnDetection()) -> None:
        """With a threshold of 0 everything is speech: all of the recording is in some span."""
        self._endpointing = Endpointing(detection)
        self._waiting: Span | None = None
        self._started: int | None = None
        self._recent: deque[float] = deque(maxlen=_CUT_SEARCH_WINDOWS)

    @property
    def earliest_needed(self) -> int:
        """No span to come begins before this position."""
        if self._waiting is not None:
            return self._waiting.start
        if self._started is not None:
            return self._started
        detection = self._endpointing.detection
        return max(0, self._endpointing.position - detection.prefix_padding - ONSET_WINDOWS * WINDOW)

    def update(self, probability: float) -> list[Span]:
        """Take the speech probability of the next window of 512 samples."""
        self._recent.append(probability)
        spans: list[Span] = []
        match self._endpointing.update(probability):
            case Onset(start=start):
                self._started = start
            case Offset(end=end):
                spans += self._join(end)
        return spans + self._overdue()

    def finish(self) -> list[Span]:
        """The recording ends here."""
        spans: list[Span] = []
        if self._started is not None:
            spans += self._join(self._endpointing.finish().end)
        return spans + self._release()

    def _join(self, end: int) -> list[Span]:
        """Speech ended: it joins what is waiting, and goes if that is enough."""
        assert self._started is not None
        start = self._started if self._waiting is None else self._waiting.start
        self._waiting, self._started = Span(start, end), None
        return self._release() if end - start >= MIN_SEGMENT else []

    def _overdue(self) -> list[Span]:
        """What cannot wait any longer: for more speech, or for the end of speech."""
        position = self._endpointing.position
        too_long_from = position + WINDOW - MAX_SEGMENT  # with one window more, what begins before this is
        spans: list[Span] = []
        if self._waiting is not None:
            paused = (position if self._started is None else self._started) - self._waiting.end > MAX_PAUSE
            if paused or self._waiting.start < too_long_from:
                spans += self._release()
        if self._started is not None and self._started < too_long_from:
            quietest = min(range(len(self._recent)), key=self._recent.__getitem__)
            cut = position - (len(self._recent) - quietest) * WINDOW + WINDOW // 2
            spans.append(Span(self._started, cut))
            self._started = cut
        return spans

    def _release(self) -> list[Span]:
        spans = [] if self._waiting is None else [self._waiting]
        self._waiting = None
        return spans
