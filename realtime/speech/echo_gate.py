"""The echo gate: which speech at the microphone is our own, from a loudspeaker.

What the client plays is known, but not when and how it comes back: the delay of the client's buffers, the loudspeaker
and the room are unknown. So the gate compares levels in bands of frequency. The delay is that at which the levels of
the microphone and of the reference correlate best. From then on the gate knows by how much each band comes back, and a
window that is not clearly louder than that is echo. This is the detector of double talk of Duttweiler (1978, A
twelve-channel digital echo canceler), with the levels of bands instead of the peaks of samples.

Before it knows the path of the echo, it takes for echo all speech that comes until the longest delay has passed, and
after that, speech that correlates with the reference.
"""

from collections import defaultdict
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples

Levels: TypeAlias = NDArray[np.float64]

HOP: Final = WINDOW // 2
"""Samples (16 ms) from frame to frame of the reference: the resolution of the delay."""

MAX_DELAY: Final = 44
"""Hops (704 ms) between sending audio and receiving its echo: buffers of a client have 50 to 500 ms."""

KEPT: Final = 512
"""Hops of the reference that are kept (8.2 s): the longest delay, and audio sent ahead (`MAX_LEAD_SECONDS`)."""

BANDS: Final = 16
"""Bands from 200 to 3800 Hz, which telephones have too, equally wide on the mel scale."""

EXCESS: Final = 5.0
"""Level in dB above the expected echo, as a mean of the bands over two windows, from which somebody else speaks.

With 4 dB twice as many answers are interrupted by their echo; with 6 dB speech is noticed twice as late.
"""

MIN_CORRELATION: Final = 0.3
"""Correlation from which speech is echo while its path is not known; with 0.4, one quiet echo in three is missed."""

LEARNING: Final = 12
"""Windows (384 ms) of echo after which its path is known."""

_GAIN_MEMORY: Final = 48
"""Windows (1.5 s) over which the gain of a band is averaged."""

_FALL: Final = 0.3
"""How fast the gain falls, as a share of how fast it rises: a window in a pause of the echo tells little about it."""

_REVERBERATION: Final = 0.6
"""Share of its energy that a band keeps for one hop in a room: 60 dB less in 0.43 s."""

_MEMORY: Final = 0.96
"""Share of the sums for the correlation that is kept from window to window: 0.8 s of them count."""

_SILENCE: Final = -60.0
"""Level in dB of silence. A full-scale tone has 42 dB."""

_ACTIVE: Final = 25.0
"""Level in dB below the loudest band of the last seconds down to which a band of the reference tells its gain."""


