"""The order of commits and the commands after them.

A commit is carried out when the audio before it has been scored. A client that asks for a response right after it, as
push to talk does, wants the answer to that turn; so what follows a commit waits until the turn is in the conversation.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

from realtime.session.commands import CancelResponse, CreateResponse, ExtendSpeech, ItemCommand, Speak

MAX_HELD: Final = 64
"""Commands that wait for a commit beyond which the session takes no more commands."""

ReplyCommand: TypeAlias = ItemCommand | CreateResponse | Speak | ExtendSpeech | CancelResponse
"""What a client asks for that needs no audio to be scored."""


class CommandOrder:
    """Holds commands for the commits before them; see the module.

    Text to speak and a cancellation do not depend on turns, and wait only behind a command that does.
    """

    def __init__(self) -> None:
        self._commits = 0
        """Commits received so far."""
        self._held: list[tuple[int, ReplyCommand]] = []
        """Commands with the number of commits before them."""

    @property
    def saturated(self) -> bool:
        """Whether so many commands wait that the session should be given no more."""
        return len(self._held) > MAX_HELD

    def committed(self) -> None:
        """Note that the client has committed audio."""
        self._commits += 1

    def holds(self, command: ReplyCommand, pending_commits: int) -> bool:
        """Hold the command if it has to wait, and return whether it has to."""
        depends = not isinstance(command, Speak | ExtendSpeech | CancelResponse)
        if waits := bool(self._held) or (depends and pending_commits > 0):
            self._held.append((self._commits, command))
        return waits

    def released(self, pending_commits: int) -> Iterator[ReplyCommand]:
        """Yield the commands whose commits have been carried out."""
        while self._held and self._held[0][0] <= self._commits - pending_commits:
            yield self._held.pop(0)[1]
