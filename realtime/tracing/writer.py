"""Traces: everything that enters and leaves the core of a session, one JSON object per line.

A trace explains why a word was late, missing or suppressed (`vivavoce trace`). It can also be replayed: the core is
deterministic, so the recorded inputs lead to the recorded outputs again (`realtime.tracing.replay`).

The first line is a header with the version and the configuration. Every other line holds `t`, seconds since the session
began, and one of

=========  ===========================================================================================================
receive    a command or an engine result, as `{type: fields}`
timer      a call of `handle_timer`
request    a call of `request_for`: the job, the load, and what is to be decoded (null: the job is no longer live)
progress   a running job is `encoded` and waits for a batch, is `decoding`, or `process_ended` while an engine had it;
           this does not concern the core
output     an event or a job, as `{type: fields}`; `audio` is the end of the audio received so far
id         a new identifier that the core was given
waiting    why no transcription of the newest speech is requested (`Waiting`), at each change; null: one is
cut        a quiet position that the core found in the audio
end        why the trace ends: `closed` with its session, or `truncated` at `MAX_TRACE_BYTES` of `files`
=========  ===========================================================================================================

Positions are samples at 16 kHz. Audio is recorded by its length. So is text, unless `VIVAVOCE_TRACE_TEXT` is set, with
two exceptions that a replay needs: recognized words become placeholders of the same length and punctuation, where equal
words have equal placeholders, because the core compares words; and text to speak becomes a text that is cut into the
same phrases and words (`realtime.tracing.placeholders`).

The design follows aioquic's `QuicLogger`.
"""

import dataclasses
import unicodedata
from collections.abc import Callable, Mapping, Sequence
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
from realtime.session.commands import ItemReference
from realtime.session.config import SessionConfig
from realtime.session.conversation import AudioPart, FunctionCall, FunctionCallOutput, Message, TextPart
from realtime.session.decode_policy import Waiting
from realtime.session.events import Input, Output
from realtime.session.generation import ChatFinished, ChatFunctionChoice, ChatTextDelta, ChatTool, ChatToolCallDelta
from realtime.session.jobs import ScoreWindows, SpeechSynthesized, Transcribed
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.speech_timing import audible_samples
from realtime.speech.transcript import Word, normalised
from realtime.tracing.placeholders import placeholder

FORMAT: Final = 5
"""Version of the format, in the header."""

SPOKEN_FIELDS: Final = frozenset({"text", "transcript"})
"""Fields with text that may be spoken; without `VIVAVOCE_TRACE_TEXT`, inputs record its placeholder."""

TEXT_FIELDS: Final = SPOKEN_FIELDS | {
    "delta", "prompt", "metadata", "request_id", "instructions", "arguments", "output", "name", "call_id",
    "description", "parameters",
}  # fmt: skip
"""Fields with text of users, clients and models; without `VIVAVOCE_TRACE_TEXT` only its length is recorded."""

ID_FIELDS: Final = frozenset({"id", "item_id", "previous_item_id", "after", "response_id"})
"""Fields with identifiers; those that clients have chosen are numbered instead."""

TAGGED: Final = (
    TextPart, AudioPart, Message, FunctionCall, FunctionCallOutput, ItemReference,
    ChatTextDelta, ChatToolCallDelta, ChatFinished, ChatTool, ChatFunctionChoice,
)  # fmt: skip
"""Types that stand for each other in a field; they are recorded with their name as `type`."""

LEFT_OUT: Final = frozenset({"state", "tokens", "timed", "clip"})
"""Fields that neither the timeline nor a replay needs. A `clip` is the recording of a person's voice."""

DRAFTED_BY: Final = "+"
"""Between the name of a recognizer and that of its draft model."""

_FIRST_PLACEHOLDER: Final = 0x4E00
"""A placeholder repeats one letter, from this code point (the first CJK ideograph) on."""

_FIRST_DIGIT: Final = 0x1D7CE
_DIGITS: Final = 50
"""The digits of placeholders of words with digits, which the core treats otherwise: the mathematical ones."""

_PLACEHOLDERS: Final = 20_000
"""Number of different placeholders; a trace with more different words reuses them, and may not replay."""

Line: TypeAlias = dict[str, Any]
Sink: TypeAlias = Callable[[Line], bool | None]
"""Writes a line; returns True when it accepts no more."""


