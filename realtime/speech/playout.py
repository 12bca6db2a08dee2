"""Playout: how fast speech is sent.

Audio is sent at most `MAX_LEAD_SECONDS` ahead of a listener who plays it from the moment the first of it was sent:
an interruption wastes little and a long answer does not hog the socket. Times are the session's monotonic seconds,
amounts are samples at the output rate.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from realtime.audio.formats import Samples

MAX_LEAD_SECONDS: Final = 3.0
"""Seconds of speech that may be under way to the listener."""

FIRST_PIECE: Final = 0.04
PIECE: Final = 0.2
"""Seconds of one message: the first is short, since somebody waits for it."""

AudioChunk: TypeAlias = str | Samples


@dataclass(slots=True)
class _Queued:
    text: str | None
    samples: Samples


class Playout:
    """The speech of one response between the engine and the wire: texts and the audio that speaks them, in order."""

    def __init__(self, sample_rate: int, *, paced: bool) -> None:
        self._rate = sample_rate
        self._paced = paced
        self._queue: deque[_Queued] = deque()
        self._began: float | None = None
        self.sent = 0

    @property
    def waiting(self) -> float:
        """Seconds of audio not yet sent."""
        return sum(len(queued.samples) for queued in self._queue) / self._rate

    def add_text(self, text: str) -> None:
        """The text of the audio that is added next."""
        self._queue.append(_Queued(text, np.zeros(0, np.float32)))

    def add_audio(self, samples: Samples) -> None:
        start = 0
        while start < len(samples):
            seconds = PIECE if self.sent or self._queue_has_audio() else FIRST_PIECE
            end = start + round(seconds * self._rate)
            self._queue.append(_Queued(None, samples[start:end]))
            start = end

    def release(self, now: float) -> list[AudioChunk]:
        """What may be sent now, in order: texts, and pieces of audio."""
        pieces: list[AudioChunk] = []
        while self._queue and now >= self._due(self._queue[0]):
            queued = self._queue.popleft()
            if queued.text is not None:
                pieces.append(queued.text)
                continue
            if self._began is None:
                self._began = now
            self.sent += len(queued.samples)
            pieces.append(queued.samples)
        return pieces

    def deadline(self) -> float | None:
        """When `release` will have something, or None."""
        return self._due(self._queue[0]) if self._queue else None

    def _due(self, queued: _Queued) -> float:
        if not self._paced or self._began is None or queued.text is not None:
            return float("-inf")
        return self._began + self.sent / self._rate - MAX_LEAD_SECONDS

    def _queue_has_audio(self) -> bool:
        return any(queued.text is None for queued in self._queue)
