"""Memory that a thread has allocated and freed, and that the C library keeps."""

import os
import platform
from pathlib import Path
from typing import Final

GARBAGE_MEGABYTES: Final = 100
"""What `leave_garbage` allocates, in millions of bytes."""

_CHUNK: Final = 100_000
"""Bytes of an allocation, fewer than those that glibc gives back to the system at once."""

KEEPS_FREED_MEMORY: Final = platform.libc_ver()[0] == "glibc"
"""Whether the C library is one that keeps so much."""


def leave_garbage() -> list[bytearray]:
    """Allocate and free `GARBAGE_MEGABYTES`; return what is in use still, a fiftieth, between what is free."""
    return [bytearray(b"\1" * _CHUNK) for _ in range(GARBAGE_MEGABYTES * 1_000_000 // _CHUNK)][::50]


def resident_megabytes() -> float:
    """Return the resident memory of this process (Linux only)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
