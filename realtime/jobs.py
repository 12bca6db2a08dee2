"""Job numbers: which answers of the engines are still wanted."""

from realtime.events import CancelJob


class Jobs:
    """Numbers the jobs of one session and remembers which of them are live."""

    def __init__(self) -> None:
        self._last = 0
        self._live: set[int] = set()

    def begin(self) -> int:
        """A number for a new job."""
        self._last += 1
        self._live.add(self._last)
        return self._last

    def is_live(self, number: int) -> bool:
        return number in self._live

    def end(self, number: int) -> None:
        """The job's last answer has come."""
        self._live.discard(number)

    def cancel(self, number: int) -> CancelJob:
        """Whatever the job still answers will be dropped."""
        self._live.discard(number)
        return CancelJob(number)
