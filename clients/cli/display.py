"""Output of `vivavoce listen`: captions, or the server's events as JSON lines."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from rich.text import Text

from clients.cli.screen import Screen, open_screen
from clients.cli.terminal import printable
from clients.events import Completed, Delta, Event, Failed, Partial, message_of
from clients.hls import HlsCaptions
from clients.roll_up import RollUp

NARROWEST: Final = 8
"""Characters of the narrowest line."""


class Display(Protocol):
    """Anything that shows events."""

    def show(self, event: Event) -> None: ...


class JsonLines:
    """Prints the server's events, one JSON object per line."""

    def show(self, event: Event) -> None:
        if message := message_of(event):
            sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
            sys.stdout.flush()


@dataclass(slots=True)
class Caption:
    """A turn in progress: its committed text and its tentative tail."""

    committed: str = ""
    tentative: str = ""

    def commit(self, delta: str) -> None:
        """Append to the committed text and take it off the tentative text, which the next partial replaces."""
        self.committed += delta
        self.tentative = self.tentative.removeprefix(delta)

    def render(self) -> Text:
        committed = printable(self.committed).lstrip()
        tentative = printable(self.tentative)
        return Text.assemble((committed, "bold"), (tentative if committed else tentative.lstrip(), "dim"))


class Captions:
    """Prints finished turns as lines and, on a terminal, those in progress below them."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._captions: dict[str, Caption] = {}

    def show(self, event: Event) -> None:
        match event:
            case Delta(item_id=item, text=text):
                self._captions.setdefault(item, Caption()).commit(text)
            case Partial(item_id=item, tentative=tentative):
                self._captions.setdefault(item, Caption()).tentative = tentative
            case Completed(item_id=item, text=text):
                self._captions.pop(item, None)
                self._print(text)
            case Failed(item_id=item):
                self._print(self._captions.pop(item, Caption()).committed)
            case _:
                return
        self._screen.show(Text("\n").join(each.render() for each in self._captions.values()))

    def finish(self) -> None:
        """Print the committed text of the turns that are still in progress."""
        self._screen.show(Text())
        for caption in self._captions.values():
            self._print(caption.committed)

    def _print(self, text: str) -> None:
        if line := printable(text).strip():
            self._screen.print(Text(line))


class RolledUp:
    """Prints lines as committed text fills them and, on a terminal, the line in progress below them."""

    def __init__(self, screen: Screen, width: int) -> None:
        self._screen = screen
        self._lines = RollUp(width)
        self._begun: dict[str, str] = {}

    def show(self, event: Event) -> None:
        match event:
            case Delta(item_id=item, text=text):
                self._begun[item] = self._begun.get(item, "") + text
                self._print(self._lines.add(printable(text)))
            case Completed(item_id=item, text=text):
                rest = text.strip().removeprefix(self._begun.pop(item, "").strip())
                self._print([*self._lines.add(printable(rest)), *self._lines.end_line()])
            case Failed(item_id=item):
                self._begun.pop(item, None)
                self._print(self._lines.end_line())
            case _:
                return
        self._screen.show(Text(self._lines.lines[-1]) if self._begun and self._lines.lines else Text())

    def finish(self) -> None:
        """Print the line in progress."""
        self._screen.show(Text())
        self._print(self._lines.end_line())

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            self._screen.print(Text(line))


class WithSegments:
    """A display whose events become segments for HTTP Live Streaming, too."""

    def __init__(self, display: Display, segments: HlsCaptions) -> None:
        self._display = display
        self._segments = segments

    def show(self, event: Event) -> None:
        self._display.show(event)
        self._segments.receive(event)


@contextmanager
def open_display(as_json: bool, roll_up: int | None = None) -> Iterator[Display]:
    """Open the display: JSON lines, live captions on a terminal, or plain lines elsewhere.

    With `roll_up`, captions are lines of this width, which are printed when they are full.

    However the block ends, the text that has been committed is not lost. Call it on the event loop.
    """
    if as_json:
        yield JsonLines()
        return
    with open_screen() as screen:
        captions = Captions(screen) if roll_up is None else RolledUp(screen, roll_up)
        try:
            yield captions
        finally:
            captions.finish()
