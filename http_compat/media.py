"""Uploads decoded to 16 kHz mono, block by block: a file is never held in memory as samples.

Uploads are hostile until proven otherwise. FFmpeg is given an open file and never a name; it may use only the
containers listed here and no protocol, since a playlist or session description would make it open files and sockets.
Rates and channels are checked before resampling, which multiplies samples; seconds are counted while decoding, because
a container's own duration may lie and silence compresses a thousandfold.
"""

from collections.abc import Iterator
from typing import IO, Final

import av
import numpy as np

from realtime.audio import SAMPLE_RATE, Samples
from realtime.errors import TooLarge, UnsupportedAudio

_CONTAINERS: Final = "wav,mp3,flac,ogg,matroska,webm,mov,mp4,m4a,aac,aiff,amr"
_OPTIONS: Final = {"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}
_RATES: Final = range(4_000, 192_001)
_CHANNELS: Final = range(1, 9)
_BLOCK: Final = 10 * SAMPLE_RATE
_FULL_SCALE: Final = 32_768
_INVALID: Final = f"Invalid file format. Supported formats: {_CONTAINERS.replace(',', ', ')}."


def decode(file: IO[bytes], max_seconds: float) -> Iterator[Samples]:
    """Yield the first audio stream in blocks of about 10 s, the last one shorter. Blocking.

    A file that breaks off yields what there is of it. Raises `UnsupportedAudio` for what is not audio and `TooLarge`
    once more than `max_seconds` have been decoded.
    """
    block: list[Samples] = []
    waiting = total = 0
    for samples in _resampled(file):
        block.append(samples)
        waiting += len(samples)
        total += len(samples)
        if total > max_seconds * SAMPLE_RATE:
            raise TooLarge(f"The audio is longer than {max_seconds:g} seconds.", param="file")
        if waiting >= _BLOCK:
            yield np.concatenate(block)
            block, waiting = [], 0
    if block:
        yield np.concatenate(block)


def _resampled(file: IO[bytes]) -> Iterator[Samples]:
    """Samples at 16 kHz, frame by frame; a stream may change its rate or channels midway."""
    resampler, source = _to_recognition(), None
    for frame in _frames(file):
        if frame.sample_rate not in _RATES:
            raise UnsupportedAudio(f"A sample rate of {frame.sample_rate} Hz is out of range.", param="file")
        if frame.layout.nb_channels not in _CHANNELS:
            raise UnsupportedAudio(f"{frame.layout.nb_channels} channels are too many.", param="file")
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source not in {None, form}:
            yield from _samples(resampler.resample(None))
            resampler = _to_recognition()
        source = form
        frame.pts = None
        yield from _samples(resampler.resample(frame))
    if source is not None:
        yield from _samples(resampler.resample(None))


def _to_recognition() -> av.AudioResampler:
    """16 bits rather than floats, because FFmpeg keeps only a mix of integers from overflowing."""
    return av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)


def _samples(frames: list[av.AudioFrame]) -> Iterator[Samples]:
    for frame in frames:
        yield frame.to_ndarray()[0].astype(np.float32) / np.float32(_FULL_SCALE)


def _frames(file: IO[bytes]) -> Iterator[av.AudioFrame]:
    try:
        container = av.open(file, "r", options=_OPTIONS, metadata_errors="ignore")
    except av.FFmpegError as error:
        raise UnsupportedAudio(_INVALID, param="file") from error
    with container:
        if not container.streams.audio:
            raise UnsupportedAudio("The file has no audio stream.", param="file")
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise UnsupportedAudio("The audio's codec is not supported.", param="file")
        try:
            for packet in container.demux(stream):
                yield from _decoded(packet)
        except av.FFmpegError:
            return  # the file breaks off here


def _decoded(packet: av.Packet) -> list[av.AudioFrame]:
    """The frames of a packet, none if it is damaged."""
    try:
        return list(packet.decode())
    except av.FFmpegError:
        return []
