"""The framing of Ogg (RFC 3533)."""

from typing import Final

from realtime.media.framing.base import Framing

_CAPTURE: Final = b"OggS"
_HEADER: Final = 27
"""Bytes of the header of a page before its table of segments."""

_FIRST_PAGE: Final = 0x02
"""Flag of the first page of a logical stream."""


class OggFraming(Framing):
    """Passes on whole pages."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = False

    def _take(self) -> bytes | None:
        while len(self._buffer) >= _HEADER:
            segments = self._buffer[26]
            size = _HEADER + segments + sum(self._buffer[_HEADER : _HEADER + segments])
            begins = self._buffer.startswith(_CAPTURE)
            following = self._buffer.find(_CAPTURE, 1)
            if not begins or 0 < following < size:
                self._skip(following if following > 0 else len(self._buffer) - len(_CAPTURE) + 1)
                continue
            if self._begun and self._buffer[5] & _FIRST_PAGE:
                self.ended = True
                return None
            if len(self._buffer) < max(size, _HEADER + segments):
                return None
            self._begun = self._begun or not self._buffer[5] & _FIRST_PAGE
            return self._cut(size)
        return None
