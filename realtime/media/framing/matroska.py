"""The framing of WebM and Matroska (RFC 9559), which are made of EBML elements (RFC 8794)."""

import re
from typing import Final, NamedTuple

from realtime.media.framing.base import Framing

_EBML: Final = 0x1A45DFA3
_SEGMENT: Final = 0x18538067
_TRACKS: Final = 0x1654AE6B
_CLUSTER: Final = 0x1F43B675
_SIMPLE_BLOCK: Final = 0xA3
_BLOCK_GROUP: Final = 0xA0
_BLOCK: Final = 0xA1

_MAX_ELEMENT: Final = 2 * 1024 * 1024
"""Largest element in bytes: a key frame of a camera takes a few hundred kilobytes."""

_MAX_BLOCKS: Final = ((b"V_", _MAX_ELEMENT), (b"A_OPUS", 8 * 1024), (b"", 64 * 1024))
"""Largest blocks in bytes by what the description of the tracks contains: video, Opus, or any other audio.

The smaller they are, the sooner a damaged size is noticed. Opus has up to 4 kB in 60 ms, stereo at 48 kHz up to 38 kB
in 100 ms.
"""

_MAX_SEARCHED: Final = 256 * 1024
"""Bytes in which the continuation of a stream is searched before the first are given up."""

_UNKNOWN_SIZE: Final = b"\x01" + b"\xff" * 7
"""Size of an element that ends where another of its level begins (RFC 8794, section 6.2)."""

_MAX_SIZES: Final = {
    _EBML: 1024,
    0x114D9B74: _MAX_ELEMENT,  # SeekHead
    0x1549A966: _MAX_ELEMENT,  # Info
    _TRACKS: _MAX_ELEMENT,
    0x1C53BB6B: _MAX_ELEMENT,  # Cues
    0x1254C367: _MAX_ELEMENT,  # Tags
    0x1043A770: _MAX_ELEMENT,  # Chapters
    0xE7: 8,  # Timestamp
    0xA7: 8,  # Position
    0xAB: 8,  # PrevSize
    0xEC: _MAX_ELEMENT,  # Void
    0xBF: 4,  # CRC-32
}
"""Elements of a segment and of a cluster besides blocks that are passed on whole, with their largest size in bytes."""

_CONTINUATION: Final = re.compile(rb"\x1a\x45\xdf\xa3|\x1f\x43\xb6\x75|\xa3|\xa0")
"""Identifiers of the elements at which a stream can go on."""


class _Header(NamedTuple):
    """Identifier of an element, the length of its header, and the size of its content in bytes, None if unknown."""

    id: int
    length: int
    size: int | None


class MatroskaFraming(Framing):
    """Passes on whole blocks, in a segment and clusters of unknown size: a loss changes the size of what it is in."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        self._max_block = _MAX_ELEMENT
        self._tracks = {0x81}
        """First bytes of the blocks so far: the numbers of their tracks."""

    def _take(self) -> bytes | None:
        while header := _header(self._buffer, 0):
            if not self._is_plausible(header) or self._is_garbled(header):
                if not self._find_continuation():
                    return None
                continue
            if header.id == _EBML and self._begun:
                self.ended = True
                return None
            if header.id in {_SEGMENT, _CLUSTER}:
                self._cut(header.length)
                return header.id.to_bytes(4) + _UNKNOWN_SIZE
            assert header.size is not None
            end = header.length + header.size
            if len(self._buffer) < end:
                return None
            self._begun = True
            if header.id == _SIMPLE_BLOCK and header.size:
                self._tracks.add(self._buffer[header.length])
            if header.id == _TRACKS:
                self._max_block = next(size for codec, size in _MAX_BLOCKS if codec in self._buffer[:end])
            return self._cut(end)
        return None

    def _is_plausible(self, header: _Header) -> bool:
        """Say whether the stream may have this element."""
        if header.id in {_SEGMENT, _CLUSTER}:
            return True
        limit = self._max_block if header.id in {_SIMPLE_BLOCK, _BLOCK_GROUP} else _MAX_SIZES.get(header.id, -1)
        return header.size is not None and header.size <= limit

    def _is_garbled(self, header: _Header) -> bool:
        """Say whether an element is followed by something impossible: part of it was lost."""
        if header.size is None or header.id in {_SEGMENT, _CLUSTER}:
            return False
        following = _header(self._buffer, header.length + header.size)
        return following is not None and not self._is_plausible(following)

    def _find_continuation(self) -> bool:
        """Skip to the next cluster, or the next block that another element follows; say whether there is one."""
        for start in [found.start() for found in _CONTINUATION.finditer(self._buffer, 1)]:
            if self._is_continuation(start):
                self._skip(start)
                return True
        if len(self._buffer) > _MAX_SEARCHED:
            self._skip(len(self._buffer) - _MAX_SEARCHED // 2)
        return False

    def _is_continuation(self, start: int) -> bool:
        header = _header(self._buffer, start)
        if header is None or not self._is_plausible(header):
            return False
        if header.id in {_EBML, _CLUSTER}:
            return True
        assert header.size is not None
        content = start + header.length
        if content >= len(self._buffer):
            return False
        if self._buffer[content] not in (self._tracks if header.id == _SIMPLE_BLOCK else {_BLOCK}):
            return False
        following = _header(self._buffer, content + header.size)
        return following is not None and self._is_plausible(following)


def _header(buffer: bytearray, start: int) -> _Header | None:
    """Read the header of the element at `start`, None if it is not complete.

    What is no header has the identifier 0.
    """
    if start >= len(buffer):
        return None
    id_length = 9 - buffer[start].bit_length()
    if id_length > 4:
        return _Header(0, 1, None)
    if start + id_length >= len(buffer):
        return None
    size_length = 9 - buffer[start + id_length].bit_length()
    if size_length > 8:
        return _Header(0, 1, None)
    length = id_length + size_length
    if start + length > len(buffer):
        return None
    bits = 7 * size_length
    size = int.from_bytes(buffer[start + id_length : start + length]) & ((1 << bits) - 1)
    identifier = int.from_bytes(buffer[start : start + id_length])
    return _Header(identifier, length, None if size == (1 << bits) - 1 else size)
