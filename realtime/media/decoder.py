"""The program of the process that decodes one upload, which `media.py` runs; it speaks the language defined here.

FFmpeg's demuxers and codecs are a million lines that read whatever strangers send. Here they work in a process that
has one file and one socket and can open nothing more, neither file nor connection, with a bound on memory and processor
time; what they do to it ends one upload. It imports nothing but PyAV, so that it starts quickly and holds no secret.

Standard input is a Unix socket. It brings one message, the processor seconds granted, and with it the descriptor of the
file (never a name). Back go records of a kind, a length and a payload, and the socket's buffer is all that is decoded
ahead of the reader. The socket closes with the parent; an orphan ends with its next record, or of its processor time.
"""

import contextlib
import functools
import io
import os
import resource
import signal
import socket
import struct
import sys
import time
import wave
from collections.abc import Iterator
from enum import IntEnum
from typing import IO, Final

import av

SAMPLE_RATE: Final = 16_000
BLOCK_BYTES: Final = 10 * SAMPLE_RATE * 2
"""Of a block, 10 s, and the most any record holds."""

HEADER: Final = struct.Struct("=BI")
"""Of a record: its kind, and the bytes that follow."""

_CONTAINERS: Final = "wav,mp3,flac,ogg,matroska,webm,mov,mp4,m4a,aac,aiff,amr"
_RATES: Final = range(4_000, 192_001)
_CHANNELS: Final = range(1, 9)
_MEMORY: Final = 256 * 1024 * 1024
_COUNTING_SECONDS: Final = 3.0


class Kind(IntEnum):
    """What the payload of a record is."""

    LENGTH = 1
    """Whole seconds of audio in the file, as an integer: counted without decoding, so there may be more."""
    AUDIO = 2
    """16-bit samples at 16 kHz, mono, in the machine's byte order."""
    END = 3
    """Nothing. The last record."""
    REFUSAL = 4
    """Why there is no (more) audio, as text for the client. The last record."""
    FOREIGN = 5
    """A refusal: the file is of no supported format."""
    SOUNDLESS = 6
    """A refusal: nothing in the file is audio."""


class Refused(Exception):
    """The file is not audio that is decoded here; the message is for the client."""

    def __init__(self, message: str, kind: Kind = Kind.REFUSAL) -> None:
        super().__init__(message)
        self.kind = kind


def main() -> None:
    """Wait for a file, decode it, end."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # an orphan has nobody to complain to
    rehearse()
    link = socket.socket(fileno=sys.stdin.fileno())
    granted, descriptors, _, _ = socket.recv_fds(link, 64, 1)
    if not descriptors:
        return  # the parent needs no decoder any more
    file = os.fdopen(descriptors[0], "rb", buffering=0)
    confine(int(granted))
    try:
        _send(link, Kind.LENGTH, int(length(file)).to_bytes(16))
        for block in blocks(file):
            _send(link, Kind.AUDIO, block)
        _send(link, Kind.END)
    except Refused as refusal:
        _send(link, refusal.kind, str(refusal).encode())
    except MemoryError:
        _send(link, Kind.REFUSAL, b"Decoding the file takes too much memory.")


def rehearse() -> None:
    """Decode a moment of silence: PyAV imports some of its modules only then, and once confined it cannot."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setparams((1, 2, 8_000, 0, "NONE", ""))
        recording.writeframes(bytes(1_600))
    assert length(file)
    assert list(blocks(file))


