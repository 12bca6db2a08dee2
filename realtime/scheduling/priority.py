"""Priority, load level and client of a request."""

from enum import Enum, IntEnum
from typing import Final, NamedTuple

# Jobs: what a session asks of the engines. Every job has a number; a result whose number is not live is dropped.


class Priority(IntEnum):
    """Who goes first when an engine is busy."""

    FINAL = 0
    PARTIAL = 1
    UPLOAD = 2


class LoadLevel(Enum):
    """How much time an engine has: to spare, in a hurry just enough, and too little."""

    NORMAL = "normal"
    BUSY = "busy"
    CRITICAL = "critical"


class ClientId(NamedTuple):
    """Whose work it is: the account that pays and its session, or its upload."""

    account: str = ""
    session: str = ""


ANONYMOUS: Final = ClientId()
