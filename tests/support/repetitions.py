"""How often a fault is repeated: a few times with the other tests, many times in `make soak`."""

import os
from typing import Final

SOAKING: Final = "SOAK" in os.environ


def repetitions(few: int, many: int) -> int:
    return many if SOAKING else few
