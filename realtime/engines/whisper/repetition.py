"""The period of audio that repeats itself: a sentence said again and again by a synthesizer, or a looped recording.

The spectrogram of such audio correlates with itself, shifted by the period. People who say a sentence again vary its
length; they are not found here.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import Samples

FRAME: Final = 160
"""Samples from one frame of the spectrogram to the next: 10 ms."""

WINDOW: Final = 320
"""Samples of each frame."""

BANDS: Final = tuple(int(edge) for edge in np.unique(np.geomspace(2, WINDOW // 2, 17).astype(int)))
"""First bins of the bands, which are equally wide in octaves, and the last bin."""

RANGE_DECIBELS: Final = 50.0
"""Decibels below the loud parts at which the spectrogram is cut off."""

MIN_PERIOD: Final = 50
"""Frames of the shortest period, 0.5 s: a shorter window gives the decoder too little context."""

MIN_CORRELATION: Final = 0.8
"""Correlation from which the audio repeats itself.

Repeated sentences have 0.94 or more, with white noise 10 dB below them 0.86; of 173 recordings, digits read out on the
telephone have most, 0.74.
"""

MIN_DEVIATION: Final = 5.0
"""Standard deviation of the spectrogram, in decibels, below which the sound is steady and may have any period.

Speech has 12 to 17, with white noise 10 dB below it 7; mains hum has 3.6.
"""

NEARLY: Final = 0.95
"""Share of the highest correlation that belongs to a repetition too, so that one period is found and not two."""

DRIFT: Final = 2
"""Frames by which repetitions may come earlier or later than the periods before them suggest."""


def period_of(samples: Samples) -> float | None:
    """Return the period in samples, of audio that is said at least twice; None if it does not repeat itself."""
    spectrogram = _spectrogram(samples)
    if spectrogram.std() < MIN_DEVIATION:
        return None
    correlations = _correlations(spectrogram)
    half = len(correlations) // 2
    possible = correlations[: half + 1].copy()
    possible[:MIN_PERIOD] = 0.0
    highest = possible.max(initial=0.0)
    if highest < MIN_CORRELATION:
        return None
    lag = int(np.argmax(possible >= NEARLY * highest))
    lag += int(np.argmax(possible[lag : lag + MIN_PERIOD // 2]))  # the peak of this rise
    period = float(lag)
    # The shift by several periods tells the fraction of a frame.
    for times in range(2, half // lag + 1):
        first = max(0, round(times * period) - DRIFT)
        period = (first + int(np.argmax(correlations[first : first + 2 * DRIFT + 1]))) / times
    return period * FRAME


def _spectrogram(samples: Samples) -> NDArray[np.float64]:
    """Return the decibels of each frame and band, less the average of the band."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (0, WINDOW)), WINDOW)[: len(samples) : FRAME]
    energy = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) ** 2
    level = 10 * np.log10(np.add.reduceat(energy, BANDS[:-1], axis=1) + 1e-10)
    level = np.maximum(level, np.percentile(level, 95) - RANGE_DECIBELS)
    centred: NDArray[np.float64] = level - level.mean(axis=0)
    return centred


def _correlations(spectrogram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of a spectrogram with itself, shifted by each number of frames (Wiener-Khinchin)."""
    frames = len(spectrogram)
    transformed = np.fft.rfft(spectrogram, 2 * frames, axis=0)
    products = np.fft.irfft((np.abs(transformed) ** 2).sum(axis=1), 2 * frames)[:frames]
    energy = np.concatenate([[0.0], np.cumsum((spectrogram**2).sum(axis=1))])
    first, last = energy[:0:-1], energy[-1] - energy[:-1]  # energies of the parts that overlap
    correlations: NDArray[np.float64] = products / np.sqrt(first * last + 1e-9)
    return correlations
