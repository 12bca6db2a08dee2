"""Directories of weights: created completely or not at all, by one process at a time, after checking the free space."""

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from realtime.errors import EngineError

RESERVED_BYTES: Final = 256 << 20
"""Bytes of a disk that are left free for everything else."""


@contextmanager
def locked(directory: Path) -> Iterator[IO[str]]:
    """Hold a lock between processes on creating `directory`; the system releases it when its holders die.

    The yielded file holds the lock, and so does a child process that inherits it.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_name(f"{directory.name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield stream


@contextmanager
def atomic_directory(directory: Path) -> Iterator[Path]:
    """Yield an empty directory that replaces `directory` at the end of the block, or is deleted if the block fails.

    Hold the lock: what a killed process left is removed first.
    """
    unfinished = directory.with_name(f"{directory.name}.partial")
    for old in (unfinished, directory):
        shutil.rmtree(old, ignore_errors=True)
    unfinished.mkdir()
    try:
        yield unfinished
        unfinished.replace(directory)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def require_space(needs: Iterable[tuple[Path, int]]) -> None:
    """Raise `EngineError` if the disk of a directory, which need not exist yet, has fewer bytes free than needed."""
    disks: dict[int, tuple[Path, int]] = {}
    for directory, needed in needs:
        disk = next(each for each in (directory, *directory.parents) if each.exists()).stat().st_dev
        disks[disk] = directory, needed + (disks[disk][1] if disk in disks else 0)
    for directory, needed in disks.values():
        existing = next(each for each in (directory, *directory.parents) if each.exists())
        free = max(0, shutil.disk_usage(existing).free - RESERVED_BYTES)
        if needed > free:
            raise EngineError(f"{directory} needs {needed} bytes, but only {free} are free on its disk.")


def size_of(directory: Path) -> int:
    """Return the total size of all files below a directory, in bytes."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
