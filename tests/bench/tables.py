"""The figures as tables for a terminal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from rich.table import Table

from tests.bench.cost import AgeFigures, LengthFigures
from tests.bench.one_user import Row
from tests.bench.under_load import MAX_COMMIT_LAG, MAX_WORD_ERROR_RATE, LoadFigures, capacity
from tests.bench.whole_files import WholeFiles

Figures = TypeVar("Figures")
Columns = Mapping[str, Callable[[Figures], str]]


def one_user_table(rows: Iterable[Row], title: str) -> Table:
    table = Table("measured", "value", "unit", title=title)
    for row in rows:
        table.add_row(row.name, f"{row.value:.2f}", row.unit)
    return table


def load_table(runs: Iterable[LoadFigures], title: str) -> Table:
    columns: Columns[LoadFigures] = {
        "N": lambda run: str(run.streams),
        "held": lambda run: "yes" if run.held else "no",
        "WER %": lambda run: f"{100 * run.word_error_rate:.1f}",
        "whole files": lambda run: _percent(run.whole_file_error_rate),
        "commit lag p50/p95": lambda run: _pair(run.commit_lag_p50, run.commit_lag_p95),
        "settled lag p50/p95": lambda run: _pair(run.settled_lag_p50, run.settled_lag_p95),
        "first partial p50": lambda run: _seconds(run.first_partial_p50),
        "final after endpoint p50/p95": lambda run: _pair(run.final_after_endpoint_p50, run.final_after_endpoint_p95),
        "CPU s per audio s": lambda run: f"{run.cpu_seconds_per_audio_second:.3f}",
        "peak RSS MB": lambda run: f"{run.peak_memory_mb:.0f}",
        "refused": lambda run: str(run.refused),
        "failed": lambda run: str(len(run.failures)),
        "sent late": lambda run: _seconds(run.sent_late),
        "others' cores": lambda run: f"{run.cores_of_others:.2f}",
    }
    return _table(title, columns, runs)


def length_table(rows: Iterable[LengthFigures], title: str) -> Table:
    columns: Columns[LengthFigures] = {
        "utterance s": lambda row: f"{row.utterance_seconds:.1f}",
        "utterances": lambda row: str(row.utterances),
        "CPU s per audio s": lambda row: f"{row.run.cpu_seconds_per_audio_second:.3f}",
        "CPU s per s of speech": lambda row: f"{row.cpu_seconds_per_speech_second:.3f}",
        "commit lag p50/p95": lambda row: _pair(row.run.commit_lag_p50, row.run.commit_lag_p95),
        "settled lag p50/p95": lambda row: _pair(row.run.settled_lag_p50, row.run.settled_lag_p95),
        "others' cores": lambda row: f"{row.run.cores_of_others:.2f}",
    }
    return _table(title, columns, rows)


def age_table(rows: Iterable[AgeFigures], title: str) -> Table:
    columns: Columns[AgeFigures] = {
        "until s": lambda row: f"{row.age_seconds:.0f}",
        "commit lag p50/p95": lambda row: _pair(row.commit_lag_p50, row.commit_lag_p95),
        "settled lag p50/p95": lambda row: _pair(row.settled_lag_p50, row.settled_lag_p95),
        "CPU s per audio s": lambda row: f"{row.cpu_seconds_per_audio_second:.3f}",
        "RSS MB": lambda row: f"{row.memory_mb:.0f}",
    }
    return _table(title, columns, rows)


def capacity_line(model: str, runs: Sequence[LoadFigures], max_streams: int) -> str:
    """Describe the number of streams that a machine sustains."""
    streams = capacity({run.streams: run.held for run in runs})
    more = " or more" if streams >= max_streams else ""
    limits = f"p95 commit lag <= {MAX_COMMIT_LAG:g} s, WER <= {100 * MAX_WORD_ERROR_RATE:g} %"
    return f"{model} holds {streams} streams{more}: {limits}"


def admission_line(model: str, admitting: LoadFigures, runs: Sequence[LoadFigures]) -> str:
    """Describe how many streams were admitted beside how many the machine sustains, which `runs` have bounded."""
    held = {run.streams: run.held for run in runs}
    streams = capacity(held)
    failed = min((each for each, was_held in held.items() if not was_held and each > streams), default=None)
    bound = "" if failed is None else f" and not {failed}"
    return (
        f"{model}, {admitting.streams} streams offered: {admitting.streams - admitting.refused} admitted,"
        f" with a p95 commit lag of {_seconds(admitting.commit_lag_p95)} s,"
        f" {_seconds(admitting.worst_commit_lag_p95)} s in the worst stream; without a limit it holds {streams}{bound}"
    )


def whole_files_line(whole: WholeFiles) -> str:
    """Describe the cost of the same clips without streaming."""
    return f"{whole.model}, each clip as a whole file through faster-whisper: {whole.cost:.3f} CPU s per audio s"


def _table(title: str, columns: Columns[Figures], rows: Iterable[Figures]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in columns:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*(cell(row) for cell in columns.values()))
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _pair(median: float | None, high: float | None) -> str:
    return f"{_seconds(median)}/{_seconds(high)}"
