"""Samples of any width to 16 bits, which a session takes."""

from typing import Final

import numpy as np

from realtime.errors import UnsupportedAudio

_MAX_WIDTH: Final = 4
"""Bytes of the widest samples."""


class PcmConverter:
    """Converts one stream of signed little-endian samples, which may be cut at any byte, to samples of 16 bits.

    Wider samples lose their lower bytes. Samples of one byte are signed, as in the `wyoming` package, not offset by 128
    as in WAV files. The constructor raises `UnsupportedAudio` for a width of more than 4 bytes.
    """

    def __init__(self, width: int = 2) -> None:
        if not 1 <= width <= _MAX_WIDTH:
            raise UnsupportedAudio(f"Samples must have a width of 1 to {_MAX_WIDTH} bytes, not {width}.")
        self.width = width
        self._remainder = b""

    def convert(self, data: bytes) -> bytes:
        """Return the samples that are complete; a part of one waits for the next call."""
        if self.width == 2:
            return data  # a session puts halves of samples together itself
        data = self._remainder + data
        whole = len(data) - len(data) % self.width
        data, self._remainder = data[:whole], data[whole:]
        samples = np.zeros((whole // self.width, _MAX_WIDTH), np.uint8)
        samples[:, _MAX_WIDTH - self.width :] = np.frombuffer(data, np.uint8).reshape(-1, self.width)
        return samples[:, 2:].tobytes()
