"""Audio as the service handles it: wire encodings, streaming resampling and a buffer with absolute positions.

Inside the service audio is mono float32 between -1 and 1; recognition and voice activity detection work at 16 kHz. The
companding laws are those of ITU-T G.711 (1988), tables 1a to 2b.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from realtime.errors import UnsupportedAudio

SAMPLE_RATE: Final = 16_000
"""The rate of recognition and voice activity detection; positions count samples at this rate."""

WINDOW: Final = 512
"""Samples of one voice activity window: 32 ms."""

QUIET: Final = SAMPLE_RATE * 160 // 1000
"""The length of the quietest moment: about the gap between two words."""

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio between -1 and 1, shape (n,)."""

_FULL_SCALE: Final = 32_768
_RATES: Final = range(8_000, 48_001)
_G711_RATE: Final = 8_000


class Encoding(StrEnum):
    """How samples are written on the wire; the values are OpenAI's names."""

    PCM16 = "audio/pcm"
    MULAW = "audio/pcmu"
    ALAW = "audio/pcma"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One channel of audio on the wire. PCM16 is little-endian; G.711 is at 8 kHz. Raises `UnsupportedAudio`."""

    encoding: Encoding
    sample_rate: int

    def __post_init__(self) -> None:
        if self.sample_rate not in _RATES:
            raise UnsupportedAudio(f"sample rate {self.sample_rate} is not between 8000 and 48000")
        if self.encoding is not Encoding.PCM16 and self.sample_rate != _G711_RATE:
            raise UnsupportedAudio(f"{self.encoding.value} is sampled at 8000 Hz, not {self.sample_rate}")

    @property
    def bytes_per_sample(self) -> int:
        return 2 if self.encoding is Encoding.PCM16 else 1


def _expand_mulaw() -> NDArray[np.int32]:
    """The value of each mu-law byte on a scale of 16 bits."""
    bits = ~np.arange(256, dtype=np.uint8)
    segment, step = (bits >> 4 & 7).astype(np.int32), (bits & 15).astype(np.int32)
    magnitude = ((2 * step + 33 << segment) - 33) * 4
    return np.where(bits & 0x80, -magnitude, magnitude)


def _expand_alaw() -> NDArray[np.int32]:
    """The value of each A-law byte on a scale of 16 bits."""
    bits = np.arange(256, dtype=np.uint8) ^ 0x55
    segment, step = (bits >> 4 & 7).astype(np.int32), (bits & 15).astype(np.int32)
    magnitude = np.where(segment == 0, 2 * step + 1, 2 * step + 33 << np.maximum(segment, 1) - 1) * 8
    return np.where(bits & 0x80, magnitude, -magnitude)


def _compress(decisions: NDArray[np.int32], positive: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The byte of every 16-bit value, indexed by the value's unsigned bits.

    `decisions` are the lowest magnitudes of the 128 steps, `positive` the byte of each. The magnitude of a negative
    value is its one's complement, as in the ITU's own software (G.191), so that both signs have intervals alike.
    """
    values = np.arange(65_536, dtype=np.uint16).view(np.int16)
    steps = np.searchsorted(decisions, np.where(values < 0, ~values, values), side="right") - 1
    return np.where(values < 0, positive[steps] & 0x7F, positive[steps])


