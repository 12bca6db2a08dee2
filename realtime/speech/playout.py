"""Playout: when speech is sent.

Audio is sent at most `MAX_LEAD_SECONDS` ahead of a client that plays it from the moment the first of it was sent: an
interruption wastes little, and a long response does not fill the socket. Times are the session's monotonic seconds.
"""

from collections import deque
from itertools import takewhile
from typing import Final, TypeAlias

import numpy as np

from realtime.audio.formats import Samples

MAX_LEAD_SECONDS: Final = 3.0
"""Seconds of speech that may be sent before they are due to be played."""

FIRST_CHUNK_SECONDS: Final = 0.04
"""Seconds of audio in the first message of a response: short, for a short time to the first audio."""

CHUNK_SECONDS: Final = 0.2
"""Seconds of audio in a message."""

Chunk: TypeAlias = str | Samples | None
"""The text of a phrase, some of its audio, or None for a mark."""


class Playout:
    """The queue of one response between the engine and the client: texts and the audio of each, in order."""

    def __init__(self, sample_rate: int, *, paced: bool) -> None:
        """Queue audio at `sample_rate`; if not `paced`, it is due at once."""
        self._rate = sample_rate
        self._paced = paced
        self._queue: deque[Chunk] = deque()
        self._queued_samples = 0
        self.began: float | None = None
        """When the client began to play; later by the pauses in which it had nothing to play."""
        self.sent = 0
        """Samples released."""

    @property
    def waiting(self) -> float:
        """Seconds of audio not yet released."""
        return self._queued_samples / self._rate

    def add_text(self, text: str) -> None:
        """Add the text of the audio that is added next."""
        self._queue.append(text)

    def add_mark(self) -> None:
        """Add a mark, which is released after all that was added before."""
        self._queue.append(None)

    def add_audio(self, samples: Samples) -> None:
        """Add audio, cut into chunks of `CHUNK_SECONDS`."""
        start = 0
        while start < len(samples):
            seconds = CHUNK_SECONDS if self.sent or self._queued_samples else FIRST_CHUNK_SECONDS
            chunk = samples[start : start + round(seconds * self._rate)]
            self._queue.append(chunk)
            self._queued_samples += len(chunk)
            start += len(chunk)

    def release(self, now: float) -> list[Chunk]:
        """Remove and return what is due by `now`, in order."""
        chunks: list[Chunk] = []
        while self._queue and now >= self._due(self._queue[0]):
            chunk = self._queue.popleft()
            if isinstance(chunk, np.ndarray):
                position = now - self.sent / self._rate
                self.began = position if self.began is None else max(self.began, position)
                self.sent += len(chunk)
                self._queued_samples -= len(chunk)
            chunks.append(chunk)
        return chunks

    def drop_next_phrases(self) -> bool:
        """Remove the phrases of which nothing was released, and return whether there were any."""
        waiting, self._queue = self._queue, deque(takewhile(lambda chunk: not isinstance(chunk, str), self._queue))
        self._queued_samples = sum(len(chunk) for chunk in self._queue if isinstance(chunk, np.ndarray))
        return len(self._queue) < len(waiting)

    def deadline(self) -> float | None:
        """Return when `release` will return something, or None if the queue is empty."""
        return self._due(self._queue[0]) if self._queue else None

    def _due(self, chunk: Chunk) -> float:
        if not self._paced or self.began is None or not isinstance(chunk, np.ndarray):
            return float("-inf")
        return self.began + self.sent / self._rate - MAX_LEAD_SECONDS