def _band_weights() -> NDArray[np.float64]:
    """Return the share of each bin of the spectrum in each band, shape (WINDOW / 2 + 1, BANDS)."""
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (200, 3800))
    edges = 700 * (10 ** (np.linspace(lowest, highest, BANDS + 1) / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, None]
    return ((bins >= edges[:-1]) & (bins < edges[1:])).astype(np.float64)


_WEIGHTS: Final = _band_weights()
_TAPER: Final = np.hanning(WINDOW)


def _energies(frames: NDArray[np.float32]) -> Levels:
    """Return the energies of frames, shape (..., WINDOW), in bands, shape (..., BANDS)."""
    spectra = np.fft.rfft(frames * _TAPER, axis=-1)
    energies: Levels = (np.square(spectra.real) + np.square(spectra.imag)) @ _WEIGHTS
    return energies


def _decibels(energies: Levels) -> Levels:
    return 10 * np.log10(energies + 10 ** (_SILENCE / 10))


class EchoReference:
    """What is played, as the levels of bands in hops; positions are samples of the microphone at 16 kHz."""

    def __init__(self) -> None:
        self.began = 0
        """Position at which the stretch without a long pause began that was added last."""
        self.end = -MAX_DELAY * HOP
        """Position at which everything will have been played; before the beginning where nothing is."""
        self._levels = np.full((KEPT, BANDS), _SILENCE)
        """The levels of hop h in row h modulo `KEPT`."""
        self._hops = 0
        """Number of the first hop whose levels are not known."""
        self._pending = np.zeros(0, np.float32)
        """Samples from that hop on."""
        self._reverberation = np.zeros(BANDS)

    def add(self, samples: Samples, position: int) -> None:
        """Add audio at 16 kHz that is played after what was added before it, and not before `position`."""
        if position - self.end >= MAX_DELAY * HOP:
            self.began = position
            self._levels[:] = _SILENCE
            self._reverberation[:] = 0
            self._hops, self.end = position // HOP, position
            self._pending = np.zeros(position % HOP, np.float32)
        silence = np.zeros(max(0, position - self.end), np.float32)
        self.end += len(silence) + len(samples)
        self._pending = np.concatenate([self._pending, silence, samples])
        if len(self._pending) >= WINDOW:
            frames = np.lib.stride_tricks.sliding_window_view(self._pending, WINDOW)[::HOP]
            for energies in _energies(frames):
                self._reverberation = energies + _REVERBERATION * self._reverberation
                self._levels[self._hops % KEPT] = _decibels(self._reverberation)
                self._hops += 1
            self._pending = self._pending[len(frames) * HOP :].copy()

    def stop(self, position: int) -> None:
        """Forget what would be played after `position`."""
        if position < self.end:
            hop = min(self._hops, position // HOP)
            self._levels[np.arange(hop, self._hops) % KEPT] = _SILENCE
            self._hops, self.end = hop, position
            self._pending = np.zeros(position - hop * HOP, np.float32)
            self._reverberation[:] = 0

    def before(self, position: int) -> Levels:
        """Return the levels of the hop at `position` and of those before it, newest first, `MAX_DELAY` + 1 of them."""
        hops = position // HOP - np.arange(MAX_DELAY + 1)
        levels = self._levels[hops % KEPT]
        levels[hops >= self._hops] = _SILENCE
        return levels


class EchoGate:
    """Tells echo from speech in the channels of one session, window by window.

    Each channel hears the same answers, over a path of its own.
    """

    def __init__(self) -> None:
        self._reference = EchoReference()
        self._paths: defaultdict[int, _EchoPath] = defaultdict(lambda: _EchoPath(self._reference))

    @property
    def _position(self) -> int:
        """Position after the newest window of any channel."""
        return max((path.position for path in self._paths.values()), default=0)

    def play(self, samples: Samples) -> None:
        """Note audio at 16 kHz that the client begins to play now, or when it has played what it has."""
        self._reference.add(samples, self._position)

    def stop(self) -> None:
        """Note that the client has stopped playing."""
        self._reference.stop(self._position)

    def filter(self, windows: NDArray[np.float32], probabilities: list[float], channel: int = 0) -> list[float]:
        """Return the speech probabilities of the next windows of a channel, 0 for those that are echo.

        Windows have the shape (n, 512).
        """
        path = self._paths[channel]
        return [
            0.0 if path.is_echo(window, probability) else probability
            for window, probability in zip(windows, probabilities, strict=True)
        ]


class _EchoPath:
    """How what is played comes back on one channel."""

    def __init__(self, reference: EchoReference) -> None:
        self._reference = reference
        self.position = 0
        """Position of the next window."""
        self._products = np.zeros(MAX_DELAY + 1)
        self._squares = np.zeros(MAX_DELAY + 1)
        self._own_square = 0.0
        """Sums of products, and of squares of the reference and of the microphone, for the correlation by delay."""
        self._mean: Levels | None = None
        """Mean level of the bands at the microphone; None before anything was played."""
        self._reference_mean = np.full(BANDS, _SILENCE)
        self._noise = np.zeros(BANDS)
        """Lowest level of the bands at the microphone, recently."""
        self._gain = np.zeros(BANDS)
        """Level of the echo in dB, less that of the reference."""
        self._peak = _SILENCE
        """Highest level of any band of the reference, recently."""
        self._learned = 0
        """Windows that the gain was learned from."""
        self._excess = 0.0
        """Level above the expected echo of the window before."""

    def is_echo(self, window: Samples, probability: float) -> bool:
        """Return whether the next window is echo, and learn from it."""
        position, self.position = self.position, self.position + WINDOW
        reference = self._reference
        if position >= reference.end + MAX_DELAY * HOP:
            self._excess = 0.0
            return False
        level = _decibels(_energies(window))
        if self._mean is None:
            self._mean, self._noise = level, level
        self._noise = np.where(level < self._noise, 0.7 * self._noise + 0.3 * level, self._noise + 0.05)
        references = reference.before(position)
        delay, correlation = self._align(level, references, self._mean)
        expected = np.maximum(references[delay] + self._gain, self._noise + 2)
        before, self._excess = self._excess, float(np.maximum(0.0, level - expected).mean())
        if self._learned >= LEARNING:
            is_echo = learns = (before + self._excess) / 2 < EXCESS
        else:
            arrived = position - reference.began > MAX_DELAY * HOP
            correlated = correlation >= MIN_CORRELATION
            is_echo = correlated or not arrived
            learns = correlated or (arrived and probability < 0.5)
        if learns:
            self._learn(level - references[delay], references[delay])
        return is_echo

    def _align(self, level: Levels, references: Levels, mean: Levels) -> tuple[int, float]:
        """Return the delay of the echo in hops, and the correlation with the reference at this delay."""
        self._mean = mean + 0.03 * (level - mean)
        self._reference_mean = self._reference_mean + 0.03 * (references[0] - self._reference_mean)
        own, others = level - self._mean, references - self._reference_mean
        self._products = _MEMORY * self._products + others @ own
        self._squares = _MEMORY * self._squares + np.square(others).sum(axis=1)
        self._own_square = _MEMORY * self._own_square + float(own @ own)
        correlations = self._products / np.sqrt(self._squares * self._own_square + 1e-9)
        delay = int(np.argmax(correlations))
        return delay, float(correlations[delay])

    def _learn(self, gain: Levels, reference: Levels) -> None:
        """Let the gain of each band follow that of a window, where the reference is loud enough to tell."""
        self._peak = max(float(reference.max()), self._peak - 0.1)
        active = reference > max(self._peak - _ACTIVE, _SILENCE / 2)
        if np.count_nonzero(active) >= BANDS // 4:
            self._learned += 1
            step = gain - self._gain
            step = np.where(active, step, np.median(step[active]))
            rate = 1 / min(self._learned, _GAIN_MEMORY)
            self._gain = self._gain + rate * np.where(step > 0, 1.0, _FALL) * step
