"""Playout: when speech is sent.

Audio is sent at most `MAX_LEAD_SECONDS` ahead of a client that plays it from the moment the first of it was sent: an
interruption wastes little, and a long response does not fill the socket. Times are the session's monotonic seconds.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from realtime.audio.formats import Samples

MAX_LEAD_SECONDS: Final = 3.0
"""Seconds of speech that may be sent before they are due to be played."""

FIRST_CHUNK_SECONDS: Final = 0.04
"""Seconds of audio in the first message of a response: short, for a short time to the first audio."""

CHUNK_SECONDS: Final = 0.2
"""Seconds of audio in a message."""

Chunk: TypeAlias = str | Samples
"""The text of a phrase, or some of its audio."""


@dataclass(slots=True)
class _Queued:
    text: str | None
    samples: Samples


class Playout:
    """The queue of one response between the engine and the client: texts and the audio of each, in order."""

    def __init__(self, sample_rate: int, *, paced: bool) -> None:
        """Queue audio at `sample_rate`; if not `paced`, it is due at once."""
        self._rate = sample_rate
        self._paced = paced
        self._queue: deque[_Queued] = deque()
        self._began: float | None = None
        self.sent = 0
        """Samples released."""

    @property
    def waiting(self) -> float:
        """Seconds of audio not yet released."""
        return sum(len(queued.samples) for queued in self._queue) / self._rate

    def add_text(self, text: str) -> None:
        """Add the text of the audio that is added next."""
        self._queue.append(_Queued(text, np.zeros(0, np.float32)))

    def add_audio(self, samples: Samples) -> None:
        """Add audio, cut into chunks of `CHUNK_SECONDS`."""
        start = 0
        while start < len(samples):
            seconds = CHUNK_SECONDS if self.sent or self._queue_has_audio() else FIRST_CHUNK_SECONDS
            end = start + round(seconds * self._rate)
            self._queue.append(_Queued(None, samples[start:end]))
            start = end

    def release(self, now: float) -> list[Chunk]:
        """Remove and return what is due by `now`, in order."""
        chunks: list[Chunk] = []
        while self._queue and now >= self._due(self._queue[0]):
            queued = self._queue.popleft()
            if queued.text is not None:
                chunks.append(queued.text)
                continue
            if self._began is None:
                self._began = now
            self.sent += len(queued.samples)
            chunks.append(queued.samples)
        return chunks

    def deadline(self) -> float | None:
        """Return when `release` will return something, or None if the queue is empty."""
        return self._due(self._queue[0]) if self._queue else None

    def _due(self, queued: _Queued) -> float:
        if not self._paced or self._began is None or queued.text is not None:
            return float("-inf")
        return self._began + self.sent / self._rate - MAX_LEAD_SECONDS

    def _queue_has_audio(self) -> bool:
        return any(queued.text is None for queued in self._queue)
