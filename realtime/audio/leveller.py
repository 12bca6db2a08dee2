"""Raise quiet speech to the level of normal speech, for detection and recognition.

Silero VAD misses quiet speech: of the windows that it takes for speech where the loudest are at -20 dBFS, it finds 98 %
at -45 dBFS, 92 % at -55 and 82 % at -60, and whole words are lost. Whisper understands such speech, but behind it the
digital silence that pads a short window looks unlike silence. Neither takes noise for speech because it is louder.

But where the gain raises the noise between two words to their level, Silero VAD finds the second up to a second late.
So it scores each window both as it is and raised (`engines/silero.py`).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import SAMPLE_RATE, WINDOW, Samples

TARGET_LEVEL: Final = -10 * math.log10(WINDOW)
"""Level in dBFS (root mean square of a window) to which the loudest windows of quiet speech are raised: -27.1 dBFS.

It is the highest at which no sample can be clipped, not even one that has all the energy of its window. Louder speech
is not changed: the loudest windows of most recordings of speech are at -18 dBFS. From -32 to -22 dBFS the scores of the
detector agree within 1 % of the windows.
"""

MAX_GAIN: Final = 40.0
"""Largest gain in dB: raises the lowest bit of 16-bit audio to about -50 dBFS, where nothing is speech."""

FALL: Final = 12.0 * WINDOW / SAMPLE_RATE
"""Decibels by which the level in effect falls per window: 12 dB/s.

A pause of a second within speech at -18 dBFS changes little. Of 92 words, half of them 40 dB lower after a pause of
1 s, 13 are wrong live with 12 dB/s, as at one level, 27 with 6 dB/s and 42 without levelling.
"""

FALL_BESIDE: Final = 24.0 * WINDOW / SAMPLE_RATE
"""Decibels by which a window counts less for the gain of one that is a window away (24 dB/s)."""

SAME_SPEAKER: Final = 12.0
"""Decibels by which the loudness beside a window may differ from that of the whole without changing its gain.

So the pauses of a single speaker keep theirs. Where it differs by twice as much, the window has the gain for what is
beside it alone; the gain rises steadily in between.
"""

LOWEST_LEVEL: Final = TARGET_LEVEL - MAX_GAIN
"""Level in dBFS from which on the gain is `MAX_GAIN`. A stream begins with it, so that its first word is found."""

_RISE: Final = 0.5
"""Share of the way to a higher level that is covered per window, so that a single click has half the effect."""

_SILENCE: Final = np.float32(1e-12)
"""Power that is added to that of a window, for the logarithm: -120 dBFS."""


def raised(windows: NDArray[np.float32], level: float) -> tuple[NDArray[np.float32], float]:
    """Raise the next windows of a stream, shape (n, 512), each by a gain of its own and without look-ahead.

    The gain follows the loudest windows of the last seconds and never raises a window above `TARGET_LEVEL`. `level` is
    the level in effect in dBFS, `LOWEST_LEVEL` at the beginning of a stream. Return the raised windows and the level in
    effect after them.
    """
    gains = []
    for each in _levels(windows).tolist():
        if each > level:
            level += _RISE * (each - level)
        else:
            level = max(each, level - FALL, LOWEST_LEVEL)
        gains.append(_gain(max(level, each)))
    return windows * np.asarray(gains, np.float32)[:, None], level


def levelled(samples: Samples) -> Samples:
    """Return audio that is decoded as one, with the gain of its loudest window.

    Where all windows beside one are clearly lower, its gain is higher: a speaker who is far from the microphone is
    raised beside one who is near it.
    """
    windows = np.pad(samples, (0, -len(samples) % WINDOW)).reshape(-1, WINDOW)
    levels, falls = _levels(windows), FALL_BESIDE * np.arange(len(windows))
    before = np.maximum.accumulate(levels + falls) - falls
    behind = np.maximum.accumulate((levels - falls)[::-1])[::-1] + falls
    beside, loudest = np.maximum(before, behind), levels.max(initial=LOWEST_LEVEL)
    counted = np.minimum(np.maximum(beside, 2 * (beside + SAME_SPEAKER) - loudest), loudest)
    gains = np.asarray([_gain(level) for level in counted], np.float32)
    return (windows * gains[:, None]).reshape(-1)[: len(samples)]


def _levels(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level of each window in dBFS, shape (n,)."""
    powers = np.einsum("ij,ij->i", windows, windows) / WINDOW
    levels: NDArray[np.float32] = 10 * np.log10(powers + _SILENCE)
    return levels


def _gain(level: float) -> float:
    """Return the factor for audio of this level, in dBFS."""
    return float(10 ** (min(max(TARGET_LEVEL - level, 0.0), MAX_GAIN) / 20))