class TracedBuffer(AudioBuffer):
    """An audio buffer that tells a trace the last span that was read, and the quiet positions found."""

    def __init__(self, trace: "SessionTrace") -> None:
        super().__init__()
        self._trace = trace
        trace.buffer = self

    def slice(self, start: int, end: int) -> Samples:
        self._trace.span = start, end
        return super().slice(start, end)

    def quietest(self, start: int, end: int) -> int:
        span = self._trace.span
        position = super().quietest(start, end)
        self._trace.span = span
        self._trace.found_cut(position)
        return position


class SessionTrace:
    """Observe one session and write its trace to a sink.

    Attributes:
        buffer: The newest buffer of the session. Where it has several, one for each channel, all are equally long.
        span: The last span of audio that was read.
    """

    def __init__(self, sink: Sink, *, text: bool, clock: Callable[[], float]) -> None:
        self.buffer = AudioBuffer()
        self.span = (0, 0)
        self._sink: Sink | None = sink
        self._text = text
        self._clock = clock
        self._in_placeholders = False
        # Both grow with what is written, and end with it.
        self._ids: set[str] = set()
        self._client_ids: dict[str, str] = {}
        self._placeholders: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def new_buffer(self) -> AudioBuffer:
        """Return a buffer for the session to use."""
        return TracedBuffer(self)

    def found_cut(self, position: int) -> None:
        """Write a quiet position that was found."""
        self._write({"t": self._clock(), "cut": position})

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

    def ended(self) -> None:
        """Write the last line."""
        self._write({"t": self._clock(), "end": "closed"})

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
            start, end = self.span
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
                fields["start"] = self.span[0]
            self._write({"t": now, "output": {type(output).__name__: fields}, "audio": self.buffer.end})

    def waited(self, waiting: Waiting | None, now: float) -> None:
        self._write({"t": now, "waiting": waiting and waiting.value})

    def _write(self, line: Line) -> None:
        if self._sink is not None and self._sink(line):
            self._sink = None

    def _plain_input(self, message: Input) -> object:
        self._in_placeholders = not self._text
        fields = self._plain(message)
        self._in_placeholders = False
        if isinstance(message, SpeechSynthesized):
            fields["audible"] = audible_samples(message.samples)
        if isinstance(message, Transcribed) and not self._text:
            for word, plain in zip(message.hypothesis.words, fields["hypothesis"]["words"], strict=True):
                plain["text"] = self._placeholder(word)
        return fields

    def _placeholder(self, word: Word) -> str:
        """Replace the letters and digits of a word; equal words, and equal parts between hyphens, have equal ones."""
        return "-".join(map(self._placeholder_of_part, word.text.split("-")))

    def _placeholder_of_part(self, text: str) -> str:
        """Replace the letters and digits of a part of a word; of one with digits, the last is another digit."""
        key = normalised(text)
        letter = self._placeholders.setdefault(key, chr(_FIRST_PLACEHOLDER + len(self._placeholders) % _PLACEHOLDERS))
        replaced = [letter if unicodedata.category(each)[0] in "LMNS" else each for each in text]
        if digits := [place for place, each in enumerate(text) if each.isdecimal()]:
            number = self._numbers.setdefault(key, len(self._numbers))
            replaced[digits[-1]] = chr(_FIRST_DIGIT + number % _DIGITS)
        return "".join(replaced)

    def _plain(self, value: Any) -> Any:  # noqa: ANN401 - any field of any value
        """Convert a value to JSON: arrays and bytes to their length, errors to their code, models to their name."""
        if isinstance(value, ModelEntry):
            return value.name if value.draft is None else f"{value.name}{DRAFTED_BY}{value.draft.name}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            plain = {name: self._plain_field(name, getattr(value, name)) for name in _names(type(value))}
            return plain | {"type": type(value).__name__} if isinstance(value, TAGGED) else plain
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
        if self._text or not isinstance(value, str | Mapping):
            return self._plain(value)
        if name in ID_FIELDS and value and value not in self._ids:
            return self._client_ids.setdefault(str(value), f"client_{len(self._client_ids) + 1}")
        if name not in TEXT_FIELDS:
            return self._plain(value)
        if self._in_placeholders and name in SPOKEN_FIELDS:
            return placeholder(str(value))
        return len(value)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind) if each.name not in LEFT_OUT)
