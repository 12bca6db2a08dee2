"""What users pass as audio: the file of a recording, its contents, samples, or what yields samples."""

import io
import re
from collections.abc import AsyncIterable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from os import PathLike, fspath
from pathlib import PurePath
from typing import BinaryIO, Final, Protocol, TypeAlias, TypeGuard, cast


class Samples(Protocol):
    """Samples in memory: a `memoryview`, an `array` or an array of NumPy."""

    def tobytes(self) -> bytes:
        """Return the samples as bytes."""


Piece: TypeAlias = "bytes | bytearray | Samples"
"""PCM16 of one channel: bytes of any length, or samples of 16 bits."""

Pcm: TypeAlias = "Piece | BinaryIO | AsyncIterable[Piece] | Iterable[Piece]"
"""PCM16, whole or in pieces, or a file object that holds nothing else. An iterable may block; it runs in a thread."""

Recording: TypeAlias = "str | PathLike[str] | bytes | bytearray | BinaryIO"
"""The path of a file, its contents, or a binary file object that can seek; it is read from where it is."""

Source: TypeAlias = "Recording | Pcm"

HEAD_BYTES: Final = 4096
"""Bytes by which a container is known: two frames of MP3 or AAC, or a signature."""

TEXT_BYTES: Final = 64
"""Bytes by which text is known: 32 samples of audio in a row are not all loud and positive, with such lower bytes."""

_PRINTABLE: Final = bytes([*range(0x20, 0x7F), *b"\t\n\r"])

_BLOCK_BYTES: Final = 8192

_SIGNATURES: Final = re.compile(
    rb"(?:RIFF|RF64)....(?:WAVE|AVI )|fLaC|OggS\0|\x1a\x45\xdf\xa3|....ftyp|ID3[\x02-\x04]|FORM....AIF[FC]|\.snd\0\0"
    rb"|caff\0|#!AMR|riff\x2e\x91\xcf\x11|\x30\x26\xb2\x75\x8e\x66\xcf\x11|FLV\x01|wvpk|TTA1|\0\0\x01\xba"
    rb"|Creative Voice File",
    re.DOTALL,
)
"""First bytes of the containers that the server reads, which samples have by chance only."""

