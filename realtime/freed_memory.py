"""What is done with memory that has been freed; it concerns glibc only.

glibc keeps what a thread has freed for later allocations in the thread's arena, of which there are up to eight for each
CPU. So the scratch memory of one decoder worker is of no use to another, and that of a thread in which a model was
loaded, several times what stays, to nobody.

Sources: mallopt(3), malloc_trim(3).
"""

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Final

M_ARENA_MAX: Final = -8
"""The parameter of `mallopt` for the number of arenas (malloc.h)."""


def limit_arenas(number: int) -> None:
    """Let all threads allocate from so many arenas, unless `MALLOC_ARENA_MAX` sets it; call it before they start."""
    mallopt = _function("mallopt")
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(M_ARENA_MAX, number)


def return_freed_memory() -> None:
    """Return the unused pages of all arenas to the operating system, which takes some milliseconds.

    Meanwhile the GIL is free, but an allocation of another thread may wait.
    """
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


def _function(name: str) -> Callable[..., object] | None:
    """Return a function of the C library; None where it has no such one."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
