"""Live streams as recorders in browsers write them, and how they are cut into chunks."""

from typing import Final, NamedTuple, cast

import av
import numpy as np

from realtime.audio.formats import SAMPLE_RATE, Encoding, Samples, encode
from realtime.media.live_decoding import decode_live
from realtime.media.records import Kind, Record


class Recorder(NamedTuple):
    """FFmpeg's muxer and encoder for a type of stream, and the options of the muxer."""

    muxer: str
    codec: str
    options: dict[str, str]
    sample_rate: int = 48_000


RECORDERS: Final = {
    "audio/webm": Recorder("webm", "libopus", {"live": "1", "cluster_time_limit": "30000"}),
    "audio/ogg": Recorder("ogg", "libopus", {"page_duration": "100000"}),
    "audio/mp4": Recorder(
        "mp4", "aac", {"movflags": "empty_moov+default_base_moof+frag_custom", "frag_duration": "100000"}
    ),
    "audio/mp4;codecs=opus": Recorder(
        "mp4", "libopus", {"movflags": "empty_moov+default_base_moof", "frag_duration": "100000"}
    ),
    "audio/aac": Recorder("adts", "aac", {}),
    "audio/mpeg": Recorder("mp3", "libmp3lame", {}),
    "audio/wav": Recorder("wav", "pcm_s16le", {}, SAMPLE_RATE),
}
"""Recorders by the type of what they write. One cluster of WebM holds half a minute, as in older browsers."""

LOSSLESS: Final = {
    "audio/webm;codecs=pcm": Recorder("matroska", "pcm_s16le", {"live": "1"}, SAMPLE_RATE),
    "audio/wav": RECORDERS["audio/wav"],
}
"""Recorders that keep what scripted engines hear, the level."""


_FRAME: Final = SAMPLE_RATE // 50
"""Samples of a frame that is encoded: 20 ms."""


class _Written(bytearray):
    """A file that can only be appended to, so that FFmpeg writes a stream."""

    def write(self, data: bytes) -> int:
        self.extend(data)
        return len(data)


def recorded(samples: Samples, media_type: str) -> bytes:
    """Return a live stream of samples at `SAMPLE_RATE`."""
    recorder, written = (RECORDERS | LOSSLESS)[media_type], _Written()
    resampler = av.AudioResampler(format="s16", layout="mono", rate=recorder.sample_rate)
    values = np.frombuffer(encode(samples, Encoding.PCM16), np.int16)
    with av.open(written, "w", format=recorder.muxer, options=recorder.options) as container:
        stream = cast("av.AudioStream", container.add_stream(recorder.codec, rate=recorder.sample_rate, layout="mono"))
        for start in range(0, len(values), _FRAME):
            frame = av.AudioFrame.from_ndarray(values[None, start : start + _FRAME], format="s16", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, start
            for resampled in resampler.resample(frame):
                container.mux(stream.encode(resampled))
        for resampled in resampler.resample(None):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return bytes(written)


def cut(data: bytes, size: int) -> list[bytes]:
    """Cut a stream into chunks of `size` bytes."""
    return [data[start : start + size] for start in range(0, len(data), size)]


class Decoded(NamedTuple):
    """What became of a stream: seconds of sound and of inserted silence, and other records."""

    sound: float
    silence: float
    others: list[Record]


def decoded(chunks: list[bytes]) -> Decoded:
    """Decode the chunks of a stream in this process."""
    waiting, sound, silence, others = iter(chunks), 0, 0, []

    def take(record: Record) -> None:
        nonlocal sound, silence
        match record.kind:
            case Kind.AUDIO:
                sound += len(record.payload) // 2
            case Kind.SILENCE:
                silence += int.from_bytes(record.payload)
            case Kind.TAKEN:
                pass
            case _:
                others.append(record)

    decode_live(lambda: next(waiting, b""), take)
    return Decoded(sound / SAMPLE_RATE, silence / SAMPLE_RATE, others)
