"""Decode one file to 16 kHz on the timeline that a player would show. Runs in a decoding process."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Final, NamedTuple, TypeVar

import av

from realtime.media.containers import audio_decoder, audio_tracks, open_container
from realtime.media.records import BLOCK_BYTES, MAX_CHANNELS, SAMPLE_RATE, Kind, Record, Refused
from realtime.media.resampling import FrameResampler
from realtime.media.timeline import Timeline
from realtime.media.tracks import AudioTrack, by_preference

_RATES: Final = range(4_000, 192_001)
"""Supported sample rates in hertz."""

_COUNTING_SECONDS: Final = 3.0
"""Seconds spent on counting packets before decoding starts."""

_FROM_ZERO: Final = frozenset({"mov", "matroska"})
"""Demuxers of containers with a timeline of their own, on which all streams may begin later than 0.

Elsewhere timestamps begin anywhere, and players show the time since the first.
"""

_TIMED: Final = _FROM_ZERO | {"ogg", "asf", "flv", "mpegts", "mpeg"}
"""Demuxers whose timestamps are in the file. Others count samples, and count wrong where the sample rate changes."""

_MP3_DELAY: Final = 1_105
"""Samples of delay of MP3 that no LAME tag states: 576 of most encoders and 529 of every decoder.

That of AAC and WMA is at least one frame.
"""

_START_TOLERANCE: Final = 0.01
"""Seconds by which the first timestamp may differ from the beginning of the file."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file says before decoding.

    Attributes:
        tracks: The audio tracks.
        chosen: Index of the one that is decoded.
        seconds: Length of the audio with its gaps, as far as it could be counted in a few seconds.
        use_timestamps: Whether the timestamps are plausible.
    """

    tracks: tuple[AudioTrack, ...]
    chosen: int
    seconds: float
    use_timestamps: bool


class _Piece(NamedTuple):
    """A decoded frame, its timestamp in seconds, and what the packets up to it say.

    Attributes:
        began: Timestamp of the first packet.
        delay_declared: The file tells FFmpeg which samples to skip.
    """

    frame: av.AudioFrame
    time: float | None
    began: float | None
    delay_declared: bool


def survey(file: IO[bytes], track: int | None = None) -> Survey:
    """List the audio tracks, and count the packets of one, which is more reliable than the header of the file.

    A file that is far too long is refused before any work is done for it. Without `track`, the one that a player would
    choose is taken. Raises `Refused`.
    """
    deadline = time.monotonic() + _COUNTING_SECONDS
    container = open_container(file)
    tracks = audio_tracks(container)
    chosen = by_preference(tracks)[0].index if track is None else track
    stream, _ = _stream(file, container, chosen)
    timeline = Timeline(_origin(container))
    unit = float(stream.time_base or 0)
    with container, contextlib.suppress(av.FFmpegError):  # the file may be truncated
        packets = (
            (None if packet.pts is None else packet.pts * unit, max(0, packet.duration or 0) * unit)
            for packet in container.demux(stream)
        )
        for (start, duration), following in _with_next(packets):
            timeline.add(start, duration, following[0] if following else None)
            if time.monotonic() > deadline:
                break
    use_timestamps = timeline.plausible and _demuxer(container) in _TIMED
    return Survey(tracks, chosen, timeline.seconds if use_timestamps else timeline.audio, use_timestamps)


def records(file: IO[bytes], track: int, *, use_timestamps: bool) -> Iterator[Record]:
    """Yield an audio track as records of `Kind.AUDIO` and `Kind.SILENCE`. A truncated file ends early.

    Raises `Refused`.
    """
    block, channels = bytearray(), 1
    for part in _resampled(file, track, use_timestamps=use_timestamps):
        if block and (part.kind is Kind.SILENCE or part.channels != channels):
            yield Record(Kind.AUDIO, bytes(block), channels)
            block.clear()
        if part.kind is Kind.SILENCE:
            yield part
            continue
        block += part.payload
        channels = part.channels
        size = BLOCK_BYTES * channels
        while len(block) >= size:
            yield Record(Kind.AUDIO, bytes(block[:size]), channels)
            del block[:size]
    if block:
        yield Record(Kind.AUDIO, bytes(block), channels)


def _resampled(file: IO[bytes], track: int, *, use_timestamps: bool) -> Iterator[Record]:
    """Yield records of any size; the stream may change its rate or channels midway."""
    container = open_container(file)
    stream, decoder = _stream(file, container, track)
    timeline: Timeline | None = None
    resampler: FrameResampler | None = None
    with container:
        for piece, following in _with_next(_pieces(container, stream, decoder)):
            frame = piece.frame
            times = (piece.time, following and following.time) if use_timestamps else (None, None)
            if timeline is None:
                origin = _origin(container)
                timeline = Timeline(origin + _undeclared_delay(piece, decoder, origin))
                times = times if use_timestamps else (origin, None)
            gap = round(timeline.add(times[0], frame.samples / frame.sample_rate, times[1]) * SAMPLE_RATE)
            if resampler is not None and (gap or not resampler.takes(frame)):
                yield resampler.resample(None)
                resampler = None
            if gap > 0:
                yield Record(Kind.SILENCE, gap.to_bytes(8))
            resampler = resampler or FrameResampler(frame, drop=max(0, -gap))
            yield resampler.resample(frame)
    if resampler is not None:
        yield resampler.resample(None)


def _pieces(
    container: av.container.InputContainer, stream: av.AudioStream, decoder: av.AudioCodecContext
) -> Iterator[_Piece]:
    """Decode around damaged packets, up to where the file ends or breaks off."""
    began, delay_declared = None, False
    with contextlib.suppress(av.FFmpegError):
        for packet in container.demux(stream):
            if began is None and packet.pts is not None:
                began = float(packet.pts * (stream.time_base or 0))
            delay_declared = delay_declared or packet.has_sidedata("skip_samples")
            with contextlib.suppress(av.FFmpegError):
                for frame in decoder.decode(packet):
                    check_form(frame.sample_rate, frame.layout.nb_channels)
                    start, frame.pts = frame.time, None
                    yield _Piece(frame, start, began, delay_declared)


def _undeclared_delay(first: _Piece, decoder: av.AudioCodecContext, origin: float) -> float:
    """Return the delay of the encoder in seconds, where the file begins with it and does not say so.

    Elsewhere FFmpeg has removed it, or it is part of the timestamps.
    """
    if first.delay_declared or (first.began or origin) > origin + _START_TOLERANCE:
        return 0.0
    frame = first.frame.samples
    delays = {"aac": frame, "wmav1": frame, "wmav2": frame, "mp3float": _MP3_DELAY}
    return delays.get(decoder.name, 0) / first.frame.sample_rate


def _origin(container: av.container.InputContainer) -> float:
    """Return the timestamp in seconds at which a player shows the time 0."""
    if _demuxer(container) in _FROM_ZERO or container.start_time is None:
        return 0.0
    return container.start_time / av.time_base


def _demuxer(container: av.container.InputContainer) -> str:
    return container.format.name.partition(",")[0]


def _with_next(items: Iterable[T]) -> Iterator[tuple[T, T | None]]:
    """Yield every item with the one after it, None after the last."""
    iterator = iter(items)
    item = next(iterator, None)
    while item is not None:
        following = next(iterator, None)
        yield item, following
        item = following


def check_form(sample_rate: int, channels: int) -> None:
    """Refuse unusual rates and channel counts before resampling, which multiplies samples."""
    if sample_rate not in _RATES:
        raise Refused(f"A sample rate of {sample_rate} Hz is not supported.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise Refused(f"{channels} channels are not supported; the maximum is {MAX_CHANNELS}.")


def _stream(
    file: IO[bytes], container: av.container.InputContainer, track: int
) -> tuple[av.AudioStream, av.AudioCodecContext]:
    """Return the stream of a track and its decoder. Raises `Refused`."""
    stream = container.streams.audio[track]
    decoder = audio_decoder(file, stream)
    # Of uncompressed audio the header says it; for other codecs it may be known with the first frame only.
    if decoder.name.startswith(("pcm_", "adpcm_")) or (decoder.sample_rate and decoder.channels):
        check_form(decoder.sample_rate, decoder.channels)
    decoder.thread_type = "NONE"
    return stream, decoder
