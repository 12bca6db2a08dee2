"""Speaks what a session transcribes: the turns one after the other, each while its transcript still grows."""

from collections.abc import Callable, Iterator
from typing import Final

from realtime.session.commands import ExtendSpeech, Speak
from realtime.session.config import SOURCE_CHANNEL
from realtime.session.events import (
    ChannelEvent,
    Output,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptsSpoken,
)
from realtime.session.response_events import ResponseFinished
from realtime.session.responses import Responses

MAX_WAITING_CHARACTERS: Final = 20_000
"""Characters of transcripts, about 20 minutes, that may wait for the speech before them; more are not spoken."""


class Interpreting:
    """Speaks transcripts, by responses outside of the conversation of which one is in progress at a time."""

    def __init__(self, responses: Responses, new_id: Callable[[str], str]) -> None:
        self._responses = responses
        self._new_id = new_id
        self._response_id: str | None = None
        """The response in progress."""
        self._extensible = False
        """Whether the turn that it speaks is not over."""
        self._waiting = ""
        """Text of the turns after that one."""
        self._complete = False
        """Whether those are over."""

    def follow(self, output: Output, now: float) -> Iterator[Output]:
        """Speak more of what is translated, and go on where a response has finished."""
        if isinstance(output, ChannelEvent) and output.channel == SOURCE_CHANNEL:
            return
        match output:
            case TranscriptExtended(_, delta):
                if self._extensible:
                    yield from self._responses.extend(ExtendSpeech(delta), now)
                else:
                    between = " " if self._complete else ""
                    self._waiting = (self._waiting + between + delta)[:MAX_WAITING_CHARACTERS]
                    self._complete = False
                    yield from self._begin(now)
            case TranscriptCompleted() | TranscriptFailed():
                if self._extensible:
                    self._extensible = False
                    yield from self._responses.extend(ExtendSpeech(complete=True), now)
                else:
                    self._complete = bool(self._waiting)
            case ResponseFinished(response) if response.id == self._response_id:
                self._response_id, self._extensible = None, False
                if self._waiting:
                    yield from self._begin(now)
                else:
                    yield TranscriptsSpoken()
            case _:
                pass

    def _begin(self, now: float) -> Iterator[Output]:
        """Speak what waits, unless something is being spoken."""
        if self._response_id is None:
            text, self._waiting = self._waiting, ""
            complete, self._complete = self._complete, False
            self._response_id, self._extensible = self._new_id("resp"), not complete
            speak = Speak(text, in_conversation=False, complete=complete, response_id=self._response_id)
            yield from self._responses.speak(speak, now)
