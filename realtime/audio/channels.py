"""Mix the channels of a recording to mono without losing the voice of any.

A plain average loses two kinds of voices: those that two channels carry with opposite signs (one leg of a balanced
line) cancel, and the far end of a call that was recorded 30 dB below the near end is too quiet to be recognized.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, Samples

_FRAME: Final = SAMPLE_RATE // 50
"""Samples of a frame, of which the power is measured: 20 ms."""

_OPPOSITE: Final = -0.5
"""Correlation of two channels below which one is inverted.

Those of stereo recordings of a room are above -0.2, those of a reversed wire below -0.9.
"""

_MIN_FLOOR: Final = -90.0
"""Lowest noise floor in dB of full scale: that of 16-bit samples."""

_FLOOR_RISE: Final = 3.0
"""Most dB that a noise floor rises from one block to the next."""

_ACTIVE: Final = 12.0
"""dB above its noise floor at which a channel is active."""

_LEAD: Final = 6.0
"""dB by which a channel must exceed its noise floor more than the others to be the only one that is active.

Crosstalk of a loud channel exceeds its own floor less than the loud channel does, so it is not raised.
"""

_MIN_ACTIVE_FRAMES: Final = 5
"""Frames in a row that are activity of a voice: 100 ms. Clicks are shorter."""

_HANGOVER: Final = 10
"""Frames before and after activity that are raised with it: 200 ms, for soft beginnings and ends."""

_MIN_GAIN: Final = 6.0
"""dB below which differences between channels are left as they are."""

_MAX_GAIN: Final = 40.0
"""Most dB by which a channel is raised: 16-bit samples have no more to give."""

_MAX_NOISE: Final = -25.0
"""Highest level in dB, relative to the loudest channel, to which the noise floor of a channel is raised with it."""


class ChannelMixer:
    """Mixes the blocks of one recording with `channels` channels.

    A channel of opposite sign is inverted, and a quiet one is raised to the level of the loudest where it alone is
    active. What is known of the channels grows with every block.

    Attributes:
        channels: Number of channels.
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self._covariance = np.zeros((channels, channels))
        self._floors = np.full(channels, np.inf)
        self._active_power = np.zeros((2, channels))
        """Sum of the powers of active frames, and their number."""
        self._alone_power = np.zeros((2, channels))
        """The same of the frames in which no other channel is active."""

    def mix(self, block: NDArray[np.float32]) -> Samples:
        """Return the mono mix of a block of shape (n, channels)."""
        if self.channels == 1:
            return block[:, 0]
        signals = np.ascontiguousarray(block.T)
        self._covariance += signals @ signals.T
        weights = self._signs() / np.float32(self.channels)
        mixed: Samples = (weights @ signals).astype(np.float32, copy=False)
        frames = len(block) // _FRAME
        if frames:
            framed = signals[:, : frames * _FRAME].reshape(self.channels, frames, _FRAME)
            gains = self._gains(np.einsum("cfs,cfs->cf", framed, framed) / _FRAME)
            for channel in np.flatnonzero(gains.any(axis=1)):
                ramp = np.linspace(gains[channel, :-1], gains[channel, 1:], _FRAME, axis=1, dtype=np.float32)
                mixed[: frames * _FRAME] += (framed[channel] * ramp).reshape(-1) * weights[channel]
        return mixed

    def _signs(self) -> NDArray[np.float32]:
        """Return -1 for the channels that are opposite to the loudest, 1 for the others."""
        power = self._covariance.diagonal()
        loudest = int(power.argmax())
        opposite = self._covariance[loudest] < _OPPOSITE * np.sqrt(power[loudest] * power)
        return np.where(opposite, np.float32(-1), np.float32(1))

    def _gains(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what to add of each channel at the boundaries of its frames, of shape (channels, frames + 1).

        `power` is that of the frames, of shape (channels, frames). 0 leaves a channel as it is.
        """
        levels = 10 * np.log10(np.maximum(power, 1e-12))
        floors = np.maximum(np.percentile(levels, 10, axis=1), _MIN_FLOOR)
        self._floors = np.minimum(floors, self._floors + _FLOOR_RISE)
        excess = levels - self._floors[:, None]
        others = np.stack([np.delete(excess, channel, axis=0).max(axis=0) for channel in range(self.channels)])
        active = excess > _ACTIVE
        alone = _runs(active & (excess > others + _LEAD))
        for total, where in ((self._active_power, active), (self._alone_power, alone)):
            total += np.stack([(power * where).sum(axis=1), where.sum(axis=1)])
        raised = self._raise()
        spread = np.stack([np.convolve(each, np.ones(2 * _HANGOVER + 1), "same") > 0 for each in alone])
        frames: NDArray[np.float32] = np.where(spread, raised[:, None] - 1, 0).astype(np.float32)
        return np.pad((frames[:, 1:] + frames[:, :-1]) / 2, ((0, 0), (1, 1)), "edge")

    def _raise(self) -> NDArray[np.float64]:
        """Return the amplitude by which each channel is multiplied where it alone is active, 1 for most."""
        active, alone = (
            10 * np.log10(np.maximum(power / np.maximum(count, 1), 1e-12))
            for power, count in (self._active_power, self._alone_power)
        )
        loudest = active.max()
        gain = np.minimum(loudest - alone, _MAX_GAIN)
        gain = np.minimum(gain, loudest + _MAX_NOISE - self._floors)
        amplitude: NDArray[np.float64] = np.where(gain < _MIN_GAIN, 1.0, 10 ** (gain / 20))
        return np.where(self._alone_power[1] > 0, amplitude, 1.0)


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the flags that are set `_MIN_ACTIVE_FRAMES` times in a row."""
    window = np.ones(_MIN_ACTIVE_FRAMES)
    kept = []
    for row in flags:
        full = np.convolve(row, window, "valid") == _MIN_ACTIVE_FRAMES if len(row) >= len(window) else np.zeros(0)
        kept.append(np.convolve(full, window) > 0 if len(full) else np.zeros(len(row), bool))
    return np.stack(kept)