def confine(processor_seconds: int) -> None:
    """Give up for ever to open, write, or start anything, and to run for longer than that.

    macOS accepts the bound on memory and does not enforce it.
    """
    for limit, value in (
        (resource.RLIMIT_DATA, _MEMORY),
        (resource.RLIMIT_CPU, processor_seconds),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def length(file: IO[bytes]) -> float:
    """Seconds of audio in the file by its packets, which lie less than its header; as many as can be counted quickly.

    What is far too long can so be refused before anything was done for it. Raises `Refused`.
    """
    enough = time.monotonic() + _COUNTING_SECONDS
    units = 0
    with _opened(file) as container:
        stream = container.streams.audio[0]
        try:
            for packet in container.demux(stream):
                units += max(0, packet.duration or 0)
                if time.monotonic() > enough:
                    break
        except av.FFmpegError:
            pass  # the file breaks off here
        return float(units * (stream.time_base or 0))


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the first audio stream as payloads of `Kind.AUDIO`, the last one shorter. Raises `Refused`.

    A file that breaks off yields what there is of it.
    """
    block = bytearray()
    for frame in _resampled(file):
        block += memoryview(frame.planes[0])[: 2 * frame.samples]
        while len(block) >= BLOCK_BYTES:
            yield bytes(block[:BLOCK_BYTES])
            del block[:BLOCK_BYTES]
    if block:
        yield bytes(block)


def _resampled(file: IO[bytes]) -> Iterator[av.AudioFrame]:
    """Frames at 16 kHz; a stream may change its rate or channels midway."""
    resampler, source = _to_recognition(), None
    for frame in _frames(file):
        _check(frame.sample_rate, frame.layout.nb_channels)
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source not in {None, form}:
            yield from resampler.resample(None)
            resampler = _to_recognition()
        source = form
        frame.pts = None
        yield from resampler.resample(frame)
    if source is not None:
        yield from resampler.resample(None)


def _to_recognition() -> av.AudioResampler:
    """16 bits rather than floats, because FFmpeg keeps only a mix of integers from overflowing."""
    return av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)


def _check(sample_rate: int, channels: int) -> None:
    """Resampling multiplies samples, so refuse before it what no recording has."""
    if sample_rate not in _RATES:
        raise Refused(f"A sample rate of {sample_rate} Hz is out of range.")
    if channels not in _CHANNELS:
        raise Refused(f"{channels} channels are not between {_CHANNELS[0]} and {_CHANNELS[-1]}.")


def _frames(file: IO[bytes]) -> Iterator[av.AudioFrame]:
    with _opened(file) as container:
        try:
            for packet in container.demux(container.streams.audio[0]):
                yield from _decoded(packet)
        except av.FFmpegError:
            return  # the file breaks off here


def _decoded(packet: av.Packet) -> list[av.AudioFrame]:
    """The frames of a packet, none if it is damaged."""
    try:
        return list(packet.decode())
    except av.FFmpegError:
        return []


def _opened(file: IO[bytes]) -> av.container.InputContainer:
    """The file from its beginning, as one of the containers above: a playlist would make FFmpeg open files and sockets.

    Raises `Refused`, also where there is no audio in it.
    """
    file.seek(0)
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "", "codec_whitelist": _audio_codecs()}
    try:
        container = av.open(file, "r", options=options, metadata_errors="ignore")
    except av.FFmpegError:
        supported = _CONTAINERS.replace(",", ", ")
        raise Refused(f"Invalid file format. Supported formats: {supported}.", Kind.FOREIGN) from None
    if not container.streams.audio:
        raise Refused("The file has no audio stream.", Kind.SOUNDLESS)
    codec = container.streams.audio[0].codec_context
    if codec is None:
        raise Refused("The audio's codec is not supported.")
    if codec.sample_rate and codec.channels:  # else the frames will tell
        _check(codec.sample_rate, codec.channels)
    codec.thread_type = "NONE"
    return container


@functools.cache
def _audio_codecs() -> str:
    """All decoders of audio: those of pictures would be run merely to describe the file."""
    names = []
    for name in av.codecs_available:
        with contextlib.suppress(av.codec.codec.UnknownCodecError):  # it only encodes
            if av.Codec(name, "r").type == "audio":
                names.append(name)
    return ",".join(names)


def _send(link: socket.socket, kind: Kind, payload: bytes = b"") -> None:
    link.sendall(HEADER.pack(kind, len(payload)) + payload)


if __name__ == "__main__":
    main()
