"""The framing of fragmented MP4 (ISO/IEC 14496-12): a header, then pairs of an index (`moof`) and its data (`mdat`)."""

import re
from typing import Final

from realtime.media.framing.base import Framing
from realtime.media.records import Refused

_BOXES: Final = frozenset(
    {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"ssix", b"emsg", b"prft", b"free", b"skip", b"wide",
     b"uuid", b"meta", b"pdin", b"mfra"}
)  # fmt: skip
"""Types of the boxes of a stream."""

_MAX_BOX: Final = 4 * 1024 * 1024
"""Largest box in bytes. Recorders write a fragment of audio every few seconds at the latest."""

_FRAGMENT: Final = re.compile(rb"....moof\0\0\0\x10mfhd", re.DOTALL)
"""The beginning of a fragment, which cannot be in the data of another one except by chance."""

_CONTINUATION: Final = re.compile(rb"....moof\0\0\0\x10mfhd|\0\0..ftyp", re.DOTALL)
"""Where a stream can go on."""

_CONTINUATION_SIZE: Final = 16
"""Bytes of the longest match of `_CONTINUATION`."""


class Mp4Framing(Framing):
    """Passes on whole boxes, and an index only with its data: FFmpeg finds no data after an index without."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        self._has_index = False
        self._fragment = b""
        """The index of the fragment whose data follow."""
        self._streamed: float = 0
        """Bytes left of the data of a file that is not fragmented, which are passed on as they come."""

    def _take(self) -> bytes | None:
        while True:
            if self._streamed and self._buffer:
                piece = self._cut(min(len(self._buffer), int(min(self._streamed, _MAX_BOX))))
                self._streamed -= len(piece)
                return piece
            if len(self._buffer) < 16:
                return None
            size, kind = int.from_bytes(self._buffer[:4]), bytes(self._buffer[4:8])
            if kind == b"mdat" and not self._fragment and size not in range(2, 8):
                self._stream(size)
                continue
            if kind not in _BOXES or not 8 <= size <= _MAX_BOX:
                if not self._find_continuation():
                    return None
                continue
            if kind == b"ftyp" and self._begun:
                self.ended = True
                return None
            if kind == b"mdat" and (lost := _find(_FRAGMENT, self._buffer, 8, size + 12)):
                self._skip_fragment(lost)
                continue
            if len(self._buffer) < size:
                return None
            self._begun = True
            self._has_index = self._has_index or kind == b"moov"
            if kind == b"moof":
                self._skip_fragment(0)
                self._fragment = self._cut(size)
                continue
            piece = self._cut(size)
            if kind == b"mdat":
                piece, self._fragment = self._fragment + piece, b""
            return piece

    def _stream(self, size: int) -> None:
        """Pass on the next `size` bytes as they come; 0 is all that follows, 1 a size of 64 bits after the type."""
        if not self._has_index:
            raise Refused("An MP4 stream must be fragmented, or begin with its index (the `moov` box).")
        self._streamed = int.from_bytes(self._buffer[8:16]) if size == 1 else size or float("inf")

    def _skip_fragment(self, size: int) -> None:
        """Drop the index that waits for its data, and the first bytes of the buffer."""
        self.skipped += len(self._fragment)
        self._fragment = b""
        self._skip(size)

    def _find_continuation(self) -> bool:
        """Skip to the next fragment or header; say whether there is one."""
        start = _find(_CONTINUATION, self._buffer, 1, len(self._buffer))
        self._skip_fragment(start or max(0, len(self._buffer) - _CONTINUATION_SIZE))
        return start > 0


def _find(pattern: re.Pattern[bytes], buffer: bytearray, start: int, end: int) -> int:
    """Return where the first match between two positions begins, 0 if there is none."""
    found = pattern.search(buffer, start, end)
    return found.start() if found else 0
