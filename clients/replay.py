"""Audio files and pipes as a microphone would have given them: PCM16 frames of 40 ms at 24 kHz, mono, in real time."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import BinaryIO, Final

import av
from av.audio.resampler import AudioResampler

SAMPLE_RATE: Final = 24_000
FRAME_BYTES: Final = SAMPLE_RATE * 40 // 1000 * 2


class AudioUnreadable(Exception):
    """What should have been audio cannot be opened or decoded."""


def decode(source: str) -> Iterator[bytes]:
    """Open a file of any format FFmpeg knows and give its audio in frames of `FRAME_BYTES`, the last one shorter.

    `-` is standard input: a WAV file, or PCM16 at 24 kHz, mono, with nothing around it. Raises `AudioUnreadable`, at
    once for what cannot be opened and later for what breaks off.
    """
    if source != "-":
        return _decode_container(source)
    return decode_stream(sys.stdin.buffer)


def decode_stream(stream: BinaryIO) -> Iterator[bytes]:
    """Decode a pipe; what `decode` says of standard input."""
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
    """Give each frame when its last sample would have come out of a microphone, or with `fast` as soon as asked.

    The clock is never restarted, so frames that were late do not delay those after them. Decoding, and waiting for a
    pipe, happen off the event loop.
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
    """A stream whose first bytes have been looked at. It cannot seek, and FFmpeg is told so by having no `seek`."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int) -> bytes:
        taken, self._head = self._head[:size], self._head[size:]
        return taken + self._stream.read(size - len(taken))


def _cut(pipe: _Pipe) -> Iterator[bytes]:
    """Raw samples; half a sample at the very end is dropped."""
    while frame := pipe.read(FRAME_BYTES):
        if whole := frame[: len(frame) // 2 * 2]:
            yield whole


def _decode_container(source: str | _Pipe) -> Iterator[bytes]:
    name = source if isinstance(source, str) else "standard input"
    try:
        container = av.open(source, "r")
    except (av.FFmpegError, OSError) as error:
        raise AudioUnreadable(f"cannot open {name}: {error.strerror}") from error
    if not container.streams.audio:
        container.close()
        raise AudioUnreadable(f"{name} has no audio")

    def frames() -> Iterator[bytes]:
        resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE, frame_size=FRAME_BYTES // 2)
        with container:
            try:
                for decoded in container.decode(audio=0):
                    for frame in resampler.resample(decoded):
                        yield frame.to_ndarray().tobytes()
                for frame in resampler.resample(None):
                    yield frame.to_ndarray().tobytes()
            except av.FFmpegError as error:
                raise AudioUnreadable(f"cannot decode {name}: {error.strerror}") from error

    return frames()
