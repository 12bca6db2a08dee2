"""A pseudo-terminal in which a command runs, with what it shows."""

import asyncio
import fcntl
import os
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

pyte = pytest.importorskip("pyte")

VIVAVOCE = (sys.executable, "-m", "realtime.cli.main")
SECONDS = 15
"""Seconds without any output after which a test fails."""

OUR_TERMINAL = ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES")
"""Settings of the terminal that runs the tests."""


class Terminal:
    """The user's side of a terminal."""

    def __init__(self, descriptor: int, columns: int, rows: int) -> None:
        self._descriptor = descriptor
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = asyncio.Event()
        self.ended = asyncio.Event()
        self.output = b""
        self.resize(columns, rows)

    @property
    def lines(self) -> list[str]:
        """The lines on the screen, without the empty ones below them."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip("\n").split("\n")

    @property
    def text(self) -> str:
        """What the screen shows, without its line breaks and blanks."""
        return "".join("".join(self.lines).split())

    @property
    def cursor_hidden(self) -> bool:
        return bool(self._screen.cursor.hidden)

    @property
    def modes(self) -> list[object]:
        """The modes of the terminal: echo, line by line and others."""
        return termios.tcgetattr(self._descriptor)[:4]

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the command gets SIGWINCH."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the screen is as it should be; fail if the command ends before."""
        while not condition():
            assert not self.ended.is_set(), f"the command has ended, and the terminal shows {self.lines}"
            self._changed.clear()
            try:
                async with asyncio.timeout(SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                raise AssertionError(
                    f"for {SECONDS} s nothing has changed, and the terminal shows {self.lines}"
                ) from None

    def read(self) -> None:
        """Take what the command has written, until it has ended and everything is read."""
        try:
            data = os.read(self._descriptor, 65_536)
        except OSError:  # on Linux, instead of nothing
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self.ended.set()
            self._changed.set()
            return
        self.output += data
        self._stream.feed(data)
        self._changed.set()


@asynccontextmanager
async def running(
    *arguments: str, command: Sequence[str] = VIVAVOCE, columns: int = 40, rows: int = 12, **environment: str
) -> AsyncIterator[tuple[Terminal, asyncio.subprocess.Process]]:
    """Run `vivavoce` or another command in a terminal; kill it at the end of the block if it has not ended by then."""
    ours, theirs = os.openpty()
    try:
        terminal = Terminal(ours, columns, rows)
        inherited = {name: value for name, value in os.environ.items() if name not in OUR_TERMINAL}
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                *arguments,
                env={**inherited, "TERM": "xterm", **environment},
                preexec_fn=partial(os.login_tty, theirs),
            )
        finally:
            os.close(theirs)
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, terminal.read)
        try:
            yield terminal, process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            loop.remove_reader(ours)
    finally:
        os.close(ours)
