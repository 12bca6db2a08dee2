"""The audio of WhisperLive's clients: 16 kHz mono in the format of their options, as PCM16."""

import numpy as np

from realtime.audio.formats import Encoding, Samples, encode
from realtime.wire.whisperlive.messages import SampleFormat

_BYTES = {"float32": 4, "int16": 2, "uint8": 1}


class SampleConverter:
    """Converts one stream of audio messages, which may be cut at any byte."""

    def __init__(self, sample_format: SampleFormat) -> None:
        self._format = sample_format
        self._remainder = b""

    def convert(self, data: bytes) -> bytes:
        """Return the samples that are complete as PCM16; values that are not finite are silence."""
        data = self._remainder + data
        whole = len(data) - len(data) % _BYTES[self._format]
        data, self._remainder = data[:whole], data[whole:]
        if self._format == "int16":
            return data
        return encode(self._decoded(data), Encoding.PCM16)

    def _decoded(self, data: bytes) -> Samples:
        if self._format == "uint8":
            return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)
        samples = np.frombuffer(data, "<f4")
        return np.where(np.isfinite(samples), np.clip(samples, -1, 1), 0).astype(np.float32)
