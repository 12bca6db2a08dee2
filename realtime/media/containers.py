"""Open an audio or video file as one of the supported containers, and find out why one cannot be opened."""

import codecs
import contextlib
import functools
import io
from typing import IO, Final, cast

import av
from av.stream import Disposition

from realtime.media.records import Kind, Refused
from realtime.media.tracks import MAX_TRACKS, AudioTrack

_DEMUXERS: Final = {
    "wav": "wav",
    "mp3": "mp3",
    "flac": "flac",
    "ogg": "ogg",
    "matroska": "matroska",
    "webm": "webm",
    "mov": "mov",
    "mp4": "mp4",
    "m4a": "m4a",
    "3gp": "3gp",
    "aac": "aac",
    "aiff": "aiff",
    "amr": "amr",
    "caf": "caf",
    "au": "au",
    "w64": "w64",
    "wma": "asf",
    "avi": "avi",
    "flv": "flv",
    "mpeg": "mpeg",
    "ts": "mpegts",
    "wavpack": "wv",
    "tta": "tta",
    "ac3": "ac3",
    "voc": "voc",
}
"""FFmpeg's demuxers of the supported formats. None of them follows a reference to another file."""

_BIG_ENDIAN: Final = {f"pcm_{sample}le": f"pcm_{sample}be" for sample in ("s16", "s24", "s32", "s64", "f32", "f64")}
"""Decoders by those that FFmpeg takes for a RIFX file, of which it reads only the header as big-endian."""

_SECONDARY: Final = (
    Disposition.comment
    | Disposition.karaoke
    | Disposition.visual_impaired
    | Disposition.clean_effects
    | Disposition.dependent
)
"""Flags of tracks that accompany another one."""

_MP4_BOXES: Final = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip"})
"""Types of the boxes that an MP4 or MOV file begins with (ISO/IEC 14496-12)."""

_MAX_BLANKS: Final = 64
"""Bytes before the signature of a file in which a byte order mark and blanks are skipped; a few occur."""

_MAX_BOXES: Final = 64
"""Boxes of an MP4 file that are looked at for its index. A complete file has a few before it."""


def open_container(file: IO[bytes]) -> av.container.InputContainer:
    """Open the file from its beginning as one of the supported containers, and check that it has audio.

    Other formats are not even tried: a playlist would make FFmpeg open files and sockets. Raises `Refused`.
    """
    container = _opened(file)
    if container is None and (start := _start(file)):
        container = _opened(cast("IO[bytes]", _Rest(file, start)))
    if container is not None and container.streams.audio:
        return container
    if _lacks_index(file):
        message = "The file is incomplete: its index (the `moov` box) is missing, which recorders write last."
        raise Refused(message, Kind.INVALID_FORMAT)
    if container is not None:
        raise Refused("The file has no audio stream.", Kind.NO_AUDIO)
    supported = f"Supported formats: {', '.join(_DEMUXERS)}; samples without a header are not recognized."
    raise Refused(f"Invalid file format. {supported}", Kind.INVALID_FORMAT)


def audio_tracks(container: av.container.InputContainer) -> tuple[AudioTrack, ...]:
    """Return the audio tracks of a container, which are as many as are considered."""
    return tuple(
        AudioTrack(
            index,
            "" if stream.language in {None, "und"} else str(stream.language),
            stream.metadata.get("title", ""),
            default=bool(stream.disposition & Disposition.default),
            secondary=bool(stream.disposition & _SECONDARY) or stream.codec_context is None,
        )
        for index, stream in enumerate(container.streams.audio[:MAX_TRACKS])
    )


def audio_decoder(file: IO[bytes], stream: av.AudioStream) -> av.AudioCodecContext:
    """Return the decoder of a stream of the file. Raises `Refused` if FFmpeg has none."""
    decoder = stream.codec_context
    if decoder is None:
        raise Refused("The audio codec is not supported.")
    if decoder.name in _BIG_ENDIAN and stream.container.format.name == "wav" and _is_big_endian(file):
        swapped = cast("av.AudioCodecContext", av.CodecContext.create(_BIG_ENDIAN[decoder.name], "r"))
        swapped.sample_rate, swapped.layout = decoder.sample_rate, decoder.layout
        return swapped
    return decoder


def _opened(file: IO[bytes]) -> av.container.InputContainer | None:
    """Open the file, or return None if it is in no supported format."""
    file.seek(0)
    try:
        return open_stream(file)
    except av.FFmpegError:
        return None


def open_stream(file: object, demuxer: str | None = None) -> av.container.InputContainer:
    """Open what `file.read` returns as a container of any supported format.

    With `demuxer`, it is opened as the container that this one reads, and described by its first frame: a live stream
    shall not wait for more. Raises `av.FFmpegError`.
    """
    options = {
        "format_whitelist": ",".join(_DEMUXERS.values()),
        "protocol_whitelist": "",
        "codec_whitelist": _audio_codecs(),
    }
    if demuxer is not None:
        options["analyzeduration"] = "1"  # in microseconds
    return av.open(file, "r", format=demuxer, options=options, metadata_errors="ignore")


@functools.cache
def _audio_codecs() -> str:
    """Return the names of all audio decoders; without this list FFmpeg would decode pictures to describe the file."""
    names = []
    for name in av.codecs_available:
        with contextlib.suppress(av.codec.codec.UnknownCodecError):  # an encoder only
            if av.Codec(name, "r").type == "audio":
                names.append(name)
    return ",".join(names)


def _is_big_endian(file: IO[bytes]) -> bool:
    """Say whether a WAV file is a RIFX file; the position in the file stays."""
    position = file.seek(0, 1)
    file.seek(_start(file))
    magic = file.read(4)
    file.seek(position)
    return magic == b"RIFX"


class _Rest(io.RawIOBase):
    """The part of a file after its first bytes."""

    def __init__(self, file: IO[bytes], start: int) -> None:
        self._file = file
        self._start = start

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset + self._start if whence == 0 else offset, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start


def _start(file: IO[bytes]) -> int:
    """Return the size of what precedes the signature of the file: an ID3v2 tag, or a byte order mark and blanks.

    FFmpeg skips a tag itself before formats that define it, such as MP3 and FLAC; some programs write one before WAV.
    Byte order marks and line breaks come from programs that write a file as text.
    """
    file.seek(0)
    head = file.read(_MAX_BLANKS)
    if len(head) < 10 or head[:3] != b"ID3":
        return len(head) - len(head.removeprefix(codecs.BOM_UTF8).lstrip())
    size = functools.reduce(lambda total, byte: total << 7 | byte & 0x7F, head[6:10], 0)
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _lacks_index(file: IO[bytes]) -> bool:
    """Say whether this is an MP4 or MOV file that ends before its index or within it."""
    end, position = file.seek(0, 2), 0
    for _ in range(_MAX_BOXES):
        file.seek(position)
        head = file.read(16)
        size, name = int.from_bytes(head[:4]), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16])
        if position == 0 and name not in _MP4_BOXES:
            return False
        if size == 0 or position + size >= end:  # a size of 0 is the rest of the file
            return name != b"moov" or position + size > end
        if size < 8 or name == b"moov":
            return False
        position += size
    return False
