"""G.711 mu-law and A-law as tables (ITU-T G.711, 1988, tables 1a to 2b)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

G711_RATE: Final = 8_000
"""Sample rate in Hz of G.711."""


def expand_mulaw() -> NDArray[np.int32]:
    """Return the 16-bit value of each mu-law byte, shape (256,)."""
    bits = ~np.arange(256, dtype=np.uint8)
    segment, step = (bits >> 4 & 7).astype(np.int32), (bits & 15).astype(np.int32)
    magnitude = ((2 * step + 33 << segment) - 33) * 4
    return np.where(bits & 0x80, -magnitude, magnitude)


def expand_alaw() -> NDArray[np.int32]:
    """Return the 16-bit value of each A-law byte, shape (256,)."""
    bits = np.arange(256, dtype=np.uint8) ^ 0x55
    segment, step = (bits >> 4 & 7).astype(np.int32), (bits & 15).astype(np.int32)
    magnitude = np.where(segment == 0, 2 * step + 1, 2 * step + 33 << np.maximum(segment, 1) - 1) * 8
    return np.where(bits & 0x80, magnitude, -magnitude)


def _compress(decisions: NDArray[np.int32], positive: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the byte of every 16-bit value, indexed by the value's unsigned bits, shape (65536,).

    `decisions` are the lowest magnitudes of the 128 quantisation steps, `positive` the byte of each. The magnitude of a
    negative value is its one's complement, as in the ITU's reference software (G.191), so that both signs have equal
    intervals.
    """
    values = np.arange(65_536, dtype=np.uint16).view(np.int16)
    steps = np.searchsorted(decisions, np.where(values < 0, ~values, values), side="right") - 1
    return np.where(values < 0, positive[steps] & 0x7F, positive[steps])


def compress_mulaw() -> NDArray[np.uint8]:
    """Return the mu-law byte of every PCM16 value, indexed by its unsigned bits."""
    steps = np.arange(128)
    decisions = ((16 + steps % 16 << steps // 16 + 1) - 33) * 4
    return _compress(decisions.astype(np.int32), (0xFF - steps).astype(np.uint8))


def compress_alaw() -> NDArray[np.uint8]:
    """Return the A-law byte of every PCM16 value, indexed by its unsigned bits."""
    steps = np.arange(128)
    segment = steps // 16
    decisions = np.where(segment == 0, steps, 16 + steps % 16 << np.maximum(segment, 1) - 1) * 16
    return _compress(decisions.astype(np.int32), ((0x80 | steps) ^ 0x55).astype(np.uint8))
