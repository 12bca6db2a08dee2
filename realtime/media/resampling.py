"""Resample decoded frames to 16 kHz. Runs in a decoding process."""

import av

from realtime.media.records import SAMPLE_RATE, Kind, Record


class FrameResampler:
    """Resamples frames of one form to 16-bit samples at 16 kHz: of FFmpeg's formats only integers mix without overflow.

    Channels are kept apart unless `mono` is set. Those of surround sound are mixed in any case, because FFmpeg knows
    how much speech is in each.
    """

    def __init__(self, first: av.AudioFrame, drop: int = 0, *, mono: bool = False) -> None:
        """Resample frames of the same form as `first`, and drop so many samples at the beginning."""
        self._form = _form(first)
        mono = mono or any(channel.name == "FC" for channel in first.layout.channels)
        self._channels = 1 if mono else first.layout.nb_channels
        layout = "mono" if self._channels == 1 else first.layout
        self._resampler = av.AudioResampler(format="s16", layout=layout, rate=SAMPLE_RATE)
        self._drop = 2 * self._channels * drop

    def takes(self, frame: av.AudioFrame) -> bool:
        """Say whether the frame has the form of the first."""
        return _form(frame) == self._form

    def resample(self, frame: av.AudioFrame | None) -> Record:
        """Resample a frame, or with None the rest that is held back."""
        size = 2 * self._channels
        samples = b"".join(
            bytes(memoryview(each.planes[0])[: size * each.samples]) for each in self._resampler.resample(frame)
        )
        dropped = min(self._drop, len(samples))
        self._drop -= dropped
        return Record(Kind.AUDIO, samples[dropped:], self._channels)


def _form(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
