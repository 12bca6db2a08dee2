"""A client of Deepgram's protocol and the session behind it, without a socket."""

import itertools
import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from realtime.catalogue.names import ModelNames
from realtime.catalogue.voices import find_voice
from realtime.errors import ClientError
from realtime.settings import Settings
from realtime.wire.codec import Answer, Close, Codec, Handshake, MediaChunk, Outgoing, VoiceRecording
from realtime.wire.dialects import DIALECTS
from tests.support.scripted_conversation import Conversation, EngineJob

Json: TypeAlias = dict[str, Any]

NAMES = ModelNames(Settings())
VOICES = ("calm", "amber")


def opened(path: str, **query: str | Sequence[str]) -> Codec:
    """Open the codec of a path."""
    numbers = itertools.count(1)
    handshake = Handshake(
        session_id="sess_1",
        query={name: [value] if isinstance(value, str) else value for name, value in query.items()},
        new_id=lambda prefix: f"{prefix}_{next(numbers)}",
        find_recognizer=NAMES.recognizer,
        find_voice=lambda name: find_voice(name, VOICES),
        max_input_characters=200,
    )
    return DIALECTS["deepgram"][path].open(handshake)


class DeepgramClient:
    """A client whose session has scripted engines, which answer at once except for jobs of the `held` kinds."""

    def __init__(self, path: str, *, held: tuple[type[EngineJob], ...] = (), **query: str | Sequence[str]) -> None:
        self.codec = opened(path, **query)
        self.conversation = Conversation(self.codec.config, held=held)
        self.messages: list[Json] = []
        self.audio = b""
        self.media = b""
        """Audio in a container that was passed on to be decoded."""
        self.closed: Close | None = None
        self._events = 0
        self._take(self.codec.greeting())

    def send(self, message: str | bytes | Json) -> list[Json]:
        """Send a message; return the messages that follow from it."""
        before = len(self.messages)
        try:
            commands = self.codec.decode(json.dumps(message) if isinstance(message, dict) else message)
        except ClientError as error:
            commands = []
            self._take(self.codec.encode_error(error))
        for command in commands:
            if isinstance(command, MediaChunk):
                self.media += command.data
            else:
                assert not isinstance(command, Answer | VoiceRecording)
                self.conversation.send(command)
        self.deliver()
        return self.messages[before:]

    def hear(self, *audio: bytes) -> list[Json]:
        """Send audio in frames of 20 ms, in real time; return the messages that follow from it."""
        before = len(self.messages)
        data = b"".join(audio)
        for start in range(0, len(data), 640):
            self.conversation.now += 0.02
            self.send(data[start : start + 640])
        return self.messages[before:]

    def wait(self, seconds: float) -> list[Json]:
        """Let time pass; return the messages that come meanwhile."""
        before = len(self.messages)
        self.conversation.wait(seconds)
        self.deliver()
        return self.messages[before:]

    def release(self, kind: type[EngineJob]) -> list[Json]:
        """Let the engines answer jobs of this kind; return the messages that follow."""
        before = len(self.messages)
        self.conversation.release(kind)
        self.deliver()
        return self.messages[before:]

    def deliver(self) -> None:
        """Receive what the session has reported."""
        events = self.conversation.events
        for event in events[self._events :]:
            self._take(self.codec.encode(event))
        self._events = len(events)

    def _take(self, frames: Outgoing) -> None:
        for frame in frames:
            assert self.closed is None, "nothing follows the end of the connection"
            match frame:
                case Close():
                    self.closed = frame
                case bytes():
                    self.audio += frame
                case str():
                    self.messages.append(json.loads(frame))

    def of(self, kind: str) -> list[Json]:
        """Return the messages of this type so far."""
        return [message for message in self.messages if message["type"] == kind]
