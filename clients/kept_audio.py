"""Audio on its way to the server, kept until it has been transcribed, so that another session can be sent it again.

Positions are in seconds of the whole audio, which goes on over any number of sessions.
"""

from collections import deque
from pathlib import Path
from typing import Final, Protocol

KEPT_SECONDS: Final = 60.0
"""Seconds kept of audio that was sent but not transcribed. Text of a longer turn has been committed before that."""

WAITING_SECONDS: Final = 60.0
"""Seconds that may wait for a connection; whoever has more then waits too."""

MESSAGE_BYTES: Final = 64 * 1024
"""Bytes of the longest message of audio; the server takes up to 2 MiB."""

MAGIC: Final = (
    (b"\x1a\x45\xdf\xa3", 0, "audio/webm"),
    (b"OggS", 0, "audio/ogg"),
    (b"fLaC", 0, "audio/flac"),
    (b"WAVE", 8, "audio/wav"),
    (b"ftyp", 4, "audio/mp4"),
    (b"ID3", 0, "audio/mpeg"),
)
"""First bytes of the containers that the server takes live, where they are, and their media types."""


class KeptAudio(Protocol):
    """Audio in the order in which it is sent."""

    @property
    def full(self) -> bool:
        """Whether no more should be added until some has been taken."""

    def take(self) -> bytes:
        """Return the next audio to send, empty if there is none."""

    def answered(self, until: float) -> None:
        """Forget the audio before this position, which has been transcribed."""

    def again(self) -> float:
        """Begin again with the first audio that is kept, and return its position."""


class KeptPcm:
    """PCM16 audio that is added as it is recorded."""

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
        while self._sent and self._begin_bytes + len(self._sent[0]) <= until * self._bytes_per_second:
            self._forget()
        rest = int(until * self._bytes_per_second) // 2 * 2 - self._begin_bytes
        if self._sent and rest > 0:
            self._sent[0] = self._sent[0][rest:]
            self._begin_bytes += rest
            self._sent_bytes -= rest

    def again(self) -> float:
        self._waiting.extendleft(reversed(self._sent))
        self._waiting_bytes += self._sent_bytes
        self._sent.clear()
        self._sent_bytes = 0
        return self._begin_bytes / self._bytes_per_second

    def _forget(self) -> None:
        size = len(self._sent.popleft())
        self._sent_bytes -= size
        self._begin_bytes += size


class KeptFile:
    """A file in a container, sent as it is. It can be read again, so nothing of it is kept in memory.

    Raises `OSError` if it cannot be read.
    """

    full = False

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.media_type = media_type(self._file.read(16))
        self._file.seek(0)

    def take(self) -> bytes:
        return self._file.read(MESSAGE_BYTES)

    def answered(self, until: float) -> None:
        """Keep the file: a container can only be decoded from its beginning."""

    def again(self) -> float:
        self._file.seek(0)
        return 0.0

    def close(self) -> None:
        self._file.close()


def media_type(head: bytes) -> str | None:
    """Return the media type of a container by its first bytes, None if the server does not take it live."""
    for magic, at, name in MAGIC:
        if head[at : at + len(magic)] == magic:
            return name
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE0 == 0xE0:  # the frame of a format without a header
        return "audio/aac" if head[1] & 0x06 == 0 else "audio/mpeg"
    return None
