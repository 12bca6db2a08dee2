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
waiting    why no transcription of the newest speech is requested (`Waiting`), at each change; null: one is
cut        a quiet position that the core found in the audio
end        why the trace ends: `closed` with its session, or `truncated` at `MAX_TRACE_BYTES` of `files`
=========  ===========================================================================================================

Positions are samples at 16 kHz. Audio is recorded by its length. So is text, unless `VIVAVOCE_TRACE_TEXT` is set, with
two exceptions that a replay needs: recognized words become placeholders of the same length and punctuation, where equal
words have equal placeholders, because the core compares words; and text to speak becomes the lengths of its phrases.

The design follows aioquic's `QuicLogger`.
"""

import dataclasses
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import Enum, IntEnum
from functools import cache
from typing import Any, Final, TypeAlias

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
from realtime.session.decode_policy import Waiting
from realtime.session.events import Input, Output
from realtime.session.jobs import ScoreWindows, Transcribed
from realtime.speech.phrases import phrases
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Word, normalised

FORMAT: Final = 2
"""Version of the format, in the header."""

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

    def waited(self, waiting: Waiting | None, now: float) -> None:
        self._write({"t": now, "waiting": waiting and waiting.value})

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
