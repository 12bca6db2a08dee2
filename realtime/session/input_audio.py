"""The microphone audio of a session: frames in the client's format become samples at 16 kHz in one buffer."""

import numpy as np
from numpy.typing import NDArray

from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import SAMPLE_RATE, WINDOW, AudioFormat, Decoder
from realtime.audio.resampler import Resampler


class InputAudio:
    """Decodes and resamples the frames of one client; positions are samples at 16 kHz since the session began."""

    def __init__(self, input_format: AudioFormat, buffer: AudioBuffer | None = None) -> None:
        self.buffer = buffer or AudioBuffer()
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
