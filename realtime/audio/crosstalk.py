"""Mute the crosstalk between channels that are transcribed by themselves, so that no word comes out twice.

Each channel of a call holds a little of the others: through the hybrid of an analogue line, as an echo of the far end,
or through the air between two headsets. Quiet speech is raised for detection and recognition, so crosstalk 40 dB below
the speaker would be transcribed too.

Crosstalk is recognized as a delayed copy of a louder channel, by the maximum of their normalized cross-correlation, of
which the envelope is taken because lines shift the phase (Knapp and Carter 1976, "The generalized correlation method
for estimation of time delay"). Once the gain of the copy is known, windows that are no louder than what it predicts are
muted too. A window in which someone speaks at the same time is louder or not correlated, and is left as it is.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import WINDOW

_DECIMATION: Final = 4
"""Samples of which the mean is taken for the correlation: speech has most of its power below 2 kHz."""

_HOP: Final = WINDOW // _DECIMATION

_SPAN: Final = 4 * _HOP
"""Samples that are correlated, after decimation: 128 ms."""

_MAX_DELAY: Final = 10 * _HOP
"""Longest delay of crosstalk in samples, after decimation: 320 ms, the echo of a mobile telephone."""

_FFT: Final = 2048
"""Length of the Fourier transforms, at least `_SPAN` + `_MAX_DELAY`."""

_CORRELATION: Final = 0.65
"""Least correlation of crosstalk.

Of windows with crosstalk 15 to 40 dB below the speaker, with delays of 1 to 150 ms, with and without the pass band of a
telephone, 70 to 99.9 % are above it, and at most 0.1 % of those in which two speakers interrupt each other.
"""

_MIN_DIFFERENCE: Final = 10**0.6
"""Least ratio of the powers of a speaker and of the crosstalk: 6 dB."""

_MARGIN: Final = 10**0.6
"""Ratio of the power of a window and of the crosstalk predicted for it, up to which it is muted: 6 dB."""

_LEARNING: Final = 0.2
"""Share by which a window with crosstalk changes the gain of its path."""

_SAME_DELAY: Final = 4
"""Samples, after decimation, within which two delays are one: 1 ms. That of crosstalk does not change."""

_CONFIRMED: Final = 10
"""Windows with crosstalk of one delay, more than those of others, after which its path is known."""

_MAX_CONFIRMED: Final = 20
"""Windows that count at most, so that a path that has changed is forgotten within a second of speech."""

_SILENCE: Final = 10**-6.5
"""Power of the loudest channel up to which nothing is looked for: -65 dBFS."""


@dataclass(slots=True)
class _Path:
    """The path from a speaker into another channel, as far as it is known."""

    delay: int = 0
    gain: float = 0.0
    """Ratio of the powers of the crosstalk and the speaker."""
    count: int = 0
    """Windows with crosstalk of this delay, less those of others."""

    def add(self, delay: int, gain: float) -> None:
        """Learn from a window with crosstalk."""
        if abs(delay - self.delay) <= _SAME_DELAY:
            self.count = min(self.count + 1, _MAX_CONFIRMED)
            self.gain += _LEARNING * (gain - self.gain)
        elif self.count > 1:
            self.count -= 1
        else:
            self.delay, self.gain, self.count = delay, gain, 1


class CrosstalkGate:
    """Mutes the windows of each channel that hold nothing but crosstalk, in one stream of `channels` channels."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._rest = np.zeros((channels, 0), np.float32)
        self._history = np.zeros((channels, _SPAN + _MAX_DELAY), np.float32)
        """The last samples of each channel, after decimation."""
        self._paths = {(to, of): _Path() for to in range(channels) for of in range(channels)}
        self._muted = np.zeros(channels, bool)
        """Whether the channels were muted in the last window."""

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples of shape (channels, n) at 16 kHz and return the windows that are complete."""
        samples = np.concatenate([self._rest, samples], axis=1)
        whole = samples.shape[1] // WINDOW * WINDOW
        self._rest = samples[:, whole:]
        result = samples[:, :whole].copy()
        for start in range(0, whole, WINDOW):
            window = result[:, start : start + WINDOW]
            self._muted = self._crosstalk(window)
            window[self._muted] = 0
        return result

    def flush(self) -> NDArray[np.float32]:
        """End the stream here and return the samples of the last window, which is not complete."""
        rest, self._rest = self._rest, np.zeros((self._channels, 0), np.float32)
        return np.where(self._muted[:, None], np.float32(0), rest)

    def _crosstalk(self, window: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which channels hold nothing but crosstalk in this window."""
        decimated = window.reshape(self._channels, _HOP, _DECIMATION).mean(axis=2)
        self._history = np.concatenate([self._history[:, _HOP:], decimated], axis=1)
        found = np.zeros(self._channels, bool)
        energy = np.pad(np.cumsum(np.square(self._history, dtype=np.float64), axis=1), ((0, 0), (1, 0)))
        spans = energy[:, _SPAN:] - energy[:, :-_SPAN]  # by the delay, the longest first
        newest, loudest = spans[:, -1], spans.max(axis=1)
        if loudest.max() < _SILENCE * _SPAN:
            return found
        for channel in range(self._channels):
            others = np.where(np.arange(self._channels) == channel, 0, loudest)
            speaker = int(others.argmax())
            if others[speaker] >= _MIN_DIFFERENCE * newest[channel]:
                found[channel] = self._is_copy(channel, speaker, spans[speaker], newest[channel])
        return found

    def _is_copy(self, channel: int, speaker: int, spans: NDArray[np.float64], power: float) -> bool:
        """Return whether the newest samples of a channel are a copy of the speaker's, whose power is `spans`."""
        spectrum = np.fft.fft(self._history[speaker], _FFT) * np.fft.fft(self._history[channel, -_SPAN:], _FFT).conj()
        spectrum[_FFT // 2 :] = 0  # of positive frequencies the correlation is complex, and its absolute value smooth
        correlation = 2 * np.abs(np.fft.ifft(spectrum))[: _MAX_DELAY + 1]
        correlation /= np.sqrt(spans * power + 1e-12)
        correlation[spans < _MIN_DIFFERENCE * power] = 0
        delay, path = int(correlation.argmax()), self._paths[channel, speaker]
        if correlation[delay] >= _CORRELATION:
            path.add(delay, correlation[delay] ** 2 * power / spans[delay])  # the part that is correlated
            return True
        return path.count >= _CONFIRMED and bool(power <= _MARGIN * path.gain * spans[path.delay])
