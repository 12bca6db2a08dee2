"""Generated recordings: tones, silence, and files of them."""

import io
import struct
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Encoding, Samples, encode


def tone(seconds: float, frequency: float = 440.0, sample_rate: int = SAMPLE_RATE) -> Samples:
    times = np.arange(round(seconds * sample_rate)) / sample_rate
    return (0.3 * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def silence(seconds: float, sample_rate: int = SAMPLE_RATE) -> Samples:
    return np.zeros(round(seconds * sample_rate), np.float32)


def wav_file(samples: Samples, sample_rate: int = SAMPLE_RATE, channels: int = 1) -> bytes:
    """Return a PCM16 WAV file with the same samples in every channel."""
    return channels_file(*[samples] * channels, sample_rate=sample_rate)


def channels_file(*channels: Samples, sample_rate: int = SAMPLE_RATE) -> bytes:
    """Return a PCM16 WAV file with these channels, which are equally long."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(len(channels))
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(encode(np.stack(channels, axis=1).reshape(-1), Encoding.PCM16))
    return file.getvalue()


def rifx_file(samples: Samples, bits: int, values: str) -> bytes:
    """Return a big-endian PCM WAV file at 16 kHz; `values` is the NumPy type of its samples."""
    audio: bytes = (samples.astype(np.float64) * 2 ** (bits - 1)).astype(values).tobytes()
    size = bits // 8
    form = struct.pack(">4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * size, size, bits)
    chunks = b"WAVE" + form + struct.pack(">4sI", b"data", len(audio)) + audio
    return struct.pack(">4sI", b"RIFX", len(chunks)) + chunks


def compressed_file(samples: Samples, muxer: str, codec: str, sample_rate: int = SAMPLE_RATE) -> bytes:
    """Return a file encoded by FFmpeg."""
    return timed_file(samples, muxer, codec, (0.0,), sample_rate)


def timed_file(
    samples: Samples, muxer: str, codec: str, times: Sequence[float], sample_rate: int = SAMPLE_RATE
) -> bytes:
    """Return a file encoded by FFmpeg whose packets are shifted, by `times` seconds in as many parts of equal size."""
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        stream = container.add_stream(codec, rate=sample_rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(_values(samples)[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = sample_rate, 0
        packets = [*stream.encode(frame), *stream.encode(None)]
        for number, packet in enumerate(packets):
            shift = times[number * len(times) // len(packets)]
            assert packet.pts is not None
            packet.pts = packet.dts = packet.pts + round(shift * sample_rate)
            container.mux(packet)
    return file.getvalue()


def tracks_file(
    tracks: Sequence[Samples],
    muxer: str = "matroska",
    languages: Sequence[str] = (),
    default: int | None = None,
    codec: str = "aac",
) -> bytes:
    """Return a file with several audio tracks; without `default`, the muxer marks the first or all."""
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        streams = [cast("av.AudioStream", container.add_stream(codec, rate=SAMPLE_RATE, layout="mono")) for _ in tracks]
        for stream, language in zip(streams, languages, strict=False):
            stream.metadata["language"] = language
        if default is not None:
            for number, stream in enumerate(streams):
                stream.disposition = Disposition.default if number == default else Disposition(0)
        for stream, samples in zip(streams, tracks, strict=True):
            frame = av.AudioFrame.from_ndarray(_values(samples)[None, :], format="s16", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()


def write_silence(path: Path, hours: int, rate: int) -> None:
    """Write hours of silence as a few megabytes of FLAC."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 100 * rate), np.int16), format="s16", layout="mono")
        frame.sample_rate = rate
        for _ in range(36 * hours):
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def film(sound: Samples | None = None, muxer: str = "mp4") -> bytes:
    """Return a file with a short video and, optionally, sound."""
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width = pictures.height = 32
        pictures.pix_fmt = "yuv420p"
        speech = None if sound is None else container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(pictures.encode(None))
        if speech is not None and sound is not None:
            frame = av.AudioFrame.from_ndarray(_values(sound)[None, :], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            container.mux(speech.encode(frame))
            container.mux(speech.encode(None))
    return file.getvalue()


def understated_file(samples: Samples) -> bytes:
    """Return an MP4 file whose time table declares a tenth of the actual duration."""
    file = bytearray(compressed_file(samples, "mp4", "aac"))
    table = file.index(b"stts")
    for entry in range(int.from_bytes(file[table + 8 : table + 12])):
        file[table + 16 + 8 * entry : table + 20 + 8 * entry] = (100).to_bytes(4)
    return bytes(file)


def duration(data: bytes) -> float:
    """Return the decoded duration of a file in seconds."""
    with av.open(io.BytesIO(data), "r") as container:
        rate = container.streams.audio[0].rate
        return float(sum(frame.samples for frame in container.decode(audio=0)) / rate)


def _values(samples: Samples) -> NDArray[np.int16]:
    return np.frombuffer(encode(samples, Encoding.PCM16), np.int16)
