"""The keys that a caller presses (DTMF), as one entry."""

from typing import Final

ENTRY_PAUSE: Final = 2.0
"""Seconds without another key after which an entry is complete: the default of Pipecat's aggregator, and less than
the 5 s that Twilio's own `<Gather>` waits."""

MAX_KEYS: Final = 32
"""Keys of one entry, more than any card or account number has; a longer one is complete with the last of them."""

_END: Final = "#"


class Keypad:
    """Collects keys until `#`, or until no other is pressed for `ENTRY_PAUSE`. Time is that of the call's audio."""

    def __init__(self) -> None:
        self._keys = ""
        self._seconds = 0.0

    @property
    def pressed(self) -> bool:
        """Whether an entry has begun."""
        return bool(self._keys)

    def press(self, key: str) -> str:
        """Add a key; return the entry if it is complete, without the `#` that ends it, or an empty string."""
        self._seconds = 0.0
        if key == _END and self._keys:
            return self._complete()
        self._keys += key
        return self._complete() if key == _END or len(self._keys) == MAX_KEYS else ""

    def advance(self, seconds: float) -> str:
        """Let audio pass; return the entry if it is complete, or an empty string."""
        self._seconds += seconds
        return self._complete() if self._seconds >= ENTRY_PAUSE else ""

    def _complete(self) -> str:
        entry, self._keys = self._keys, ""
        return entry
