"""Output line by line and, on a terminal, the text in progress below these lines, which is drawn anew as it changes."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from clients.cli.signals import on_signal
from clients.cli.terminal import is_interactive

KEPT_LINES: Final = 200
"""Finished lines that are kept to be drawn again when the width of the terminal changes: more than a screen has."""


class Tail:
    """The last lines of a text: as many as the terminal has, but for one, so that it never scrolls."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self._text, options, pad=False) if self._text else [[]]
        for number, line in enumerate(lines[-max(1, options.size.height - 1) :]):
            if number:
                yield Segment.line()
            yield from line


class Screen:
    """Finished lines, and below them the text in progress; without a terminal only the lines, without any control."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False)
        self._lines: deque[Text] = deque(maxlen=KEPT_LINES)
        self._in_progress = Text()
        self._width = self._console.width
        self._live = self._start() if is_interactive(sys.stdout) else None

    def print(self, line: Text) -> None:
        """Print a finished line, which the terminal wraps, so that it can be copied as one."""
        self._lines.append(line)
        self._console.print(line, soft_wrap=True)

    def show(self, in_progress: Text) -> None:
        """Show the text in progress in place of what was shown before."""
        self._in_progress = in_progress
        if self._live is None:
            return
        if self._console.width != self._width:
            self._draw_anew()
        self._live.update(Tail(in_progress), refresh=True)

    def close(self) -> None:
        """Remove the text in progress, and give the terminal back as it was."""
        if self._live is not None:
            self._live.stop()

    def resized(self) -> None:
        """Draw everything anew if the terminal has another width now."""
        self.show(self._in_progress)

    def _start(self) -> Live:
        live = Live(
            Tail(self._in_progress),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stderr=is_interactive(sys.stderr),  # otherwise warnings would end up in standard output
        )
        live.start()
        return live

    def _draw_anew(self) -> None:
        """Scroll everything away, and draw the screen in the new width.

        Some terminals wrap their lines anew when their width changes and others cut them off, so nobody knows in which
        rows the text in progress is now. Nothing is erased: what was there can be scrolled back to.
        """
        self._width = self._console.width
        self.close()
        height = self._console.height
        shown: deque[Text] = deque()
        rows = 1
        for line in reversed(self._lines):
            rows += len(self._console.render_lines(line, pad=False))
            if rows >= height:
                break
            shown.appendleft(line)
        self._console.file.write("\n" * height + "\x1b[H\x1b[J")
        for line in shown:
            self._console.print(line, soft_wrap=True)
        self._live = self._start()


@contextmanager
def open_screen() -> Iterator[Screen]:
    """Open the screen, which follows the size of the terminal until the block ends. Call it on the event loop."""
    screen = Screen()
    try:
        with on_signal("SIGWINCH", screen.resized):
            yield screen
    finally:
        screen.close()
