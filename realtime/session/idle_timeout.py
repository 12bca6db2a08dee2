"""When the user has said nothing for so long after a response that the session answers the silence."""

from realtime.session.events import AudioCleared, AudioCommitted, Output, SessionConfigured, SpeechStarted
from realtime.session.response_events import ResponseFinished, ResponseStarted, ResponseStatus


class IdleTimeout:
    """A timer that runs from the end of a response's playback to the next speech, turn or response.

    It does not run while the user speaks, nor after a response that failed: the next one would probably fail too.
    """

    _speaking: frozenset[int | None] = frozenset()
    """Channels on which a turn has begun and is not over."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        """When the time is over; None: the timer does not run."""

    def follow(self, output: Output, seconds: float | None, silent_from: float) -> None:
        """Start or stop the timer by what the session reports.

        `seconds` is the configured time, None for no timeout; `silent_from` is when the client has played everything.
        """
        match output:
            case ResponseFinished(response, status) if response.in_conversation:
                stopped = seconds is None or status is ResponseStatus.FAILED or self._speaking
                self.deadline = None if stopped else silent_from + (seconds or 0.0)
            case ResponseStarted(response) if response.in_conversation:
                self.deadline = None
            case SpeechStarted(channel=channel):
                self.deadline = None
                self._speaking |= {channel}
            case AudioCommitted(channel=channel):
                self.deadline = None
                self._speaking -= {channel}
            case AudioCleared():
                self._speaking = frozenset()
            case SessionConfigured(config) if config.idle_timeout is None:
                self.deadline = None
            case _:
                pass
