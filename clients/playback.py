"""Audio files and pipes in real time, like a microphone: mono PCM16 frames of 40 ms at 24 kHz."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.audio.resampler import AudioResampler

from clients.tracks import UnknownTrack, choose_track

SAMPLE_RATE: Final = 24_000
"""Sample rate in Hz."""

FRAME_BYTES: Final = SAMPLE_RATE * 40 // 1000 * 2
"""Bytes of one frame: 40 ms."""


class AudioUnreadable(Exception):
    """The audio cannot be opened or decoded."""


def decode(source: str, track: str | None = None) -> Iterator[bytes]:
    """Decode a file in any format that FFmpeg reads; yield frames of `FRAME_BYTES`, the last one shorter.

    Damaged parts of the file are left out. `-` is standard input, see `decode_stream`. `track` names an audio track,
    see `choose_track`. Raises `AudioUnreadable`: at once if the file cannot be opened or has no such track, during
    iteration if none of it can be decoded.
    """
    if source != "-":
        return _decode_container(source, track)
    return decode_stream(sys.stdin.buffer)


def decode_stream(stream: BinaryIO) -> Iterator[bytes]:
    """Decode a pipe that carries a WAV file, or headerless mono PCM16 at 24 kHz. Raises `AudioUnreadable`."""
    head = stream.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _decode_container(_Pipe(head, stream))
    return _cut(_Pipe(head, stream))


async def play(
    frames: Iterator[bytes],
    *,
    fast: bool = False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[bytes]:
    """Yield each frame when a microphone would have recorded its last sample, or with `fast` without waiting.

    Times are relative to the first frame, so a late frame does not delay the next ones. Decoding and reading from a
    pipe run in a thread.
    """
    started = clock()
    samples = 0
    while frame := await asyncio.to_thread(next, frames, b""):
        samples += len(frame) // 2
        ahead = started + samples / SAMPLE_RATE - clock()
        if not fast and ahead > 0:
            await sleep(ahead)
        yield frame


class _Pipe:
    """A stream whose first bytes have been read already. It has no `seek`, so FFmpeg does not try to seek."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int) -> bytes:
        data, self._head = self._head[:size], self._head[size:]
        return data + self._stream.read(size - len(data))


def _cut(pipe: _Pipe) -> Iterator[bytes]:
    """Split headerless PCM16 into frames; half a sample at the end is dropped."""
    while frame := pipe.read(FRAME_BYTES):
        if whole := frame[: len(frame) // 2 * 2]:
            yield whole


def _decode_container(source: str | _Pipe, track: str | None = None) -> Iterator[bytes]:
    name = source if isinstance(source, str) else "standard input"
    try:
        container = av.open(source, "r")
    except av.InvalidDataError as error:
        raise AudioUnreadable(f"cannot open {name}: it is no audio or video, or its beginning is damaged") from error
    except (av.FFmpegError, OSError) as error:
        raise AudioUnreadable(f"cannot open {name}: {error.strerror}") from error
    if not container.streams.audio:
        container.close()
        raise AudioUnreadable(f"{name} has no audio")
    try:
        readable_again = source if isinstance(source, str) and Path(source).is_file() else None
        chosen = choose_track(container.streams.audio, readable_again, track)
    except UnknownTrack as error:
        container.close()
        raise AudioUnreadable(f"{name} has {error}") from error
    return _frames(container, name, chosen)


def _frames(container: av.container.InputContainer, name: str, track: int) -> Iterator[bytes]:
    """Yield an audio track as frames; its rate and channels may change midway."""
    samples = bytearray()
    resampler, source = _new_resampler(), None
    with container:
        for decoded in _decoded(container, name, track):
            form = (decoded.format.name, decoded.layout.name, decoded.sample_rate)
            if source not in {None, form}:
                samples += _samples(resampler, None)
                resampler = _new_resampler()
            source = form
            decoded.pts = None  # gaps between timestamps are not filled
            samples += _samples(resampler, decoded)
            while len(samples) >= FRAME_BYTES:
                yield bytes(samples[:FRAME_BYTES])
                del samples[:FRAME_BYTES]
        if source is not None:
            samples += _samples(resampler, None)
    for start in range(0, len(samples), FRAME_BYTES):
        yield bytes(samples[start : start + FRAME_BYTES])


def _decoded(container: av.container.InputContainer, name: str, track: int) -> Iterator[av.AudioFrame]:
    """Decode around damaged packets, up to where the file ends or breaks off.

    Raises `AudioUnreadable` if nothing can be decoded.
    """
    error, any_frame = None, False
    try:
        for packet in container.demux(container.streams.audio[track]):
            try:
                frames = packet.decode()
            except av.FFmpegError as damage:
                error = damage
                continue
            any_frame = any_frame or bool(frames)
            yield from frames
    except av.FFmpegError as end:
        error = end
    if error is not None and not any_frame:
        raise AudioUnreadable(f"cannot decode {name}: {error.strerror}") from error


def _new_resampler() -> AudioResampler:
    return AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)


def _samples(resampler: AudioResampler, frame: av.AudioFrame | None) -> bytes:
    """Resample a frame, or with None the rest that the resampler holds."""
    return b"".join(each.to_ndarray().tobytes() for each in resampler.resample(frame))
