"""The first bytes by which a container of compressed audio is known."""

import re
from typing import Final

_SIGNATURES: Final = {
    "matroska": rb"\x1a\x45\xdf\xa3",
    "ogg": rb"OggS\0[\x02\x06]",
    "mov": rb"\0\0..ftyp",
    "flac": rb"fLaC",
    "wav": rb"(?:RIFF|RF64)....WAVE",
    "mp3": rb"ID3[\x02-\x04]",
}
"""Patterns that raw samples match only by chance, by the name of FFmpeg's demuxer."""

_FRAMES: Final = {
    "aac": rb"\xff[\xf0\xf1\xf8\xf9]",
    "mp3": rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xeb]",
}
"""Beginnings of frames of formats without a header: ADTS and MP3, which raw samples match too."""

_ANYWHERE: Final = re.compile(b"|".join(b"(?P<%s>%s)" % (k.encode(), v) for k, v in _SIGNATURES.items()), re.DOTALL)
_FIRST_FRAME: Final = re.compile(b"|".join(b"(?P<%s>%s)" % (k.encode(), v) for k, v in _FRAMES.items()))

LONGEST_SIGNATURE: Final = 12
"""Bytes of the longest signature."""


def is_container(data: bytes) -> bool:
    """Say whether audio that begins with `data` is in a container, and not raw samples."""
    return _ANYWHERE.match(data) is not None


def find_container(data: bytes) -> tuple[str, int] | None:
    """Return the name of FFmpeg's demuxer for the next container in `data` and where it begins, None if there is none.

    Frames without a header count only at the beginning.
    """
    found = _FIRST_FRAME.match(data) or _ANYWHERE.search(data)
    return None if found is None or found.lastgroup is None else (found.lastgroup, found.start())
