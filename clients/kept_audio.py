"""Audio on its way to the server, kept until it has been transcribed, so that another session can be sent it again.

Positions are in seconds of the whole audio, which goes on over any number of sessions.
"""

from collections import deque
from typing import Final

KEPT_SECONDS: Final = 60.0
"""Seconds kept of audio that was sent but not transcribed. Text of a longer turn has been committed before that."""

WAITING_SECONDS: Final = 60.0
"""Seconds that may wait for a connection; whoever has more then waits too."""

MESSAGE_BYTES: Final = 64 * 1024
"""Bytes of the longest message of audio; the server takes up to 2 MiB."""


class KeptAudio:
    """PCM16 audio that is added as it is recorded, and sent in the same order."""

    def __init__(self, rate: int) -> None:
        self._bytes_per_second = 2 * rate
        self._sent: deque[bytes] = deque()
        self._waiting: deque[bytes] = deque()
        self._sent_bytes = 0
        self._waiting_bytes = 0
        self._begin_bytes = 0  # before `_sent`
        self._odd = b""

    @property
    def full(self) -> bool:
        """Whether no more should be added until some has been taken."""
        return self._waiting_bytes >= WAITING_SECONDS * self._bytes_per_second

    def add(self, pcm: bytes) -> None:
        """Add audio of any length; a sample that is cut in two is sent when it is whole."""
        pcm = self._odd + pcm
        whole = len(pcm) // 2 * 2
        self._odd = pcm[whole:]
        for start in range(0, whole, MESSAGE_BYTES):
            self._waiting.append(pcm[start : min(start + MESSAGE_BYTES, whole)])
        self._waiting_bytes += whole

    def add_silence(self, seconds: float) -> None:
        """Add silence."""
        self.add(bytes(int(seconds * self._bytes_per_second) // 2 * 2))

    def take(self) -> bytes:
        """Return the next audio to send, empty if there is none."""
        if not self._waiting:
            return b""
        chunk = self._waiting.popleft()
        self._waiting_bytes -= len(chunk)
        self._sent.append(chunk)
        self._sent_bytes += len(chunk)
        while self._sent_bytes - len(self._sent[0]) >= KEPT_SECONDS * self._bytes_per_second:
            self._forget()
        return chunk

    def answered(self, until: float) -> None:
        """Forget the audio before this position, which has been transcribed."""
        while self._sent and self._begin_bytes + len(self._sent[0]) <= until * self._bytes_per_second:
            self._forget()
        rest = int(until * self._bytes_per_second) // 2 * 2 - self._begin_bytes
        if self._sent and rest > 0:
            self._sent[0] = self._sent[0][rest:]
            self._begin_bytes += rest
            self._sent_bytes -= rest

    def again(self) -> float:
        """Begin again with the first audio that is kept, and return its position."""
        self._waiting.extendleft(reversed(self._sent))
        self._waiting_bytes += self._sent_bytes
        self._sent.clear()
        self._sent_bytes = 0
        return self._begin_bytes / self._bytes_per_second

    def _forget(self) -> None:
        size = len(self._sent.popleft())
        self._sent_bytes -= size
        self._begin_bytes += size
