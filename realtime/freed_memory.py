"""Give memory that has been freed back to the operating system.

glibc keeps what a thread has freed for later allocations in the thread's arena. The load of a model allocates several
times what stays, in threads that allocate little afterwards.

Source: malloc_trim(3).
"""

import ctypes
import sys


def return_freed_memory() -> None:
    """Return the unused pages of all arenas, which takes some milliseconds; do nothing without glibc.

    Meanwhile the GIL is free, but an allocation of another thread may wait.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
