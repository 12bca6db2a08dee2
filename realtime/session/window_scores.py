"""The speech probabilities of the windows of one speaker: requested one job at a time, used in order."""

import numpy as np
from numpy.typing import NDArray

from realtime.audio.formats import WINDOW
from realtime.session.jobs import Jobs, ScoreWindows, WindowsScored


class WindowScores:
    """Scores that have come and are not used yet, and the job for those after them."""

    def __init__(self, jobs: Jobs) -> None:
        self.used_until = 0
        """Position up to which scores have been used."""
        self._jobs = jobs
        self._waiting: list[float] = []
        """Scores that are not used yet; the last of them is that of the window that ends at `_end`."""
        self._end = 0
        self._in_flight: tuple[int, int] | None = None
        """Number and end position of the job in flight."""
        self._state: NDArray[np.float32] | None = None
        """State of the detector after the last window scored; None at the beginning of a stream."""

    @property
    def available(self) -> bool:
        """Whether there are scores to use."""
        return bool(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether all scores that were requested have come and have been used."""
        return self._in_flight is None and not self._waiting

    @property
    def scored_until(self) -> int:
        """Position up to which the audio has been scored; the scores need not have been used."""
        return self._end if self._waiting else self.used_until

    def request(self, windows: NDArray[np.float32], end: int) -> ScoreWindows:
        """Request the scores of these windows, shape (n, 512), which follow those used and end at `end`."""
        number = self._jobs.begin()
        self._in_flight = number, end
        return ScoreWindows(number, windows, self._state)

    def awaits(self, job: int) -> bool:
        """Return whether this job is the one in flight."""
        return self._in_flight is not None and self._in_flight[0] == job

    def receive(self, result: WindowsScored) -> None:
        """Take the result of the job in flight."""
        assert self._in_flight is not None
        _, self._end = self._in_flight
        self._in_flight = None
        self._jobs.end(result.number)
        self._state = result.state
        self._waiting.extend(result.probabilities)

    def use(self) -> tuple[int, float]:
        """Return the start of the next window and its score, which is used from now on.

        The window ends at `used_until`; only the last one before a commit is shorter than `WINDOW`.
        """
        start, self.used_until = self.used_until, min(self.used_until + WINDOW, self._end)
        return start, self._waiting.pop(0)

    def begin_stream(self) -> None:
        """Have the detector forget what was before the windows that are scored next."""
        self._state = None
