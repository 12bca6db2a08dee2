"""Which utterances still await their transcript."""

from clients.events import Committed, Completed, Delta, Event, Failed, Partial, ServerError, SpeechStarted


class PendingTranscripts:
    """What the server owes: a transcript for every item it has spoken of, and an answer to the closing commit."""

    def __init__(self) -> None:
        self.pending: dict[str, None] = {}
        self.closing: list[str] = []
        self.warnings: list[str] = []
        self._answered = False

    @property
    def done(self) -> bool:
        return self._answered and not self.pending

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def enter(self, event: Event) -> bool:
        """Take note of an event; True if it only answers our own closing commits."""
        match event:
            case SpeechStarted(item_id=item) | Committed(item_id=item) | Delta(item_id=item) | Partial(item_id=item):
                self.pending[item] = None
            case Completed(item_id=item):
                self.pending.pop(item, None)
            case Failed(item_id=item, message=message):
                self.pending.pop(item, None)
                self.warn(f"an utterance could not be transcribed: {message}")
            case ServerError(code="input_audio_buffer_commit_empty", event_id=request) if request in self.closing:
                self._answered = True
                return True
            case ServerError(message=message):
                self.warn(message)
            case _:
                pass
        return False
