"""Decode a live stream to 16 kHz mono as its chunks arrive. Runs in a decoding process.

FFmpeg's demuxers pull: they call `read` when they have returned every packet that the bytes so far complete. So a call
without bytes left means that a chunk is decoded, and only then is the next one taken.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator

import av

from realtime.media.containers import audio_tracks, open_stream
from realtime.media.decoding import check_form
from realtime.media.framing.stream import Begin, End, StreamFraming
from realtime.media.records import BLOCK_BYTES, MAX_LIVE_SILENCE, SAMPLE_RATE, Kind, Record, Refused
from realtime.media.resampling import FrameResampler
from realtime.media.timeline import Timeline
from realtime.media.tracks import by_preference

Send = Callable[[Record], None]
ReceiveChunk = Callable[[], bytes]


def decode_live(receive: ReceiveChunk, send: Send) -> None:
    """Decode chunks until an empty one ends the stream, and send the records of each, `Kind.TAKEN` being the last.

    What cannot be decoded is refused and left out until another container begins.
    """
    source = _Source(receive, send)
    while demuxer := source.next_container():
        try:
            _decode_container(source, demuxer)
        except Refused as refusal:
            source.refuse(refusal)
        except av.FFmpegError:
            source.refuse(Refused("The audio cannot be decoded. The stream may be damaged."))
    source.finish_chunk()


class _Source:
    """The bytes of one container after another, as a file that FFmpeg reads, and the records of what it decodes."""

    def __init__(self, receive: ReceiveChunk, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._framing = StreamFraming()
        self._pieces: deque[Begin | End | bytes | Refused] = deque()
        self._audio = bytearray()
        self._damage = 0
        self._begun = False
        self._ended = False
        self._refused = False
        """Whether the container has been refused."""

    def next_container(self) -> str | None:
        """Wait for the next container, leave out what is before it, and return the name of its demuxer.

        None means that the stream has ended.
        """
        while piece := self._next():
            match piece:
                case Begin(demuxer):
                    self._refused = False
                    return demuxer
                case Refused():
                    self._refused = False
                    self.refuse(piece)
        return None

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, none at the end of the container."""
        match piece := self._next():
            case Begin() | End():
                self._pieces.appendleft(piece)
                return b""
            case Refused():
                self.refuse(piece)
                return b""
        if len(piece) > size:
            self._pieces.appendleft(piece[size:])
        return piece[:size]

    def add_audio(self, samples: bytes) -> None:
        self._audio += samples
        while len(self._audio) >= BLOCK_BYTES:
            self._send(Record(Kind.AUDIO, bytes(self._audio[:BLOCK_BYTES]), 1))
            del self._audio[:BLOCK_BYTES]

    def add_silence(self, samples: int) -> None:
        self._flush()
        self._send(Record(Kind.SILENCE, samples.to_bytes(8)))

    def refuse(self, refusal: Refused) -> None:
        """Report once why the container is left out, and wait for another one."""
        if self._refused:
            return
        self._refused = True
        self._flush()
        self._send(Record(refusal.kind, str(refusal).encode()))
        if not any(isinstance(piece, Begin) for piece in self._pieces):
            self._framing.end_container()

    def finish_chunk(self) -> None:
        """Send what the chunk has resulted in."""
        self._flush()
        if self._framing.skipped > self._damage:
            self._send(Record(Kind.DAMAGED, (self._framing.skipped - self._damage).to_bytes(8)))
            self._damage = self._framing.skipped
        self._send(Record(Kind.TAKEN))

    def _next(self) -> Begin | End | bytes | Refused:
        """Take the next piece, of the next chunk if need be; an empty one means that the stream has ended."""
        while not (self._pieces or self._ended):
            if self._begun:
                self.finish_chunk()
            self._begun = True
            chunk = self._receive()
            self._ended = not chunk
            self._pieces.extend(self._framing.feed(chunk))
        return self._pieces.popleft() if self._pieces else b""

    def _flush(self) -> None:
        if self._audio:
            self._send(Record(Kind.AUDIO, bytes(self._audio), 1))
            self._audio.clear()


def _decode_container(source: _Source, demuxer: str) -> None:
    """Decode until another container begins. Raises `Refused` and `av.FFmpegError`."""
    timeline: Timeline | None = None
    resampler: FrameResampler | None = None
    for frame in _frames(source, demuxer):
        timeline = timeline or Timeline(frame.time or 0.0)
        gap = timeline.add(frame.time, frame.samples / frame.sample_rate, None)
        frame.pts = None
        if resampler is not None and (gap > 0 or not resampler.takes(frame)):
            source.add_audio(resampler.resample(None).payload)
            resampler = None
        if gap > 0:
            source.add_silence(min(round(gap * SAMPLE_RATE), MAX_LIVE_SILENCE))
        resampler = resampler or FrameResampler(frame, mono=True)
        source.add_audio(resampler.resample(frame).payload)
    if resampler is not None:
        source.add_audio(resampler.resample(None).payload)


def _frames(source: _Source, demuxer: str) -> Iterator[av.AudioFrame]:
    """Yield the frames of the track that a player would choose, around damaged packets."""
    with open_stream(source, demuxer) as container:
        if not container.streams.audio:
            raise Refused("The stream has no audio track.", Kind.NO_AUDIO)
        stream = container.streams.audio[by_preference(audio_tracks(container))[0].index]
        decoder = stream.codec_context
        if decoder is None:
            raise Refused("The audio codec is not supported.")
        decoder.thread_type = "NONE"
        for packet in container.demux(stream):
            with contextlib.suppress(av.FFmpegError):
                for frame in decoder.decode(packet):
                    check_form(frame.sample_rate, frame.layout.nb_channels)
                    yield frame
