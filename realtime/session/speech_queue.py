"""The speech of one response between the engine and the client: resampled, timed and paced."""

from collections.abc import Sequence
from typing import Final

from realtime.audio.formats import Samples
from realtime.audio.resampler import Resampler
from realtime.speech.playout import Chunk, Playout
from realtime.speech.speech_timing import SpeechTiming


class SpeechQueue:
    """Texts and the audio of each, in order, until they are due to be sent at `sample_rate`."""

    def __init__(self, sample_rate: int, *, paced: bool) -> None:
        self._rate: Final = sample_rate
        self.timing: Final = SpeechTiming(sample_rate)
        """What has been synthesized, and when it is played."""
        self._playout = Playout(sample_rate, paced=paced)
        self._speech_rate = 0
        """Sample rate of the speech so far, which differs between voice models; 0 before there is audio."""
        self._resampler: Resampler | None = None
        self._resampling = False
        """Whether the resampler holds back samples."""

    @property
    def has_audio(self) -> bool:
        """Whether any audio was added."""
        return self._resampler is not None

    @property
    def waiting(self) -> float:
        """Seconds of audio not yet released."""
        return self._playout.waiting

    @property
    def sent_seconds(self) -> float:
        """Seconds of audio released."""
        return self._playout.sent / self._rate

    @property
    def played_until(self) -> float:
        """When the client will have played all that was released; before the first audio, the beginning of time."""
        began = self._playout.began
        return float("-inf") if began is None else began + self.sent_seconds

    def seconds_ahead(self, now: float) -> float:
        """Return the seconds of speech, released or not, that the client has not played by `now`."""
        return self.waiting + max(0.0, self.played_until - now)

    def played_seconds(self, now: float) -> float:
        """Return the seconds that the client can have played by `now`."""
        began = self._playout.began
        return 0.0 if began is None else min(now - began, self.sent_seconds)

    def add_text(self, text: str, positions: Sequence[float] = ()) -> None:
        """Add the text of the audio that is added next, with `positions` as in `SpeechTiming`."""
        self._playout.add_text(text)
        self.timing.add_text(text, positions)

    def set_speech_rate(self, sample_rate: int) -> None:
        """Set the sample rate of the audio that is added next, before its text is added."""
        if sample_rate != self._speech_rate:
            self.end_audio()
            self._resampler = Resampler(sample_rate, self._rate)
            self._speech_rate = sample_rate

    def add_audio(self, samples: Samples) -> None:
        """Add synthesized audio; the text of it was added before."""
        assert self._resampler is not None
        self._add(self._resampler.process(samples))
        self._resampling = True

    def end_audio(self) -> None:
        """Add the samples that the resampler holds back."""
        if self._resampler is not None and self._resampling:
            self._add(self._resampler.flush())
            self._resampling = False

    def add_mark(self) -> None:
        """Add a mark, which is released after all that was added before."""
        self.end_audio()
        self._playout.add_mark()

    def release(self, now: float) -> list[Chunk]:
        """Remove and return what is due by `now`, in order."""
        return self._playout.release(now)

    def drop_next_phrases(self) -> bool:
        """Remove the phrases of which nothing was released, and return whether there were any."""
        dropped = self._playout.drop_next_phrases()
        self._resampling = self._resampling and not dropped
        return dropped

    def deadline(self) -> float | None:
        """Return when `release` will return something, or None if nothing waits."""
        return self._playout.deadline()

    def _add(self, samples: Samples) -> None:
        self._playout.add_audio(samples)
        self.timing.add_audio(samples)
