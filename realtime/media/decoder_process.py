"""The program of a process that decodes one file, run by `decoder_pool.py`, and the protocol between them.

FFmpeg's demuxers and codecs are a million lines of code that read untrusted input. Here they run in a process that has
one file and one socket, cannot open another file or connection, and has limits on memory and processor time; a crash
fails one upload. The program imports little but PyAV, so it starts quickly and holds no secrets.

Standard input is a Unix socket. It carries one message to the process: the processor seconds granted, with the
descriptor of the file (never its name). The process answers with records of a kind, a length and a payload; no more
than the socket's buffer is decoded ahead of the reader. The socket closes with the parent process: an orphan ends with
its next record, or when its processor time is used up.
"""

import io
import os
import resource
import signal
import socket
import sys
import time
import wave
from collections.abc import Iterator
from typing import IO, Final

import av

from realtime.media.containers import audio_decoder, open_container
from realtime.media.records import BLOCK_BYTES, HEADER, SAMPLE_RATE, Kind, Refused

_RATES: Final = range(4_000, 192_001)
"""Supported sample rates in hertz."""

_CHANNELS: Final = range(1, 9)
"""Supported numbers of channels."""

_MAX_MEMORY: Final = 256 * 1024 * 1024
"""Bytes of memory the process may allocate."""

_COUNTING_SECONDS: Final = 3.0
"""Seconds spent on counting packets before decoding starts."""


def main() -> None:
    """Wait for a file, decode it and exit."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # an orphan exits silently
    warm_up()
    link = socket.socket(fileno=sys.stdin.fileno())
    granted, descriptors, _, _ = socket.recv_fds(link, 64, 1)
    if not descriptors:
        return  # the parent closed the socket without sending a file
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
        _send(link, Kind.UNSUPPORTED, b"Decoding the file takes too much memory.")


def warm_up() -> None:
    """Decode a moment of silence, so that PyAV imports all of its modules before imports become impossible."""
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setparams((1, 2, 8_000, 0, "NONE", ""))
        recording.writeframes(bytes(1_600))
    assert length(file)
    assert list(blocks(file))


def confine(processor_seconds: int) -> None:
    """Set resource limits: no open files, no writes, no child processes, bounded memory and processor time.

    macOS accepts the limit on memory but does not enforce it.
    """
    for limit, value in (
        (resource.RLIMIT_DATA, _MAX_MEMORY),
        (resource.RLIMIT_CPU, processor_seconds),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def length(file: IO[bytes]) -> float:
    """Return the seconds of audio in the file by its packets, as many as can be counted in a few seconds.

    Packets are more reliable than the header, and a file that is far too long is refused before any work is done for
    it. Raises `Refused`.
    """
    deadline = time.monotonic() + _COUNTING_SECONDS
    units = 0
    container, stream, _ = _open(file)
    with container:
        try:
            for packet in container.demux(stream):
                units += max(0, packet.duration or 0)
                if time.monotonic() > deadline:
                    break
        except av.FFmpegError:
            pass  # the file is truncated
        return float(units * (stream.time_base or 0))


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the first audio stream as payloads of `Kind.AUDIO`, the last one shorter. A truncated file ends early.

    Raises `Refused`.
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
    """Yield frames at 16 kHz; the stream may change its rate or channels midway."""
    resampler, source = _new_resampler(), None
    for frame in _frames(file):
        _check(frame.sample_rate, frame.layout.nb_channels)
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source not in {None, form}:
            yield from resampler.resample(None)
            resampler = _new_resampler()
        source = form
        frame.pts = None
        yield from resampler.resample(frame)
    if source is not None:
        yield from resampler.resample(None)


def _new_resampler() -> av.AudioResampler:
    """Return a resampler to 16-bit mono: of FFmpeg's formats only integers are mixed without overflow."""
    return av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)


def _check(sample_rate: int, channels: int) -> None:
    """Refuse unusual rates and channel counts before resampling, which multiplies samples."""
    if sample_rate not in _RATES:
        raise Refused(f"A sample rate of {sample_rate} Hz is not supported.")
    if channels not in _CHANNELS:
        raise Refused(f"{channels} channels are not supported; the maximum is {_CHANNELS[-1]}.")


def _frames(file: IO[bytes]) -> Iterator[av.AudioFrame]:
    container, stream, decoder = _open(file)
    with container:
        try:
            for packet in container.demux(stream):
                yield from _decoded(decoder, packet)
        except av.FFmpegError:
            return  # the file is truncated


def _decoded(decoder: "av.AudioCodecContext", packet: "av.Packet[av.AudioStream]") -> list[av.AudioFrame]:
    """Return the frames of a packet, none if it is damaged."""
    try:
        return list(decoder.decode(packet))
    except av.FFmpegError:
        return []


def _open(file: IO[bytes]) -> "tuple[av.container.InputContainer, av.AudioStream, av.AudioCodecContext]":
    """Open the file from its beginning; return its container, its first audio stream and the decoder of that.

    Raises `Refused`.
    """
    container = open_container(file)
    stream = container.streams.audio[0]
    decoder = audio_decoder(file, stream)
    if decoder.sample_rate and decoder.channels:  # otherwise known with the first frame
        _check(decoder.sample_rate, decoder.channels)
    decoder.thread_type = "NONE"
    return container, stream, decoder


def _send(link: socket.socket, kind: Kind, payload: bytes = b"") -> None:
    link.sendall(HEADER.pack(kind, len(payload)) + payload)


if __name__ == "__main__":
    main()
