"""Audio formats on the wire, and how they are decoded and encoded.

Inside the service, audio is mono float32 between -1 and 1; recognition and voice activity detection run at 16 kHz.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime.audio.g711 import G711_RATE, compress_alaw, compress_mulaw, expand_alaw, expand_mulaw
from realtime.errors import UnsupportedAudio

SAMPLE_RATE: Final = 16_000
"""Sample rate in Hz of recognition and voice activity detection; positions count samples at this rate."""

WINDOW: Final = 512
"""Samples of one window of voice activity detection: 32 ms, the only size that Silero VAD accepts at 16 kHz."""

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio between -1 and 1, of shape (n,)."""

_FULL_SCALE: Final = 32_768
"""PCM16 value of amplitude 1."""

_SAMPLE_RATES: Final = range(8_000, 48_001)
"""Sample rates in Hz that are accepted on the wire."""


MAX_CHANNELS: Final = 8
"""Most channels of raw audio."""


class Encoding(StrEnum):
    """Encoding of samples on the wire; the values are OpenAI's names."""

    PCM16 = "audio/pcm"
    MULAW = "audio/pcmu"
    ALAW = "audio/pcma"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Format of audio on the wire. PCM16 is little-endian; G.711 is at 8 kHz.

    Raises `UnsupportedAudio` for a sample rate outside 8 to 48 kHz, or other than 8 kHz with G.711, and for more
    channels than `MAX_CHANNELS`.
    """

    encoding: Encoding
    sample_rate: int
    channels: int = 1
    """Channels, whose samples alternate. Output has only one."""

    def __post_init__(self) -> None:
        if self.sample_rate not in _SAMPLE_RATES:
            raise UnsupportedAudio(f"The sample rate must be between 8000 and 48000 Hz, not {self.sample_rate}.")
        if self.encoding is not Encoding.PCM16 and self.sample_rate != G711_RATE:
            raise UnsupportedAudio(f"The sample rate of {self.encoding.value} must be 8000 Hz, not {self.sample_rate}.")

        if not 1 <= self.channels <= MAX_CHANNELS:
            raise UnsupportedAudio(f"There must be between 1 and {MAX_CHANNELS} channels, not {self.channels}.")

    @property
    def bytes_per_sample(self) -> int:
        return 2 if self.encoding is Encoding.PCM16 else 1

    def seconds(self, data: bytes) -> float:
        """Return the duration of audio in this format."""
        return len(data) / (self.bytes_per_sample * self.channels * self.sample_rate)


_DECODED: Final = {
    Encoding.MULAW: (expand_mulaw() / _FULL_SCALE).astype(np.float32),
    Encoding.ALAW: (expand_alaw() / _FULL_SCALE).astype(np.float32),
}
"""Amplitude of each G.711 byte."""

_ENCODED: Final = {Encoding.MULAW: compress_mulaw(), Encoding.ALAW: compress_alaw()}
"""G.711 byte of each PCM16 value, indexed by the value's unsigned bits."""


class Decoder:
    """Decodes one stream of audio messages, which may be cut at any byte."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._encoding = audio_format.encoding
        self._channels = audio_format.channels
        self._frame_bytes = audio_format.channels * audio_format.bytes_per_sample
        self._remainder = b""

    def decode(self, data: bytes) -> Samples:
        """Return the samples that are complete, mixed to mono; the rest waits for the next message."""
        samples = self.decode_channels(data)
        if self._channels == 1:
            return samples[:, 0]
        mixed: Samples = samples.mean(axis=1, dtype=np.float32)
        return mixed

    def decode_channels(self, data: bytes) -> NDArray[np.float32]:
        """Return the samples that are complete, of shape (n, channels).

        A part of a sample, or of those of one time, waits for the next message.
        """
        data = self._remainder + data
        whole = len(data) // self._frame_bytes * self._frame_bytes
        data, self._remainder = data[:whole], data[whole:]
        if self._encoding is Encoding.PCM16:
            samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
        else:
            samples = _DECODED[self._encoding][np.frombuffer(data, np.uint8)]
        return samples.reshape(-1, self._channels)


def encode(samples: Samples, encoding: Encoding) -> bytes:
    """Encode samples, rounded to the nearest 16-bit value and clipped to full scale."""
    values = np.clip(np.rint(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2")
    if encoding is Encoding.PCM16:
        return values.tobytes()
    return _ENCODED[encoding][values.astype(np.int16).view(np.uint16)].tobytes()