_KBIT: Final = {
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES: Final = (44_100, 48_000, 32_000)


def is_container(data: bytes) -> bool:
    """Say whether data begin as the file of a recording, and not as samples."""
    if _SIGNATURES.match(data):
        return True
    size = _frame_bytes(data[:7])
    following = data[size : size + 2]
    return size > 0 and len(following) == 2 and (following[0], following[1] | 1) == (data[0], data[1] | 1)


def is_text(data: bytes) -> bool:
    """Say whether data, `TEXT_BYTES` at least, are printable ASCII, and not samples."""
    return len(data) >= TEXT_BYTES and not data.translate(None, _PRINTABLE)


def _frame_bytes(header: bytes) -> int:
    """Return the length of a frame of MP3 or AAC (ADTS) that begins with `header`, 0 if it is none."""
    if len(header) < 7 or header[0] != 0xFF or header[1] < 0xE0:
        return 0
    if header[1] & 0xF6 == 0xF0:
        return (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    version, layer, bitrate, rate = header[1] >> 3 & 3, header[1] >> 1 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer != 1 or bitrate in {0, 15} or rate == 3:
        return 0
    kbit = _KBIT[3 if version == 3 else 2][bitrate - 1]
    hertz = _MP3_RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    return (144_000 if version == 3 else 72_000) * kbit // hertz + (header[2] >> 1 & 1)


def is_recording(source: object) -> TypeGuard[Recording]:
    """Say whether a source is a recording: a path, or contents or a file object that begin as one."""
    match source:
        case str() | PathLike():
            return True
        case bytes() | bytearray():
            return is_container(bytes(source[:HEAD_BYTES]))
        case _ if _is_file(source):
            _check_binary(source)
            if not source.seekable():
                return False
            begin = source.tell()
            head = source.read(HEAD_BYTES)
            source.seek(begin)
            return is_container(head)
        case _:
            return False


@contextmanager
def open_recording(recording: object) -> Iterator[tuple[BinaryIO, str]]:
    """Yield the file of a recording, and a name for it; afterwards a file object is where it was.

    Raises:
        OSError: The file cannot be read.
        TypeError: It is no recording.
    """
    match recording:
        case str() | PathLike():
            with open(recording, "rb") as file:  # noqa: PTH123 - any path
                yield file, PurePath(fspath(recording)).name
        case bytes() | bytearray():
            yield io.BytesIO(recording), "recording"
        case _ if _is_file(recording):
            _check_binary(recording)
            if not recording.seekable():
                raise TypeError("a recording is a file object that can seek, not a pipe: read it, and pass the bytes")
            begin = recording.tell()
            try:
                yield recording, "recording"
            finally:
                recording.seek(begin)
        case _:
            kinds = "the path of a file, its contents as bytes, or a file that is open for bytes"
            raise TypeError(f"a recording is {kinds}, not {_named(recording)}")


def pieces_of(source: object) -> AsyncIterable[Piece] | Iterable[Piece]:
    """Return what yields the samples of a source, before any is read. Raises `TypeError` if there can be none."""
    if _is_file(source):
        _check_binary(source)
        return iter(partial(getattr(source, "read1", source.read), _BLOCK_BYTES), b"")
    if isinstance(source, bytes | bytearray) or _view_of(source) is not None:
        return [pcm_of(source)]
    if isinstance(source, AsyncIterable | Iterable) and not isinstance(source, str | PathLike):
        return cast("AsyncIterable[Piece] | Iterable[Piece]", source)
    kinds = "PCM16 as bytes or samples of 16 bits, a file object, anything that yields such pieces"
    raise TypeError(f"a source is {kinds}, or for captions the path of a file, not {_named(source)}")


def pcm_of(piece: object) -> bytes:
    """Return PCM16 as bytes. Raises `TypeError` for anything but bytes and one row of samples of 16 bits."""
    view = _view_of(piece)
    if view is None:
        raise TypeError(f"a source yields PCM16 as bytes or samples of 16 bits, not {_named(piece)}")
    shape = view.shape or ()
    if view.nbytes != max(shape) * view.itemsize:
        raise TypeError(f"a source yields samples of one channel, not an array of {' x '.join(map(str, shape))}")
    if view.format.lstrip("<=@") not in {"h", "B", "b", "c"}:
        hint = "; those of floats are (samples * 32767).astype('int16')" if view.format[-1] in "efd" else ""
        raise TypeError(f"a source yields samples of 16 bits, not {getattr(piece, 'dtype', view.format)}{hint}")
    return view.tobytes()


class PcmReader:
    """Takes the pieces of a source, which may be anything, and returns them as bytes.

    It refuses what is no PCM16: by `TypeError` as `pcm_of`, and by `ValueError` text and a file that comes piece by
    piece.
    """

    def __init__(self) -> None:
        self._head = b""

    def read(self, piece: object) -> bytes:
        """Return one piece as bytes."""
        pcm = pcm_of(piece)
        if len(self._head) < HEAD_BYTES:
            self._head += pcm[: HEAD_BYTES - len(self._head)]
            if is_text(self._head):
                raise ValueError("the source is text, not PCM16; of a file of audio, captions take the path")
            if is_container(self._head):
                kinds = "the path of the file, its contents as bytes, or the open file; or decode it"
                raise ValueError(f"the source is an encoded file in pieces, not PCM16. Captions take {kinds}")
        return pcm


def _view_of(source: object) -> memoryview | None:
    """Return the memory of bytes or samples, None for anything else and for a single sample of NumPy."""
    try:
        view = memoryview(source)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return view if view.ndim else None


def _is_file(source: object) -> TypeGuard[BinaryIO]:
    return hasattr(source, "read") and hasattr(source, "seekable")


def _check_binary(file: BinaryIO) -> None:
    if isinstance(file, io.TextIOBase):
        raise TypeError("a file of audio is open for bytes ('rb'), not for text")


def _named(given: object) -> str:
    """Return the type of an argument; functions are mostly meant to be called."""
    name = type(given).__name__
    return f"{name} ({getattr(given, '__name__', 'it')} is not called)" if callable(given) else name
