"""The files of traces, one for each session, in the directory that `VIVAVOCE_TRACE` names."""

import errno
import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

import msgspec

from realtime.settings import Settings
from realtime.tracing.writer import Line, SessionTrace

logger = logging.getLogger(__name__)

MAX_TRACE_BYTES: Final = 64 << 20
"""Bytes after which a trace is truncated: 75 minutes of audio in frames of 20 ms, at 15 kB a second."""

MIN_FREE_BYTES: Final = 1 << 30
"""Free space on the disk below which no further trace is opened, so that traces do not fill it."""

MAX_TRACES: Final = 1_000
"""Trace files in the directory; the oldest are removed when a session opens."""

FLUSH_SECONDS: Final = 1.0
"""Longest time in seconds that a line stays in memory while further lines are written."""

BUFFER_BYTES: Final = 1 << 16
"""Size of the write buffer, and so the most that one write to the file system blocks the event loop for."""


class TraceFile:
    """A sink that writes at most `max_bytes` to a file that only its owner can read, and closes it after the last line.

    Lines are buffered and written together, at most `FLUSH_SECONDS` late.
    """

    def __init__(self, path: Path, *, on_failure: Callable[[OSError], None], max_bytes: int = MAX_TRACE_BYTES) -> None:
        """Create the file. Raises `OSError`."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._stream: IO[bytes] | None = os.fdopen(descriptor, "wb", BUFFER_BYTES)
        self._on_failure = on_failure
        self._left = max_bytes
        self._flush_at = 0.0

    def __call__(self, line: Line) -> bool:
        """Write one line; return True if it was the last, because of the bound or an error of the file system."""
        if self._stream is None:
            return True
        data = msgspec.json.encode(line) + b"\n"
        self._left -= len(data)
        if self._left < 0:
            data = msgspec.json.encode({"t": line.get("t", 0.0), "end": "truncated"}) + b"\n"
        try:
            self._stream.write(data)
            if (now := line.get("t", 0.0)) >= self._flush_at:
                self._stream.flush()
                self._flush_at = now + FLUSH_SECONDS
        except OSError as error:
            self._fail(error)
        if self._left < 0 or "end" in line:
            self.close()
        return self._stream is None

    def close(self) -> None:
        """Write the buffered lines and close the file."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.close()
            except OSError as error:
                self._on_failure(error)

    def _fail(self, error: OSError) -> None:
        stream, self._stream = self._stream, None
        assert stream is not None
        self._on_failure(error)
        with suppress(OSError):
            stream.close()  # tries to write once more


def prepare_directory(directory: Path) -> None:
    """Make the directory for traces. Raises `OSError` if it cannot be made or written."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryFile(dir=directory):
        pass


class Traces:
    """Trace all sessions to files in the directory of the settings.

    An error of the file system is logged once and ends all traces; sessions go on.
    """

    def __init__(self, settings: Settings) -> None:
        self._directory = settings.trace.expanduser() if settings.trace else None
        self._text = settings.trace_text

    def open_session(self, session_id: str, clock: Callable[[], float]) -> SessionTrace | None:
        """Trace one session until the trace is ended; return None if traces are off."""
        if self._directory is None:
            return None
        try:
            file = self._open(self._directory, session_id)
        except OSError as error:
            self._switch_off(error)
            return None
        return SessionTrace(file, text=self._text, clock=clock)

    def _open(self, directory: Path, session_id: str) -> TraceFile:
        prepare_directory(directory)
        if shutil.disk_usage(directory).free < MIN_FREE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with suppress(FileNotFoundError):  # another server removes the oldest of the same directory
            files = sorted(directory.glob("sess_*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
            for path in files[: max(0, len(files) + 1 - MAX_TRACES)]:
                path.unlink()
        return TraceFile(directory / f"{session_id}.jsonl", on_failure=self._switch_off)

    def _switch_off(self, error: OSError) -> None:
        if self._directory is not None:
            logger.warning("traces are switched off: %s", error.strerror or type(error).__name__)
            self._directory = None
