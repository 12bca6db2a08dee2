"""Audio as the service handles it: wire encodings, streaming resampling and a buffer with absolute positions.

Inside the service audio is mono float32 between -1 and 1; recognition and voice activity detection work at 16 kHz. The
companding laws are those of ITU-T G.711 (1988), tables 1a to 2b.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime.audio.g711 import G711_RATE, compress_alaw, compress_mulaw, expand_alaw, expand_mulaw
from realtime.errors import UnsupportedAudio

SAMPLE_RATE: Final = 16_000
"""The rate of recognition and voice activity detection; positions count samples at this rate."""


WINDOW: Final = 512
"""Samples of one voice activity window: 32 ms."""


Samples: TypeAlias = NDArray[np.float32]
"""Mono audio between -1 and 1, shape (n,)."""


_FULL_SCALE: Final = 32_768


_RATES: Final = range(8_000, 48_001)


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
        if self.encoding is not Encoding.PCM16 and self.sample_rate != G711_RATE:
            raise UnsupportedAudio(f"{self.encoding.value} is sampled at 8000 Hz, not {self.sample_rate}")

    @property
    def bytes_per_sample(self) -> int:
        return 2 if self.encoding is Encoding.PCM16 else 1


_EXPANDED: Final = {
    Encoding.MULAW: (expand_mulaw() / _FULL_SCALE).astype(np.float32),
    Encoding.ALAW: (expand_alaw() / _FULL_SCALE).astype(np.float32),
}


_COMPRESSED: Final = {Encoding.MULAW: compress_mulaw(), Encoding.ALAW: compress_alaw()}


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
