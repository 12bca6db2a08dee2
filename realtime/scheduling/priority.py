"""Priority, load level and client of a request."""

from enum import Enum, IntEnum
from typing import Final, NamedTuple


class Priority(IntEnum):
    """The class of a request; a lower value is served first."""

    FINAL = 0
    """The final transcript of live speech, or another result that a live session waits for."""
    PARTIAL = 1
    """A revisable transcript of live speech."""
    UPLOAD = 2
    """A part of an uploaded recording."""


class LoadLevel(Enum):
    """How busy an engine is; `realtime.scheduling.cadence` has the thresholds."""

    LOW = "low"
    NORMAL = "normal"
    BUSY = "busy"
    CRITICAL = "critical"

    @property
    def is_high(self) -> bool:
        """Whether there is load: BUSY or CRITICAL."""
        return self in (LoadLevel.BUSY, LoadLevel.CRITICAL)


class ClientId(NamedTuple):
    """The client of a request: its account, by API key, and its session or upload."""

    account: str = ""
    session: str = ""


ANONYMOUS: Final = ClientId()
"""The client of a request that fair scheduling need not tell from others."""
