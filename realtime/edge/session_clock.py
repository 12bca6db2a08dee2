"""The clock of one session, which stands still while the session is parked."""

import time
from collections.abc import Callable


class SessionClock:
    """Seconds since the session began, without the pauses."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._start = monotonic()
        self._paused_at: float | None = None

    def __call__(self) -> float:
        return (self._monotonic() if self._paused_at is None else self._paused_at) - self._start

    @property
    def paused(self) -> bool:
        return self._paused_at is not None

    def pause(self) -> None:
        """Stand still until `resume`."""
        if self._paused_at is None:
            self._paused_at = self._monotonic()

    def resume(self) -> None:
        """Go on from the time at which the clock was paused."""
        if self._paused_at is not None:
            self._start += self._monotonic() - self._paused_at
            self._paused_at = None
