"""Where audio that repeats itself begins again: a sentence said again and again, by a person or by a loop.

The spectrogram of the beginning is compared with that of what follows (template matching by normalized correlation).
The template is so short that another speed, pause or level of the same words does not hide a repetition.
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

TEMPLATE: Final = 60
"""Frames of the beginning that are looked for: 0.6 s."""

MIN_DISTANCE: Final = 50
"""Frames between two beginnings at least, 0.5 s: a shorter window gives the decoder too little context."""

MIN_CORRELATION: Final = 0.65
"""Correlation of the template from which the sound may begin again.

Of 1,920 repetitions of 24 sentences, half of them up to 6 % faster or slower, 99 % have more.
"""

SPEEDS: Final = tuple(np.linspace(0.9, 1.1, 9).tolist())
"""Speeds of a repetition, relative to the first, at which they are compared."""

MIN_RESEMBLANCE: Final = 0.65
"""Median correlation of the repetitions with the first, at its best speed, as far as the shortest one.

Of 240 tracks with these sentences 99 % have 0.77 or more. Passages of other recordings that begin alike have 0.6 or
less, but for digits and parallel sentences, which may be cut there as well.
"""

MAX_INTERVAL: Final = 1.6
"""Longest interval between two beginnings, as a multiple of the median; in a longer one there is something else."""

MIN_REMAINDER: Final = 30
"""Frames after the last beginning at least, 0.3 s."""

MIN_DEVIATION: Final = 5.0
"""Standard deviation of the spectrogram, in decibels, below which the sound is steady and resembles itself everywhere.

Speech has 12 to 17, with white noise 10 dB below it 7; mains hum has 3.6.
"""


def beginnings(samples: Samples, first: int, end: int) -> tuple[int, ...]:
    """Return where the sound between the samples `first` and `end` begins, and begins again; empty if it does not."""
    spectrogram = _spectrogram(samples[first:end])
    if spectrogram.std() < MIN_DEVIATION:
        return ()
    correlations = _correlations(spectrogram)[:-MIN_REMAINDER]
    found = []
    while correlations.max(initial=0.0) >= MIN_CORRELATION:
        frame = int(np.argmax(correlations))
        found.append(frame)
        correlations[max(0, frame - MIN_DISTANCE + 1) : frame + MIN_DISTANCE] = 0.0
    frames = sorted(found)
    intervals = np.diff([*frames, len(spectrogram)])
    if len(frames) < 2 or intervals.max() > MAX_INTERVAL * np.median(intervals[:-1]):
        return ()
    resemblances = [_resemblance(spectrogram, frame, int(intervals.min())) for frame in frames[1:]]
    if np.median(resemblances) < MIN_RESEMBLANCE:
        return ()
    return tuple(first + frame * FRAME for frame in frames)


def _resemblance(spectrogram: NDArray[np.float64], frame: int, length: int) -> float:
    """Return the correlation of the first `length` frames with those from `frame` on, at the best of `SPEEDS`."""
    parts = [frame + np.round(speed * np.arange(length)).astype(int) for speed in SPEEDS]
    last = len(spectrogram) - 1
    template = spectrogram[:length].ravel()
    return max(float(np.corrcoef(template, spectrogram[np.minimum(part, last)].ravel())[0, 1]) for part in parts)


def _spectrogram(samples: Samples) -> NDArray[np.float64]:
    """Return the decibels of each frame and band, less the average of the band."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (0, WINDOW)), WINDOW)[: len(samples) : FRAME]
    energy = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) ** 2
    level = 10 * np.log10(np.add.reduceat(energy, BANDS[:-1], axis=1) + 1e-10)
    level = np.maximum(level, np.percentile(level, 95) - RANGE_DECIBELS)
    centred: NDArray[np.float64] = level - level.mean(axis=0)
    return centred


def _correlations(spectrogram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of the beginning with what follows each frame."""
    padded = np.pad(spectrogram, ((0, TEMPLATE), (0, 0)), mode="edge")
    parts = np.lib.stride_tricks.sliding_window_view(padded, TEMPLATE, axis=0)[: len(spectrogram)]
    template = parts[0] - parts[0].mean()
    sums, squares = parts.sum(axis=(1, 2)), np.einsum("ijk,ijk->i", parts, parts)
    variances = np.maximum(squares - sums**2 / template.size, 1e-9)
    correlations: NDArray[np.float64] = np.einsum("ijk,jk->i", parts, template) / np.sqrt(
        variances * (template**2).sum() + 1e-9
    )
    return correlations
