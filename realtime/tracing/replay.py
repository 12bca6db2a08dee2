"""Replay a trace: pass its recorded inputs to a fresh session and compare the outputs.

The core is deterministic. It depends on its inputs, the time, new identifiers, and the quiet positions it finds in the
audio. All of these are recorded, so that audio of the same length can replace what was heard and said: silence from the
microphone, and in speech a constant level with as much silence after it, which does not count as words.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, get_type_hints

import msgspec
import numpy as np

from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.names import lookup
from realtime.catalogue.table import EngineName, ModelEntry, Task
from realtime.errors import ClientError, UnknownModel, VoiceError
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    Conclude,
    Configure,
    CreateItem,
    CreateResponse,
    DeleteItem,
    ExtendSpeech,
    Rest,
    RetrieveItem,
    Speak,
    TruncateItem,
)
from realtime.session.config import SessionConfig
from realtime.session.events import Input
from realtime.session.jobs import (
    Generated,
    JobFailed,
    SpeechSynthesized,
    SynthesisFinished,
    Transcribed,
    TurnScored,
    WindowsScored,
)
from realtime.speech.transcript import Hypothesis, Word
from realtime.tracing.observers import ObservedSession
from realtime.tracing.writer import DRAFTED_BY, FORMAT, TAGGED, TEXT_FIELDS, Line, SessionTrace, TracedBuffer

_VALUES: Final[dict[str, type[Input]]] = {
    each.__name__: each
    for each in (
        CommitAudio, ClearAudio, CancelResponse, Configure, CreateItem, DeleteItem, RetrieveItem, TruncateItem,
        CreateResponse, Speak, ExtendSpeech, Conclude, Rest, SynthesisFinished, Generated, TurnScored,
    )
}  # fmt: skip
"""Inputs with plain fields only, by name."""

_TAGGED: Final = {each.__name__: each for each in TAGGED}


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace in memory: the header and all lines after it."""

    header: Line
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference between a trace and its replay; None means that one of them has no further line."""

    number: int
    """Number of the recorded line in its file, from 1; of the last line if there is no further one."""
    recorded: Line | None
    replayed: Line | None


def read(path: Path) -> Trace:
    """Read a trace, without a last line that was not written completely.

    Raises:
        OSError: The file cannot be read.
        ClientError: The file is not a trace, or its format is of another version.

    """
    texts = path.read_bytes().splitlines()
    try:
        header = msgspec.json.decode(texts[0]) if texts else {}
        lines = [msgspec.json.decode(text) for text in texts[1:-1]]
        with suppress(msgspec.DecodeError):
            lines += [msgspec.json.decode(text) for text in texts[1:][-1:]]
    except msgspec.DecodeError as exc:
        raise ClientError(f"{path} is not a trace: {exc}") from exc
    if not isinstance(header, dict) or header.get("trace") != FORMAT:
        raise ClientError(f"{path} is not a trace that this version can read")
    return Trace(header, lines)


def replay(trace: Trace) -> Difference | None:
    """Run the session of a trace again and return the first difference, or None if there is none.

    A trace that is not closed may lack outputs of its last input; these are not compared.
    """
    closed = bool(trace.lines) and trace.lines[-1].get("end") == "closed"
    recorded = (
        (number, line) for number, line in enumerate(trace.lines, start=2) if "output" in line or "request" in line
    )
    number = 1
    for replayed in _run(trace):
        number, line = next(recorded, (number, None))
        if line is None and not closed:
            return None
        if line != replayed:
            return Difference(number, line, replayed)
    if (missing := next(recorded, None)) is not None:
        return Difference(*missing, None)
    return None


def _run(trace: Trace) -> Iterator[Line]:
    """Yield the output and request lines of a fresh session that receives the inputs of the trace."""
    now = 0.0
    produced: list[Line] = []
    ids = (line["id"] for line in trace.lines if "id" in line)
    observer = SessionTrace(produced.append, text=trace.header["text"], clock=lambda: now)
    cuts = (line["cut"] for line in trace.lines if "cut" in line)
    new_id = observer.identify(lambda prefix: next(ids, f"{prefix}_unrecorded"))
    config = msgspec.convert(_with_text(trace.header["config"]), SessionConfig)
    session = ObservedSession(config, new_id, [observer], lambda: now, lambda: _ReplayedBuffer(observer, cuts))
    for line in trace.lines:
        now = line.get("t", now)
        with suppress(VoiceError):  # the recorded session failed in the same place, or else the outputs differ
            match line:
                case {"receive": message}:
                    session.receive(_input(message), now)
                case {"timer": _}:
                    session.handle_timer(now)
                case {"request": {"job": job, "load": load}}:
                    session.request_for(job, LoadLevel(load))
        # As they were written: JSON has no tuples.
        written: list[Line] = msgspec.json.decode(msgspec.json.encode(produced))
        produced.clear()
        yield from (each for each in written if "output" in each or "request" in each)


class _ReplayedBuffer(TracedBuffer):
    """A buffer that returns the recorded quiet positions."""

    def __init__(self, trace: SessionTrace, cuts: Iterator[int]) -> None:
        super().__init__(trace)
        self._cuts = cuts

    def quietest(self, start: int, end: int) -> int:
        return next(self._cuts, (start + end) // 2)


def _input(message: dict[str, Any]) -> Input:
    ((kind, fields),) = message.items()
    match kind:
        case "AppendAudio":
            return AppendAudio(bytes(fields["data"]))
        case "CreateItem":
            audio = tuple((part, bytes(length)) for part, length in fields.pop("audio", ()))
            created: CreateItem = _build(CreateItem, _with_text(fields))
            return replace(created, audio=audio)
        case "WindowsScored":
            return WindowsScored(fields["number"], fields["probabilities"], np.zeros(1, np.float32))
        case "Transcribed":
            hypothesis = fields["hypothesis"] | {
                "words": [msgspec.convert(word, Word) for word in fields["hypothesis"]["words"]]
            }
            return Transcribed(fields["number"], Hypothesis(**hypothesis))
        case "SpeechSynthesized":
            speech = np.zeros(fields["samples"], np.float32)
            speech[: fields["audible"]] = 0.25
            return SpeechSynthesized(fields["number"], speech, fields["sample_rate"], fields["positions"])
        case "JobFailed":
            error = type("RecordedError", (VoiceError,), {"code": fields["error"]})
            return JobFailed(fields["number"], error(""))
        case _:
            value: Input = _build(_VALUES[kind], _with_text(fields))
            return value


def _build(kind: type, fields: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return a value of this type from its recorded fields."""
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in fields.items() if name in hints})