def _compress_mulaw() -> NDArray[np.uint8]:
    steps = np.arange(128)
    decisions = ((16 + steps % 16 << steps // 16 + 1) - 33) * 4
    return _compress(decisions.astype(np.int32), (0xFF - steps).astype(np.uint8))


def _compress_alaw() -> NDArray[np.uint8]:
    steps = np.arange(128)
    segment = steps // 16
    decisions = np.where(segment == 0, steps, 16 + steps % 16 << np.maximum(segment, 1) - 1) * 16
    return _compress(decisions.astype(np.int32), ((0x80 | steps) ^ 0x55).astype(np.uint8))


_EXPANDED: Final = {
    Encoding.MULAW: (_expand_mulaw() / _FULL_SCALE).astype(np.float32),
    Encoding.ALAW: (_expand_alaw() / _FULL_SCALE).astype(np.float32),
}
_COMPRESSED: Final = {Encoding.MULAW: _compress_mulaw(), Encoding.ALAW: _compress_alaw()}


class Decoder:
    """Decodes one stream of frames, wherever they were cut."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._encoding = audio_format.encoding
        self._spare = b""

    def decode(self, data: bytes) -> Samples:
        """The samples complete so far; the odd byte of a cut PCM16 sample waits for the next frame."""
        if self._encoding is not Encoding.PCM16:
            return _EXPANDED[self._encoding][np.frombuffer(data, np.uint8)]
        data = self._spare + data
        whole = len(data) & ~1
        self._spare = data[whole:]
        return np.frombuffer(data, "<i2", count=whole // 2).astype(np.float32) / np.float32(_FULL_SCALE)


def encode(samples: Samples, encoding: Encoding) -> bytes:
    """Write samples as bytes, rounded to the nearest 16-bit value and clipped to full scale."""
    values = np.clip(np.rint(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2")
    if encoding is Encoding.PCM16:
        return values.tobytes()
    return _COMPRESSED[encoding][values.astype(np.int16).view(np.uint16)].tobytes()


class Resampler:
    """Converts one stream from one rate to another; its output is the same however the input was cut.

    soxr's variable-rate filter is used at a fixed rate, for its delay: measured in frames of 10 ms it holds back 10 ms
    of audio from 24 to 16 kHz, 13 ms from 48 to 16 kHz and at most 30 ms (telephone audio at 8 kHz). soxr's fixed-rate
    HQ filter works in blocks and holds back up to 37, 37 and 175 ms; its LQ filter takes half of that, but loses 20 dB
    at 0.9 of the band. This one is flat there, keeps aliases below -110 dB, shifts the signal by less than 0.25 ms and
    takes less than 0.3 % of a core.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self._stream = (
            None if source_rate == target_rate else soxr.ResampleStream(source_rate, target_rate, 1, "float32", vr=True)
        )

    def process(self, samples: Samples) -> Samples:
        """What can be said of the stream so far; the samples themselves where the rates are equal."""
        if self._stream is None:
            return samples
        resampled: Samples = self._stream.resample_chunk(samples)
        return resampled

    def flush(self) -> Samples:
        """The rest of the stream, which ends here; another may begin.

        The whole is then as long as the input at the target rate, give or take two samples.
        """
        nothing = np.empty(0, np.float32)
        if self._stream is None:
            return nothing
        rest: Samples = self._stream.resample_chunk(nothing, last=True)
        self._stream.clear()
        return rest


class AudioBuffer:
    """A stream's samples from `start` to `end`, counted since the stream began; what is discarded is freed.

    Appending and discarding take amortised constant time per sample, and the memory held is at most about four times
    that of the samples kept.
    """

    _SMALLEST: Final = SAMPLE_RATE

    def __init__(self) -> None:
        self._data = np.empty(self._SMALLEST, np.float32)
        self._first = 0
        self._length = 0
        self._start = 0

    @property
    def start(self) -> int:
        """The position of the first sample kept."""
        return self._start

    @property
    def end(self) -> int:
        """The position after the last sample."""
        return self._start + self._length

    def append(self, samples: Samples) -> None:
        if self._first + self._length + len(samples) > len(self._data):
            self._reallocate(self._length + len(samples))
        last = self._first + self._length
        self._data[last : last + len(samples)] = samples
        self._length += len(samples)

    def slice(self, start: int, end: int) -> Samples:
        """A copy of the samples from position `start` up to `end`. Raises `ValueError` where they are not kept."""
        if not self.start <= start <= end <= self.end:
            raise ValueError(f"samples {start} to {end} are not within {self.start} to {self.end}")
        first = self._first + start - self._start
        return self._data[first : first + end - start].copy()

    def quietest(self, start: int, end: int) -> int:
        """The middle of the stretch of `QUIET` samples with the least energy between two positions."""
        energy = np.cumsum(np.pad(np.square(self.slice(start, end), dtype=np.float64), (1, 0)))
        return start + int(np.argmin(energy[QUIET:] - energy[:-QUIET])) + QUIET // 2

    def discard(self, before: int) -> None:
        """Forget what is before position `before`, at most everything."""
        count = min(max(before - self._start, 0), self._length)
        self._start += count
        self._first += count
        self._length -= count
        if len(self._data) > max(4 * self._length, self._SMALLEST):
            self._reallocate(self._length)

    def _reallocate(self, needed: int) -> None:
        """Move the samples kept to the front of an array with room for twice `needed`."""
        data = np.empty(max(2 * needed, self._SMALLEST), np.float32)
        data[: self._length] = self._data[self._first : self._first + self._length]
        self._data, self._first = data, 0
