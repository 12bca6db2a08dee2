"""Traces: everything that enters and leaves the core of a session, one JSON object per line.

A trace explains why a word was late, missing or suppressed (`vivavoce trace`). It can also be replayed: the core is
deterministic, so the recorded inputs lead to the recorded outputs again (`realtime.tracing.replay`).

The first line is a header with the version and the configuration. Every other line holds `t`, seconds since the session
began, and one of

=========  ===========================================================================================================
receive    a command or an engine result, as `{type: fields}`
timer      a call of `handle_timer`
request    a call of `request_for`: the job, the load, and what is to be decoded (null: the job is no longer live)
progress   a running job is `encoded` and waits for a batch, or is `decoding`; this does not concern the core
output     an event or a job, as `{type: fields}`; `audio` is the end of the audio received so far
id         a new identifier that the core was given
cut        a quiet position that the core found in the audio
end        why the trace ends: `closed` with its session, or `truncated` at `MAX_TRACE_BYTES`
=========  ===========================================================================================================

Positions are samples at 16 kHz. Audio is recorded by its length. So is text, unless `VIVAVOCE_TRACE_TEXT` is set, with
two exceptions that a replay needs: recognized words become placeholders of the same length and punctuation, where equal
words have equal placeholders, because the core compares words; and text to speak becomes the lengths of its phrases.

The design follows aioquic's `QuicLogger`.
"""

import dataclasses
import errno
import logging
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from enum import Enum, IntEnum
from functools import cache
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import msgspec
import numpy as np

from realtime import __version__
from realtime.audio.buffer import AudioBuffer
from realtime.audio.formats import Samples
from realtime.catalogue.table import ModelEntry
from realtime.errors import VoiceError
from realtime.scheduling.priority import LoadLevel
from realtime.scheduling.queue import RequestProgress
from realtime.session.commands import CancelResponse, Speak
from realtime.session.config import SessionConfig
from realtime.session.events import Input, Output
from realtime.session.jobs import ScoreWindows, Transcribed
from realtime.settings import Settings
from realtime.speech.phrases import phrases
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Word, normalised

logger = logging.getLogger(__name__)

FORMAT: Final = 2
"""Version of the format, in the header."""

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

TEXT_FIELDS: Final = frozenset({"text", "delta", "prompt", "metadata", "request_id"})
"""Fields with text of users and clients; without `VIVAVOCE_TRACE_TEXT` only its length is recorded."""

LEFT_OUT: Final = frozenset({"state", "tokens"})
"""Fields that neither the timeline nor a replay needs."""

_FIRST_PLACEHOLDER: Final = 0x4E00
"""A placeholder repeats one letter, from this code point (the first CJK ideograph) on."""

_PLACEHOLDERS: Final = 20_000
"""Number of different placeholders; a trace with more different words reuses them, and may not replay."""

Line: TypeAlias = dict[str, Any]
Sink: TypeAlias = Callable[[Line], bool | None]
"""Writes a line; returns True when it accepts no more."""


class TracedBuffer(AudioBuffer):
    """An audio buffer that records the last `span` that was read and reports the quiet positions found."""

    def __init__(self, found_cut: Callable[[int], None]) -> None:
        super().__init__()
        self._found_cut = found_cut
        self.span = (0, 0)

    def slice(self, start: int, end: int) -> Samples:
        self.span = start, end
        return super().slice(start, end)

    def quietest(self, start: int, end: int) -> int:
        span = self.span
        position = super().quietest(start, end)
        self.span = span
        self._found_cut(position)
        return position