def _value(hint: Any, value: Any) -> Any:  # noqa: ANN401
    match value:
        case {"type": str(name)} if name in _TAGGED:
            return _build(_TAGGED[name], value)
        case list():
            return tuple(_value(Any, each) for each in value)
        case None:
            return None
        case _:
            return msgspec.convert(value, hint)


def _with_text(fields: dict[str, Any]) -> dict[str, Any]:
    """Insert text of the recorded length where only the length was recorded."""
    return {name: _text(name, value) for name, value in fields.items()}


def _recognizer(name: str) -> ModelEntry:
    """Return the recognizer of this name, of which the core passes on the name, and reads what a draft model can do."""
    try:
        return lookup(name)
    except UnknownModel:
        return ModelEntry(name, Task.TRANSCRIPTION, EngineName.WHISPER, name, Capabilities(), "")


def _text(name: str, value: Any) -> Any:  # noqa: ANN401
    match value:
        case str() if name == "recognizer":
            recognizer, _, draft = value.partition(DRAFTED_BY)
            return msgspec.to_builtins(replace(_recognizer(recognizer), draft=_recognizer(draft) if draft else None))
        case int() if name in ("metadata", "parameters"):
            return {str(number): "" for number in range(value)}
        case int() if name in TEXT_FIELDS:
            return "x" * value
        case list():
            return [_with_text(each) if isinstance(each, dict) else each for each in value]
        case dict() if name == "metadata":  # whose names are the client's
            return value
        case dict():
            return _with_text(value)
        case _:
            return value
