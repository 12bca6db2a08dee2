"""A scripted conversation whose session is traced, as values."""

import json
from itertools import count

from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import Speak
from realtime.session.config import SessionConfig
from realtime.tracing.observers import ObservedSession
from realtime.tracing.replay import Trace
from realtime.tracing.writer import Line, SessionTrace, Sink
from tests.support.scripted_conversation import CONFIG, Conversation, EngineJob, Microphone


class TracedConversation(Conversation):
    """A conversation that is traced into `lines`."""

    def __init__(
        self,
        config: SessionConfig = CONFIG,
        *,
        text: bool = True,
        held: tuple[type[EngineJob], ...] = (),
        sink: Sink | None = None,
    ) -> None:
        super().__init__(config, held=held)
        self.lines: list[Line] = []
        self.observer = SessionTrace(sink or self.lines.append, text=text, clock=lambda: self.now)
        self.observer.header("sess_1", config)
        numbers = count(1)
        new_id = self.observer.identify(lambda prefix: f"{prefix}_{next(numbers)}")
        self.session = ObservedSession(config, new_id, [self.observer], lambda: self.now, self.observer.new_buffer)

    @property
    def trace(self) -> Trace:
        """What a file would hold."""
        header, *lines = json.loads(json.dumps([*self.lines, {"end": "closed"}]))
        return Trace(header, lines)


def speak_and_listen(conversation: Conversation) -> None:
    """Play a turn, a response, and a turn that interrupts it."""
    microphone = Microphone()
    conversation.hear(microphone.silence(0.5), microphone.speech(2.4), microphone.silence(1))
    conversation.send(
        Speak("Dr. No said: it is fine, I think. Is it? Yes!", metadata={"key": "value"}, request_id="ev")
    )
    conversation.wait(1)
    conversation.load = LoadLevel.BUSY
    conversation.hear(microphone.speech(1.6), microphone.silence(1))
