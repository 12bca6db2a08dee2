"""The command `vivavoce trace`: print the timeline of a session, or replay it."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from rich.table import Column, Table

from clients.cli.terminal import warn
from realtime.audio.formats import SAMPLE_RATE
from realtime.cli.tables import table_console
from realtime.errors import ClientError
from realtime.session.decode_policy import Waiting
from realtime.tracing.replay import Trace, read, replay
from realtime.tracing.timeline import UNFINISHED, Decode, LateWord, Reply, Timeline, Turn
from realtime.tracing.timeline_reader import timeline

_DAMAGE: Final = (AttributeError, LookupError, TypeError, ValueError, msgspec.MsgspecError)
"""What reading fails with where lines of a trace are missing or were changed."""


_REASONS: Final = {
    Waiting.NO_SPEECH.value: "too little speech",
    Waiting.NEW_SPEECH.value: "too little new speech",
    Waiting.IN_FLIGHT.value: "one in flight",
    Waiting.PAUSE.value: "a short pause",
    Waiting.ANSWERED.value: "the final is there",
    Waiting.EARLIER_SEGMENT.value: "an earlier segment comes first",
    Waiting.DONE.value: "not wanted",
}
"""Why no transcription was requested, in words."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="trace of a session, written by a server with VIVAVOCE_TRACE=DIRECTORY"
    )
    parser.add_argument(
        "--replay", action="store_true", help="run the session again with the recorded inputs and compare the outputs"
    )
    parser.add_argument("--json", action="store_true", help="print the timeline as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the timeline or replay the trace; return 1 if the replay differs or the file is no trace."""
    try:
        trace = read(options.file)
        if options.replay:
            return _replay(trace)
        found = timeline(trace)
    except OSError as error:
        warn("trace", f"cannot read {options.file}: {error.strerror}")
        return 1
    except ClientError as error:
        warn("trace", error.message)
        return 1
    except _DAMAGE as error:
        warn("trace", f"{options.file} is damaged: {type(error).__name__}: {error}")
        return 1
    if options.json:
        worst = [msgspec.to_builtins(word) | {"cause": word.cause} for word in found.worst_words]
        print(msgspec.json.format(msgspec.json.encode(msgspec.to_builtins(found) | {"worst_words": worst})).decode())
    else:
        _print(found)
    return 0


def _replay(trace: Trace) -> int:
    difference = replay(trace)
    if difference is None:
        compared = sum("output" in line or "request" in line for line in trace.lines)
        print(f"The replay is identical: {compared} outputs and requests.")
        return 0
    print(f"The replay differs from line {difference.number} on:")
    for mark, line in (("-", difference.recorded), ("+", difference.replayed)):
        print(f"{mark} {'nothing' if line is None else msgspec.json.encode(line).decode()}")
    return 1


def _print(found: Timeline) -> None:
    console = table_console()

    def line(text: str = "") -> None:
        console.print(text, soft_wrap=True)

    line(f"Session {found.session}, {found.started}, vivavoce {found.version}")
    end = found.end if found.end != UNFINISHED else f"{UNFINISHED} (it goes on, or the server was killed)"
    line(f"{found.seconds:.1f} s, of which {found.audio_seconds:.1f} s of audio; end: {end}")
    for at, level in found.loads:
        line(f"{at:9.3f}  load is {level}")
    for at, reason in found.refused:
        line(f"{at:9.3f}  command refused: {reason}")
    for turn in found.turns:
        line()
        line(_heading(turn))
        for at, text in sorted(_events(turn), key=lambda event: event[0]):
            line(f"{at:9.3f}  {text}")
    for reply in found.replies:
        line()
        line(_reply(reply))
    if found.worst_words:
        line()
        console.print(_worst(found.worst_words))


def _heading(turn: Turn) -> str:
    end = f"{turn.end / SAMPLE_RATE:.2f}" if turn.end is not None else "?"
    return f"Turn {turn.item_id}: audio {turn.start / SAMPLE_RATE:.2f} to {end} s"


def _events(turn: Turn) -> Iterator[tuple[float, str]]:
    yield turn.started, "starts"
    if turn.stopped is not None:
        yield turn.stopped, "stops"
    for at, finished in turn.pauses:
        judgement = (
            "no answer" if finished is None else f"the speaker has finished with a probability of {finished:.2f}"
        )
        yield at, f"pause: {judgement}"
    for decode in turn.decodes:
        yield decode.requested, _decode(decode)
    for delta in turn.deltas:
        text = repr(delta.text) if delta.text is not None else f"{delta.characters} characters"
        yield delta.at, f"+ {text} (audio received: {delta.audio / SAMPLE_RATE:.2f} s)"
    if turn.error:
        yield turn.completed or turn.started, f"failed: {turn.error}"
    if turn.completed is not None:
        latency = f", {turn.final_latency:.3f} s after it stopped" if turn.final_latency is not None else ""
        reasons = f", suppressed: {', '.join(turn.suppressed)}" if turn.suppressed else ""
        if not (turn.words or turn.suppressed):
            reasons = ", no speech" if not turn.decodes else ", no words"
        if turn.waited:
            waits = sorted(turn.waited.items(), key=lambda wait: -wait[1])
            text = ", ".join(f"{_REASONS[reason]} {seconds:.2f} s" for reason, seconds in waits)
            yield turn.completed, f"nothing requested: {text}"
        yield turn.completed, f"complete{latency}: {turn.words} words, {turn.erased} tentative words erased{reasons}"


def _decode(decode: Decode) -> str:
    what = f"{decode.kind} {decode.job} requested; queue {decode.queue_seconds:.3f} s"
    if decode.pulled is None:
        return f"{what}, {decode.outcome} there"
    span = f"{decode.start / SAMPLE_RATE:.2f} to {decode.end / SAMPLE_RATE:.2f} s"
    outcome = f"{decode.words} words" if decode.outcome == "answered" else decode.outcome
    suppressed = f", suppressed: {decode.suppressed}" if decode.suppressed else ""
    lost = decode.ended_processes
    ended = f", {lost} engine process{'es' * (lost > 1)} ended" if lost else ""
    engine = f"engine {decode.engine_seconds:.3f} s (encoding {decode.encode_seconds:.3f} s, "
    engine += f"batching {decode.batch_seconds:.3f} s, decoding {decode.decode_seconds:.3f} s)"
    return f"{what}, {engine}, audio {span}, load {decode.load}: {outcome}{suppressed}{ended}"


def _reply(reply: Reply) -> str:
    first = f"first audio after {reply.first_audio - reply.started:.3f} s" if reply.first_audio else "no audio"
    end = f" after {reply.finished - reply.started:.3f} s" if reply.finished is not None else ""
    error = f": {reply.error}" if reply.error else ""
    what = f"{first}, {reply.phrases} phrases, {reply.status}{end}{error}"
    return f"Response {reply.response_id} at {reply.started:.3f} s: {what}"


def _worst(words: list[LateWord]) -> Table:
    columns = ("lag", "detection", "queue", "engine", "agreement")
    figures = (Column(each, justify="right") for each in ("ends at", *columns))
    table = Table("latest words", *figures, "cause", box=None)
    for word in words:
        times = (f"{getattr(word, each):.2f}" for each in columns)
        cause = f"{word.cause}: {_REASONS[word.waiting]}" if word.cause == "detection" and word.waiting else word.cause
        table.add_row(word.text.strip(), f"{word.end / SAMPLE_RATE:.2f}", *times, cause)
    return table
