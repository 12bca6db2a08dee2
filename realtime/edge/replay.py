"""Replay a trace: give its recorded inputs to a fresh session and compare what comes out.

The core is deterministic. Besides its inputs it depends on identifiers, on the quiet positions it finds in the audio
and on the time; all of them are recorded, so that silence of the same length can stand in for the audio.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from realtime.catalogue.table import EngineName, ModelEntry, Task
from realtime.edge.observers import ObservedSession
from realtime.edge.trace import FORMAT, TEXT_FIELDS, Line, SessionTrace, TracedBuffer
from realtime.errors import ClientError, VoiceError
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    Configure,
    Speak,
    WireRequest,
)
from realtime.session.config import SessionConfig
from realtime.session.events import Input
from realtime.session.jobs import JobFailed, SpeechSynthesized, SynthesisFinished, Transcribed, WindowsScored
from realtime.speech.phrases import LONGEST_PHRASE
from realtime.speech.transcript import Hypothesis, Word

_VALUES: Final[dict[str, type[Input]]] = {
    each.__name__: each for each in (CommitAudio, ClearAudio, CancelResponse, Configure, Speak, SynthesisFinished)
}
"""Inputs that are made of plain fields."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace that was read: its header and all lines after it."""

    header: Line
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that a replay does differently; None stands for nothing."""

    number: int
    """Number of the recorded line in its file, or of its last one."""
    recorded: Line | None
    replayed: Line | None


def read(path: Path) -> Trace:
    """Read a trace; a last line that was not written completely is left out.

    Raises `OSError`, and `ClientError` for a file that is no trace of this version.
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
    """Run the session of a trace again; return where it first does something else, or None where it never does.

    What follows from the last input of a trace that was cut off, by its bound or with its server, is not compared.
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
    """Yield the outputs and requests of a fresh session that is given the inputs of the trace."""
    now = 0.0
    produced: list[Line] = []
    ids = (line["id"] for line in trace.lines if "id" in line)
    observer = SessionTrace(produced.append, text=trace.header["text"], clock=lambda: now)
    observer.buffer = _ReplayedBuffer(line["cut"] for line in trace.lines if "cut" in line)
    new_id = observer.identify(lambda prefix: next(ids, f"{prefix}_unrecorded"))
    config = msgspec.convert(_with_text(trace.header["config"]), SessionConfig)
    session = ObservedSession(config, new_id, [observer], lambda: now, observer.buffer)
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
    """A buffer that finds the quiet positions that were found in the recorded audio."""

    def __init__(self, cuts: Iterator[int]) -> None:
        super().__init__(lambda _: None)
        self._cuts = cuts

    def quietest(self, start: int, end: int) -> int:
        return next(self._cuts, (start + end) // 2)


def _input(message: dict[str, Any]) -> Input:
    ((kind, fields),) = message.items()
    match kind:
        case "AppendAudio":
            return AppendAudio(bytes(fields["data"]))
        case "WireRequest":
            return WireRequest(fields["request"])
        case "WindowsScored":
            return WindowsScored(fields["number"], fields["probabilities"], np.zeros(1, np.float32))
        case "Transcribed":
            hypothesis = fields["hypothesis"] | {
                "words": [msgspec.convert(word, Word) for word in fields["hypothesis"]["words"]]
            }
            return Transcribed(fields["number"], Hypothesis(**hypothesis))
        case "SpeechSynthesized":
            silence = np.zeros(fields["samples"], np.float32)
            return SpeechSynthesized(fields["number"], silence, fields["sample_rate"])
        case "JobFailed":
            error = type("RecordedError", (VoiceError,), {"code": fields["error"]})
            return JobFailed(fields["number"], error(""))
        case _:
            return msgspec.convert(_with_text(fields), _VALUES[kind])


def _with_text(fields: dict[str, Any]) -> dict[str, Any]:
    """Put text of the recorded length where only the length was recorded."""
    return {name: _text(name, value) for name, value in fields.items()}


def _text(name: str, value: Any) -> Any:  # noqa: ANN401
    match value:
        case str() if name == "recognizer":  # of which the core passes on the name
            return msgspec.to_builtins(ModelEntry(value, Task.TRANSCRIPTION, EngineName.WHISPER, value, (), ""))
        case int() if name == "metadata":
            return {str(number): "" for number in range(value)}
        case int() if name in TEXT_FIELDS:
            return "x" * value
        case list() if name == "text":
            return "".join(map(_phrase, value))
        case dict():
            return _with_text(value)
        case _:
            return value


def _phrase(length: int) -> str:
    """Return a sentence of this length; white space follows one that is longer than a phrase may be."""
    sentence = min(length, LONGEST_PHRASE)
    return "X" * max(1, sentence - 1) + "。"[: sentence - 1] + " " * (length - sentence)
