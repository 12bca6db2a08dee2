"""The recordings of `vivavoce transcribe`, and where their transcripts go."""

import argparse
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from realtime.errors import EmptyFile, TooLarge, VoiceError

STDIN: Final = "-"
"""Name of standard input among the files of the command."""

STDOUT: Final = "-"
"""Name of standard output in place of a directory."""

MAX_PIPE_BYTES: Final = 16 * 1024**3
"""Bytes of one recording that comes through a pipe; they are copied to a temporary file."""

_READ_SIZE: Final = 1024 * 1024
"""Bytes read from a pipe at a time."""


class OutputError(Exception):
    """The output cannot be prepared or written; `output` is its name in messages."""

    def __init__(self, output: str, cause: OSError) -> None:
        super().__init__(output)
        self.output = output
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording, and where its transcript goes.

    `pipe` holds what came through a pipe, `destination` is None for standard output.
    """

    name: str
    destination: Path | None
    pipe: IO[bytes] | None

    def open(self) -> IO[bytes]:
        """Open the recording. Raises `OSError`, and `EmptyFile`."""
        file = self.pipe or Path(self.name).open("rb")  # noqa: SIM115 - the caller closes it
        if not file.seek(0, 2):
            file.close()
            raise EmptyFile("The file is empty.")
        return file


def recordings(options: argparse.Namespace) -> Iterator[Recording | None]:
    """Yield the recordings; None for one that cannot be transcribed, after reporting why.

    Pipes are read here, in the main thread, where Ctrl-C interrupts the reading.
    """
    destinations: set[Path] = set()
    for name in options.files:
        try:
            _check_readable(name)
            destination = _destination(name, options)
            if destination is not None:
                if destination in destinations:
                    raise FileExistsError(f"another file is transcribed to {destination}")
                with blaming(destination):
                    exists = destination.exists()
                if exists and not options.force:
                    raise FileExistsError(f"{destination} exists; overwrite it with --force")
                destinations.add(destination)
            _check_writable(destination)
            yield Recording(name, destination, _pipe(name))
        except (OSError, VoiceError) as error:
            report(name, error)
            yield None
        except OutputError as error:
            report(error.output, error.cause)
            yield None


def _check_readable(name: str) -> None:
    """Raise `OSError` if a file cannot be opened. Pipes are left alone: they can be opened only once."""
    if name != STDIN and not Path(name).is_fifo():
        with Path(name).open("rb"):
            pass


def _check_writable(destination: Path | None) -> None:
    """Raise `OutputError` if a transcript cannot be written there, before the work is done in vain."""
    with blaming(destination):
        if destination is None:
            if sys.stdout is None:
                raise OSError("is closed")
        elif destination.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        elif destination.exists():
            if not os.access(destination, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        elif not os.access(destination.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def blaming(output: Path | None) -> Iterator[None]:
    """Turn an `OSError` into an `OutputError` that names the output; None is standard output."""
    try:
        yield
    except OSError as error:
        raise OutputError("standard output" if output is None else str(output), error) from error


def _destination(name: str, options: argparse.Namespace) -> Path | None:
    """Return the path of the transcript, or None for standard output. Creates the directory."""
    stem = "stdin" if name == STDIN else Path(name).stem
    if options.output == STDOUT:
        return None
    if options.output is not None:
        directory = Path(options.output)
        with blaming(directory):
            if directory.exists() and not directory.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            directory.mkdir(parents=True, exist_ok=True)
        return directory / f"{stem}.{options.format}"
    if name == STDIN or len(options.files) == 1:
        return None
    return Path(name).with_name(f"{stem}.{options.format}")


def _pipe(name: str) -> IO[bytes] | None:
    """Copy a pipe or standard input into a temporary file, because decoding seeks; return None for a regular file.

    Raises `OSError`, and `TooLarge`.
    """
    if name == STDIN:
        if sys.stdin is None:
            raise OSError("is closed")
        return _copied(sys.stdin.buffer)
    if Path(name).is_fifo():
        with Path(name).open("rb") as pipe:
            return _copied(pipe)
    return None


def _copied(pipe: IO[bytes]) -> IO[bytes]:
    copy = TemporaryFile()  # noqa: SIM115 - the caller closes it
    while data := pipe.read(_READ_SIZE):
        copy.write(data)
        if copy.tell() > MAX_PIPE_BYTES:
            copy.close()
            raise TooLarge(f"The input is larger than {MAX_PIPE_BYTES} bytes.")
    return copy


def printable(name: str, file: IO[str] | None = None) -> str:
    """Return the name with escapes for what the file, by default standard error, cannot show."""
    encoding = getattr(file or sys.stderr, "encoding", None) or "utf-8"
    return name.encode(encoding, "backslashreplace").decode(encoding)


def report(name: str, error: OSError | VoiceError) -> None:
    """Print a line that names the file and says what is wrong with it."""
    note(name, error.message if isinstance(error, VoiceError) else error.strerror or str(error))


def note(name: str, message: str) -> None:
    """Print a line that names the file to standard error."""
    line = f"vivavoce transcribe: {'standard input' if name == STDIN else name}: {message}"
    print(printable(line), file=sys.stderr)
