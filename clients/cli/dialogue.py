"""Output of `vivavoce talk`: what the user and the chat model say, each turn a line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.text import Text

from clients.cli.display import Caption
from clients.cli.screen import Screen, open_screen
from clients.cli.terminal import either, printable
from clients.events import Completed, Delta, Event, Failed, Interrupted, Partial, ResponseDone, ResponseText

USER = "You: "
MODEL = "Answer: "


@dataclass(slots=True)
class Dialogue:
    """Prints finished turns of both sides as lines and, on a terminal, those in progress below them."""

    screen: Screen
    _turns: dict[str, Caption] = field(default_factory=dict)
    _answers: dict[str, str] = field(default_factory=dict)

    def show(self, event: Event) -> None:
        match event:
            case Delta(item_id=item, text=text):
                self._turns.setdefault(item, Caption()).commit(text)
            case Partial(item_id=item, tentative=tentative):
                self._turns.setdefault(item, Caption()).tentative = tentative
            case Completed(item_id=item, text=text):
                self._turns.pop(item, None)
                self._print(USER, text)
            case Failed(item_id=item):
                self._print(USER, self._turns.pop(item, Caption()).committed)
            case ResponseText(response_id=response, text=text):
                self._answers[response] = self._answers.get(response, "") + text
            case Interrupted(response_id=response, text=text) if self._answers.pop(response, None) is not None:
                self._print(MODEL, f"{text.rstrip()} {either('…', '...')}", " (interrupted)")
            case Interrupted():  # its text was complete
                self.screen.print(Text("(interrupted)", "dim"))
            case ResponseDone(response_id=response):
                self._print(MODEL, self._answers.pop(response, ""))
            case _:
                return
        self._draw()

    def finish(self) -> None:
        """Print what is known of the turns that are still in progress."""
        self.screen.show(Text())
        for caption in self._turns.values():
            self._print(USER, caption.committed)
        for text in self._answers.values():
            self._print(MODEL, text)

    def _draw(self) -> None:
        lines = [Text.assemble((USER, "bold"), caption.render()) for caption in self._turns.values()]
        lines += [Text.assemble((MODEL, "bold"), printable(text).strip()) for text in self._answers.values()]
        self.screen.show(Text("\n").join(lines))

    def _print(self, speaker: str, text: str, note: str = "") -> None:
        if line := printable(text).strip():
            self.screen.print(Text.assemble((speaker, "bold"), line, (note, "dim")))


@contextmanager
def open_dialogue() -> Iterator[Dialogue]:
    """Open the output; call it on the event loop. However the block ends, what was said is not lost."""
    with open_screen() as screen:
        dialogue = Dialogue(screen)
        try:
            yield dialogue
        finally:
            dialogue.finish()
