"""The turns of a connection that have begun and are not transcribed yet, for dialects that only listen."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from realtime.session.commands import ClearAudio, Command, CommitAudio
from realtime.session.events import (
    AudioCommitted,
    Event,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
)
from realtime.speech.transcript import Word

END_OF_AUDIO: Sequence[Command] = (CommitAudio(), ClearAudio())
"""End the turn, if there is one. `AudioCleared` says that all audio before has been heard."""


@dataclass(slots=True)
class Turn:
    """A turn from sample `start` to `end`, as far as it is known."""

    start: int
    end: int
    committed: str = field(default="", repr=False)
    tentative: str = field(default="", repr=False)
    ended: bool = False

    @property
    def text(self) -> str:
        """The newest text."""
        return (self.committed + self.tentative).strip()


@dataclass(frozen=True, slots=True)
class TranscribedTurn:
    """A turn whose transcript is final: what could be transcribed of it, with its words where they are known."""

    start: int
    end: int
    text: str = field(repr=False)
    words: tuple[Word, ...] = field(default=(), repr=False)
    language: str = ""


class OpenTurns:
    """Follows the events of a session that transcribes with turn detection and reports partials."""

    def __init__(self) -> None:
        self._turns: dict[str, Turn] = {}

    @property
    def ended(self) -> frozenset[str]:
        """The items of those that are over."""
        return frozenset(item_id for item_id, turn in self._turns.items() if turn.ended)

    @property
    def newest(self) -> Turn | None:
        """The one that began last."""
        return next(reversed(self._turns.values()), None)

    def follow(self, event: Event) -> TranscribedTurn | None:
        """Take an event; return the turn whose transcript it completes."""
        match event:
            case SpeechStarted(item_id, at):
                self._turns[item_id] = Turn(at, at)
            case SpeechStopped(item_id, at):
                self._turns[item_id].end = at
            case AudioCommitted(item_id):
                self._turns[item_id].ended = True
            case TranscriptExtended(item_id, delta):
                turn = self._turns[item_id]
                turn.committed, turn.tentative = turn.committed + delta, ""
            case TranscriptRevised(item_id, _, tentative, audio_end):
                turn = self._turns[item_id]
                turn.tentative, turn.end = "".join(word.text for word in tentative), audio_end
            case TranscriptCompleted(item_id, text, words, language):
                turn = self._turns.pop(item_id)
                return TranscribedTurn(turn.start, turn.end, text, words, language)
            case TranscriptFailed(item_id):
                turn = self._turns.pop(item_id)
                return TranscribedTurn(turn.start, turn.end, turn.committed.strip())
            case _:
                pass
        return None
