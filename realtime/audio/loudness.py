"""Even loudness of speech that is synthesized phrase by phrase.

Engines speak some phrases much louder than others: Piper's voice joe says "Stop!" 6 LU above its mean, and voices may
differ by more. Here each phrase is brought to the same loudness, measured as in ITU-R BS.1770-5: K-weighted power in
blocks of 0.4 s, without those that are silent or 10 LU below the others.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import Samples

TARGET_LOUDNESS: Final = -25.0
"""Loudness of all speech in LUFS: that of hibari and of Piper's voice joe, between -26 and -24.6."""

MAX_GAIN: Final = 12.0
"""Largest change in dB."""

TOLERANCE: Final = 1.5
"""Largest difference to the target in LU that is left where a phrase comes in chunks: its parts differ by as much."""

EVIDENCE_SECONDS: Final = 1.0
"""Seconds of sound from which the loudness of a phrase that comes in chunks counts."""

GAIN_PER_SECOND: Final = 6.0
"""Fastest change of the gain within a phrase, in dB per second."""

HIGHEST_PEAK: Final = 0.97
"""Amplitude above which nothing is raised."""

ATTACK_SECONDS: Final = 0.002
"""Seconds in which the gain is lowered before a peak that it would raise beyond that; a step would be heard."""

TAIL_SECONDS: Final = 0.1
"""Seconds of the silence after sound that count for its loudness.

Of a short phrase, measured alone, all of its blocks are sound; in speech some of them are half of the pause after it,
and its loudness is 2 LU less. With this it is between the two.
"""

SILENCE_LEVEL: Final = 1e-3
"""Highest amplitude of silence, -60 dB of full scale."""

_HOPS_PER_SECOND: Final = 50
_BLOCK: Final = 20
"""Hops in a block."""

_SILENCE: Final = -70.0
"""Loudness in LUFS of the loudest block that does not count."""

_RELATIVE_GATE: Final = -10.0
"""Loudness in LU, relative to that of all blocks, of the loudest block that does not count."""

_OFFSET: Final = -0.691
"""Loudness in LUFS of a K-weighted power of one."""


@lru_cache(maxsize=8)
def _weights(sample_rate: int, size: int) -> NDArray[np.float64]:
    """Return what the power of each bin of a real Fourier transform of `size` samples adds to the weighted power.

    The two filters are those of BS.1770-5, Annex 1, designed for any sample rate by the bilinear transform.
    """
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))  # a delay of one sample
    k, q, gain = np.tan(np.pi * 1681.974450955533 / sample_rate), 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    middle = gain**0.4996667741545416 * k / q
    shelf = (gain + middle + k * k) + 2 * (k * k - gain) * z + (gain - middle + k * k) * z**2
    shelf /= (1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2
    k, q = np.tan(np.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    # The numerator of the high-pass filter is not normalized in the standard.
    high = (1 + k / q + k * k) * (1 - z) ** 2
    high /= (1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2
    power = np.abs(shelf * high) ** 2 * 2 / size**2
    power[0] /= 2
    return np.asarray(power)


class Loudness:
    """The integrated loudness of audio that comes in chunks."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._hop = sample_rate // _HOPS_PER_SECOND
        self._powers = np.empty(0)
        """Weighted power of each hop."""
        self._rest = np.empty(0, np.float32)

    def add(self, chunk: Samples) -> float:
        """Take the next chunk; return the loudness of all so far in LUFS, minus infinity for silence.

        Less than a block counts as a block that ends with silence.
        """
        audio = np.concatenate([self._rest, chunk])
        whole = len(audio) // self._hop * self._hop
        self._powers = np.append(self._powers, self._power(audio[:whole]))
        self._rest = audio[whole:]
        missing = -len(self._rest) % self._hop
        powers = np.append(self._powers, self._power(np.pad(self._rest, (0, missing))))
        powers = np.pad(powers, (0, max(0, _BLOCK - len(powers))))
        blocks = np.lib.stride_tricks.sliding_window_view(powers, _BLOCK).mean(axis=1)
        blocks = blocks[blocks > 10 ** ((_SILENCE - _OFFSET) / 10)]
        if not len(blocks):
            return float("-inf")
        return _in_lufs(blocks[blocks > blocks.mean() * 10 ** (_RELATIVE_GATE / 10)])

    def _power(self, audio: Samples) -> NDArray[np.float64]:
        spectra = np.fft.rfft(audio.reshape(-1, self._hop), axis=1)
        return np.asarray((np.abs(spectra) ** 2 * _weights(self._rate, self._hop)).sum(axis=1))


def _in_lufs(powers: NDArray[np.float64]) -> float:
    return float(_OFFSET + 10 * np.log10(powers.mean()))


def levelled(samples: Samples, sample_rate: int) -> Samples:
    """Bring a whole phrase to `TARGET_LOUDNESS`."""
    sounds = np.flatnonzero(np.abs(samples) > SILENCE_LEVEL)
    if not len(sounds):
        return samples
    loudness = Loudness(sample_rate).add(samples[: sounds[-1] + round(TAIL_SECONDS * sample_rate)])
    gain = min(_gain_to_target(loudness), _highest_gain(samples))
    return samples * np.float32(gain)


class LoudnessLeveller:
    """Brings a voice, whose phrases come in chunks, to `TARGET_LOUDNESS` within `TOLERANCE`.

    How loud a phrase is becomes known while it is spoken: the gain changes gradually, and the next phrase of the voice
    begins with that at the end of this one. What is as loud as it should be is not changed.
    """

    def __init__(self, sample_rate: int, gain: float = 1.0) -> None:
        self.gain = gain
        self._applied: float | None = None
        """The gain of the last sample, None before the first."""
        self._rate = sample_rate
        self._loudness = Loudness(sample_rate)
        self._sound = 0
        """Samples of the phrase so far, without its silence."""

    def process(self, chunk: Samples) -> Samples:
        """Return the next chunk, raised or lowered."""
        sounds = np.flatnonzero(np.abs(chunk) > SILENCE_LEVEL)
        if not len(sounds):
            return chunk
        loudness = self._loudness.add(chunk[: sounds[-1] + 1])
        self._sound += len(sounds)
        before, peak = self.gain, float(np.abs(chunk).max())
        if self._sound >= EVIDENCE_SECONDS * self._rate:
            wanted = _gain_to_target(loudness + float(np.clip(TARGET_LOUDNESS - loudness, -TOLERANCE, TOLERANCE)))
            step = 10 ** (GAIN_PER_SECOND * len(chunk) / self._rate / 20)
            self.gain = float(np.clip(wanted, before / step, before * step))
        highest = _highest_gain(chunk)
        first, last = min(before, highest) if self._applied is None else self._applied, min(self.gain, highest)
        self._applied = last
        until = round(ATTACK_SECONDS * self._rate) if first > highest else len(chunk) - 1
        gains = np.interp(np.arange(len(chunk)), (0, max(1, until)), (first, last)).astype(np.float32)
        limit = max(peak, HIGHEST_PEAK)  # for a peak at the start of the chunk
        return np.asarray(np.clip(chunk * gains, -limit, limit))


def _gain_to_target(loudness: float) -> float:
    return float(10 ** (np.clip(TARGET_LOUDNESS - loudness, -MAX_GAIN, MAX_GAIN) / 20))


def _highest_gain(samples: Samples) -> float:
    return max(1.0, HIGHEST_PEAK / float(np.abs(samples).max()))
