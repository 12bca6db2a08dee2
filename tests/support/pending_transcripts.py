"""Turns whose transcript has not arrived yet."""

from clients.events import Committed, Completed, Delta, Event, Failed, Partial, ServerError, SpeechStarted


class PendingTranscripts:
    """Tracks until every turn has its transcript and the final commits have been answered.

    After its last audio a client commits twice and adds the event ids to `final_commits`. The first `committed` event
    may answer the first commit or report an earlier turn; but answers keep their order, and nothing is left for the
    second commit, so the refusal of either means that no further turn follows.
    """

    def __init__(self) -> None:
        self.items: dict[str, None] = {}
        self.final_commits: list[str] = []
        self.warnings: list[str] = []
        self._commits_answered = False

    @property
    def done(self) -> bool:
        """Whether everything has arrived."""
        return self._commits_answered and not self.items

    def warn(self, warning: str) -> None:
        """Note a problem to report to the user."""
        self.warnings.append(warning)

    def receive(self, event: Event) -> bool:
        """Update from an event; return True if it only answers a final commit and need not be shown."""
        match event:
            case SpeechStarted(item_id=item) | Committed(item_id=item) | Delta(item_id=item) | Partial(item_id=item):
                self.items[item] = None
            case Completed(item_id=item):
                self.items.pop(item, None)
            case Failed(item_id=item, message=message):
                self.items.pop(item, None)
                self.warn(f"a turn could not be transcribed: {message}")
            case ServerError(code="input_audio_buffer_commit_empty", event_id=request) if request in self.final_commits:
                self._commits_answered = True
                return True
            case ServerError(message=message):
                self.warn(message)
            case _:
                pass
        return False
