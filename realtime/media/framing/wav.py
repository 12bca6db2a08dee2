"""The framing of WAV, whose header may say how long the file is."""

import math
from typing import Final

from realtime.media.framing.base import Framing

_ENDLESS: Final = 0x7FFF_FF00
"""Bytes from which a size means that the writer did not know it, as does 0."""

_LONGEST_HEADER: Final = 64 * 1024
"""Bytes in which the samples must begin for the end to be looked for."""


class WavFraming(Framing):
    """Ends a file where its header says, so that it is decoded whole without what follows.

    FFmpeg's demuxer waits for 2 s of audio before it begins. A file without a size, as recorders write it, has no end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._chunk = 12  # position of a RIFF chunk
        self._is_known = False
        self._left: float = math.inf

    def _take(self) -> bytes | None:
        self._is_known = self._is_known or self._find_end()
        if not (self._is_known and self._buffer):
            return None
        piece = self._cut(len(self._buffer) if self._left > len(self._buffer) else int(self._left))
        self._left -= len(piece)
        self.ended = self._left == 0
        return piece

    def _find_end(self) -> bool:
        """Look for the size of the samples and of the file, and return False while more of the header is needed.

        Some writers count only the samples in the size of the file, and some have chunks of metadata behind them.
        """
        while len(self._buffer) >= self._chunk + 8:
            size = self._size_at(self._chunk + 4)
            if self._buffer[self._chunk : self._chunk + 4] == b"data":
                of_file = self._size_at(4)
                if 0 < size < _ENDLESS:
                    self._left = max(self._chunk + 8 + size, 8 + of_file if of_file < _ENDLESS else 0)
                return True
            self._chunk += 8 + size + size % 2
        return self._chunk > _LONGEST_HEADER

    def _size_at(self, position: int) -> int:
        return int.from_bytes(self._buffer[position : position + 4], "little")
