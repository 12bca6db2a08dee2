"""When something last happened to each of many names, for a bounded time."""

from collections.abc import KeysView


class RecentTimes:
    """The last time of each name, for `horizon` seconds. Times must not decrease, so that forgetting costs nothing."""

    def __init__(self, horizon: float) -> None:
        self._horizon = horizon
        self._times: dict[str, float] = {}
        """By name, the oldest time first."""

    def note(self, name: str, now: float) -> None:
        """Set the time of a name."""
        self._times.pop(name, None)
        self._times[name] = now

    def drop(self, name: str) -> None:
        """Forget a name, if it is known."""
        self._times.pop(name, None)

    def get(self, name: str, default: float) -> float:
        """Return the time of a name, or the default if it was forgotten."""
        return self._times.get(name, default)

    def __len__(self) -> int:
        return len(self._times)

    def names(self, now: float) -> KeysView[str]:
        """Return the names whose time is at most `horizon` seconds ago, after forgetting all others."""
        while self._times and now - (oldest := next(iter(self._times.items())))[1] > self._horizon:
            del self._times[oldest[0]]
        return self._times.keys()
