"""Audio that has ended processes of a recognizer, so that it ends no further ones."""

import hashlib
import threading
from collections import deque
from typing import Final

from realtime.audio.formats import Samples

MAX_REMEMBERED: Final = 16
"""Pieces of audio that are remembered, the last ones."""


class PoisonedAudio:
    """Digests of audio; methods may be called from any thread.

    The partials of a segment begin alike, and its final ends with more audio. So audio that begins with remembered one
    counts as the same.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._remembered: deque[tuple[int, bytes]] = deque(maxlen=MAX_REMEMBERED)

    def add(self, samples: Samples) -> None:
        """Remember audio, unless it is empty."""
        if len(samples):
            with self._lock:
                self._remembered.append((len(samples), _digest(samples)))

    def begins(self, samples: Samples) -> bool:
        """Return whether audio is, or begins with, what is remembered."""
        with self._lock:
            remembered = set(self._remembered)
        return any(length <= len(samples) and _digest(samples[:length]) == digest for length, digest in remembered)


def _digest(samples: Samples) -> bytes:
    return hashlib.blake2b(samples.tobytes(), digest_size=16).digest()