class SessionTrace:
    """Observe one session and write its trace to a sink."""

    def __init__(self, sink: Sink, *, text: bool, clock: Callable[[], float]) -> None:
        self.buffer = TracedBuffer(lambda position: self._write({"t": clock(), "cut": position}))
        self._sink: Sink | None = sink
        self._text = text
        self._clock = clock
        # Both grow with what is written, and end with it.
        self._ids: set[str] = set()
        self._placeholders: dict[str, str] = {}

    def header(self, session_id: str, config: SessionConfig) -> None:
        """Write the first line."""
        self._write(
            {
                "trace": FORMAT,
                "version": __version__,
                "session": session_id,
                "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "text": self._text,
                "config": self._plain(config),
            }
        )

    def end(self, reason: str) -> None:
        """Write the last line."""
        self._write({"t": self._clock(), "end": reason})

    def identify(self, new_id: Callable[[str], str]) -> Callable[[str], str]:
        """Return a `new_id` that records what it returns."""

        def recorded(prefix: str) -> str:
            identifier = new_id(prefix)
            if self._sink is not None:
                self._ids.add(identifier)
                self._write({"t": self._clock(), "id": identifier})
            return identifier

        return recorded

    def received(self, message: Input, now: float) -> None:
        if self._sink is not None:
            self._write({"t": now, "receive": {type(message).__name__: self._plain_input(message)}})

    def timer_fired(self, now: float) -> None:
        self._write({"t": now, "timer": None})

    def requested(self, job: int, load: LoadLevel, request: TranscriptionRequest | None, now: float) -> None:
        decode = None
        if request is not None:
            start, end = self.buffer.span
            decode = {
                "start": start,
                "end": end,
                "final": request.final,
                "word_times": request.word_times,
                "language": request.language,
                "under_load": request.under_load,
            }
        self._write({"t": now, "request": {"job": job, "load": load.value, "decode": decode}})

    def progressed(self, job: int, progress: RequestProgress) -> None:
        """Record the progress of a transcription between its request and its result."""
        self._write({"t": self._clock(), "progress": {"job": job, "is": progress.value}})

    def produced(self, outputs: Sequence[Output], now: float) -> None:
        for output in outputs if self._sink is not None else ():
            fields = self._plain(output)
            if isinstance(output, ScoreWindows):
                fields["start"] = self.buffer.span[0]
            self._write({"t": now, "output": {type(output).__name__: fields}, "audio": self.buffer.end})

    def _write(self, line: Line) -> None:
        if self._sink is not None and self._sink(line):
            self._sink = None

    def _plain_input(self, message: Input) -> object:
        fields = self._plain(message)
        match message:
            case _ if self._text:
                pass
            case Transcribed():
                for word, plain in zip(message.hypothesis.words, fields["hypothesis"]["words"], strict=True):
                    plain["text"] = self._placeholder(word)
            case Speak():
                fields["text"] = [len(phrase) for phrase in phrases(message.text)]
            case CancelResponse() if message.response_id not in (None, *self._ids):
                fields["response_id"] = "unknown"
        return fields

    def _placeholder(self, word: Word) -> str:
        """Replace the letters and digits of a word; equal words have equal placeholders."""
        key = normalised(word.text)
        letter = self._placeholders.setdefault(key, chr(_FIRST_PLACEHOLDER + len(self._placeholders) % _PLACEHOLDERS))
        return "".join(letter if unicodedata.category(each)[0] in "LMNS" else each for each in word.text)

    def _plain(self, value: Any) -> Any:  # noqa: ANN401 - any field of any value
        """Convert a value to JSON: arrays and bytes to their length, errors to their code, models to their name."""
        if isinstance(value, ModelEntry):
            return value.name
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {name: self._plain_field(name, getattr(value, name)) for name in _names(type(value))}
        match value:
            case np.ndarray() | bytes():
                return len(value)
            case VoiceError():
                return value.code
            case IntEnum():
                return value.name.lower()
            case Enum():
                return value.value
            case tuple() | list():
                return [self._plain(each) for each in value]
            case str() | int() | float() | dict() | None:
                return value
            case _:
                return type(value).__name__

    def _plain_field(self, name: str, value: Any) -> Any:  # noqa: ANN401
        if name in TEXT_FIELDS and value is not None and not self._text:
            return len(value)
        return self._plain(value)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind) if each.name not in LEFT_OUT)


class TraceFile:
    """A sink that writes at most `max_bytes` to a file that only its owner can read.

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
        if self._left < 0:
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


class Traces:
    """Trace all sessions to files in the directory of the settings.

    An error of the file system is logged once and ends all traces; sessions go on.
    """

    def __init__(self, settings: Settings) -> None:
        self._directory = settings.trace.expanduser() if settings.trace else None
        self._text = settings.trace_text

    @contextmanager
    def session(self, session_id: str, clock: Callable[[], float]) -> Iterator[SessionTrace | None]:
        """Trace one session for as long as the block runs; yield None if traces are off."""
        trace = None
        with ExitStack() as stack:
            if self._directory is not None:
                try:
                    file = self._open(self._directory, session_id)
                except OSError as error:
                    self._switch_off(error)
                else:
                    stack.callback(file.close)
                    trace = SessionTrace(file, text=self._text, clock=clock)
                    stack.callback(trace.end, "closed")
            yield trace

    def _open(self, directory: Path, session_id: str) -> TraceFile:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
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
