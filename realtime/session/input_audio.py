"""The input audio of a session: frames in the client's format become samples at 16 kHz."""

import numpy as np
from numpy.typing import NDArray

from realtime.audio.buffer import AudioBuffer
from realtime.audio.crosstalk import CrosstalkGate
from realtime.audio.formats import SAMPLE_RATE, WINDOW, AudioFormat, Decoder
from realtime.audio.resampler import Resampler


class InputChannels:
    """Decodes and resamples the channels of one client, and mutes the crosstalk between them."""

    def __init__(self, input_format: AudioFormat) -> None:
        self._format = input_format
        self._decoder = Decoder(input_format)
        self._resamplers = [Resampler(input_format.sample_rate, SAMPLE_RATE) for _ in range(input_format.channels)]
        self._gate = CrosstalkGate(input_format.channels)

    def add(self, data: bytes) -> NDArray[np.float32]:
        """Take one frame, of any length, and return what samples are complete, of shape (channels, n)."""
        samples = self._decoder.decode_channels(data)
        resampled = [each.process(samples[:, channel]) for channel, each in enumerate(self._resamplers)]
        return self._gate.process(np.stack(resampled))

    def flush(self) -> NDArray[np.float32]:
        """End the stream of frames here and return the samples that were held back; half a sample is dropped."""
        self._decoder = Decoder(self._format)
        return np.concatenate([self.rest(), self._gate.flush()], axis=1)

    def rest(self) -> NDArray[np.float32]:
        """Free the resamplers where the stream pauses, and return what they held. It may go on within a sample."""
        return self._gate.process(np.stack([each.flush() for each in self._resamplers]))


class InputAudio:
    """Decodes and resamples the frames of one speaker; positions are samples at 16 kHz since the session began."""

    def __init__(self, input_format: AudioFormat, buffer: AudioBuffer) -> None:
        self.buffer = buffer
        self._format = input_format
        self._decoder = Decoder(input_format)
        self._resampler = Resampler(input_format.sample_rate, SAMPLE_RATE)

    @property
    def end(self) -> int:
        """Position after the last sample received."""
        return self.buffer.end

    def append(self, data: bytes) -> None:
        """Add one frame, of any length; half a sample waits for the rest of it."""
        self.buffer.append(self._resampler.process(self._decoder.decode(data)))

    def flush(self) -> None:
        """End the stream of frames here: add what the resampler still holds, and drop half a sample."""
        self.buffer.append(self._resampler.flush())
        self._decoder = Decoder(self._format)

    def rest(self) -> None:
        """Free what can be made again, where the stream pauses. It may go on within a sample."""
        self.buffer.append(self._resampler.flush())
        self.buffer.compact()

    def set_format(self, input_format: AudioFormat) -> None:
        """Expect frames in this format from here on."""
        if input_format != self._format:
            self.flush()
            self._format = input_format
            self._decoder = Decoder(input_format)
            self._resampler = Resampler(input_format.sample_rate, SAMPLE_RATE)

    def windows(self, start: int, end: int) -> NDArray[np.float32]:
        """Copy the samples from `start` to `end` as windows, shape (n, 512); silence fills up the last one."""
        samples = self.buffer.slice(start, end)
        if missing := -len(samples) % WINDOW:
            samples = np.pad(samples, (0, missing))
        return samples.reshape(-1, WINDOW)

    def discard(self, before: int) -> None:
        """Free the audio before this position."""
        self.buffer.discard(before)
