"""What the framings of all containers have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator


class Framing(ABC):
    """Cuts one container, which arrives in chunks of any size, into pieces that a demuxer can read on their own.

    Where a chunk was lost, the bytes up to the next whole piece are skipped, so that the demuxer never reads one that
    is mixed of two.

    Attributes:
        skipped: Bytes skipped so far.
        ended: The container has ended; `rest` belongs to another one.
    """

    def __init__(self) -> None:
        self.skipped = 0
        self.ended = False
        self._buffer = bytearray()

    @property
    def rest(self) -> bytes:
        """The bytes that no piece has yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the pieces that a chunk completes. Raises `Refused` if the container cannot be read as a stream."""
        self._buffer += data
        while not self.ended and (piece := self._take()) is not None:
            yield piece

    @abstractmethod
    def _take(self) -> bytes | None:
        """Remove the next piece from the buffer; None if it is not complete yet, or the container has ended."""

    def _cut(self, size: int) -> bytes:
        """Remove and return the first bytes of the buffer."""
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        return piece

    def _skip(self, size: int) -> None:
        """Drop the first bytes of the buffer."""
        self.skipped += size
        del self._buffer[:size]


class Unframed(Framing):
    """Formats whose demuxers find the next frame themselves: ADTS, MP3 and FLAC."""

    def _take(self) -> bytes | None:
        return self._cut(len(self._buffer)) if self._buffer else None
