"""Streaming sample-rate conversion."""

import numpy as np
import soxr

from realtime.audio.formats import Samples


class Resampler:
    """Converts one stream from one rate to another; its output is the same however the input was cut.

    soxr's variable-rate filter is used at a fixed rate, for its delay: measured in frames of 10 ms it holds back 10 ms
    of audio from 24 to 16 kHz, 13 ms from 48 to 16 kHz and at most 30 ms (telephone audio at 8 kHz). soxr's fixed-rate
    HQ filter works in blocks and holds back up to 37, 37 and 175 ms; its LQ filter takes half of that, but loses 20 dB
    at 0.9 of the band. This one is flat there, keeps aliases below -110 dB, shifts the signal by less than 0.25 ms and
    takes less than 0.3 % of a core.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self._stream = (
            None if source_rate == target_rate else soxr.ResampleStream(source_rate, target_rate, 1, "float32", vr=True)
        )

    def process(self, samples: Samples) -> Samples:
        """What can be said of the stream so far; the samples themselves where the rates are equal."""
        if self._stream is None:
            return samples
        resampled: Samples = self._stream.resample_chunk(samples)
        return resampled

    def flush(self) -> Samples:
        """The rest of the stream, which ends here; another may begin.

        The whole is then as long as the input at the target rate, give or take two samples.
        """
        nothing = np.empty(0, np.float32)
        if self._stream is None:
            return nothing
        rest: Samples = self._stream.resample_chunk(nothing, last=True)
        self._stream.clear()
        return rest
