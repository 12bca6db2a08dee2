"""Directories of weights on disk: locked between processes, with room checked beforehand, whole or not there at all."""

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from realtime.errors import EngineError

RESERVED_BYTES: Final = 256 << 20
"""Bytes of a disk that weights never take."""


@contextmanager
def locked(directory: Path) -> Iterator[IO[str]]:
    """Hold the lock of a directory that is to appear, between processes; the system frees it when its holders die.

    The open file that is yielded holds it; a child process that inherits it holds it too.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_name(f"{directory.name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield stream


@contextmanager
def atomic_directory(directory: Path) -> Iterator[Path]:
    """An empty directory to fill, which takes the place of `directory` when the block ends and vanishes if it fails.

    What a killed process left behind is cleared away first: hold the lock.
    """
    unfinished = directory.with_name(f"{directory.name}.partial")
    for remains in (unfinished, directory):
        shutil.rmtree(remains, ignore_errors=True)
    unfinished.mkdir()
    try:
        yield unfinished
        unfinished.replace(directory)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def require_space(needs: Iterable[tuple[Path, int]]) -> None:
    """Raise `EngineError` where the disks on which these directories lie, or will lie, have not so many bytes left."""
    disks: dict[int, tuple[Path, int]] = {}
    for directory, needed in needs:
        disk = next(each for each in (directory, *directory.parents) if each.exists()).stat().st_dev
        disks[disk] = directory, needed + (disks[disk][1] if disk in disks else 0)
    for directory, needed in disks.values():
        existing = next(each for each in (directory, *directory.parents) if each.exists())
        free = max(0, shutil.disk_usage(existing).free - RESERVED_BYTES)
        if needed > free:
            raise EngineError(f"{directory} needs {needed} bytes, but only {free} are free on its disk")


def size_of(directory: Path) -> int:
    """Bytes of all files below a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
