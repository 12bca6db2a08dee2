"""Progress bars for the recordings that `vivavoce transcribe` has in progress."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from clients.cli.terminal import is_interactive


class RecordingBars:
    """Bars on standard error, shown if that is a terminal, and hidden while something is printed."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[position]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._visible = is_interactive(sys.stderr)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bars until the block ends."""
        self._start()
        try:
            yield
        finally:
            self._stop()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Hide the bars until the block ends."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    @contextmanager
    def bar(self, name: str) -> Iterator[Callable[[float, float | None], None]]:
        """Add a bar until the block ends; yield what updates it: seconds done, and in all."""
        task = self._progress.add_task(name, total=None, position="")

        def advance(done: float, total: float | None) -> None:
            position = f"{_clock(done)} / {_clock(total)}" if total else _clock(done)
            self._progress.update(task, completed=done, total=total, position=position)

        try:
            yield advance
        finally:
            self._progress.remove_task(task)

    def _start(self) -> None:
        if self._visible:
            self._progress.start()

    def _stop(self) -> None:
        if self._visible:  # without a terminal even an end of a line would be printed
            self._progress.stop()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
