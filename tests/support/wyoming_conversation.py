"""A Wyoming client and a session whose engines answer at once, as values: bytes in, events out."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from realtime.catalogue.names import ModelNames
from realtime.errors import VoiceError
from realtime.session.jobs import CancelJob
from realtime.settings import Settings
from realtime.wire.codec import Handshake
from realtime.wire.wyoming.codec import REQUESTS, WyomingCodec
from realtime.wire.wyoming.framing import EventReader, WyomingEvent
from realtime.wire.wyoming.info import error_event
from tests.support.scripted_conversation import Conversation, EngineJob

MAX_BYTES = 100_000
MAX_CHARACTERS = 200
VOICES = {"": "amber", "amber": "amber", "bright": "bright"}


class WyomingConversation:
    """A connection on which the session of `conversation` carries out what the codec makes of events.

    Attributes:
        log: Every event of both sides, as lines of JSON would hold it.
        failed: Whether an error has ended the connection.
    """

    def __init__(self, *, held: tuple[type[EngineJob], ...] = ()) -> None:
        names = ModelNames(Settings())
        self.codec = WyomingCodec(
            Handshake(
                session_id="sess_1",
                query={},
                new_id=lambda prefix: prefix,
                find_recognizer=names.recognizer,
                find_voice=VOICES.get,
                voice_of_language={"de": "thorsten"}.get,
                max_input_characters=MAX_CHARACTERS,
            )
        )
        self.conversation = Conversation(self.codec.config, held=held)
        self.log: list[dict[str, Any]] = []
        self.failed = False
        self._reader = EventReader(MAX_BYTES)

    def send(self, kind: str, payload: bytes = b"", /, **data: object) -> list[WyomingEvent]:
        """Send one event and return the answers to it."""
        return self.feed(WyomingEvent(kind, data, payload).frame())

    def feed(self, data: bytes) -> list[WyomingEvent]:
        """Send bytes and return the answers to the events that are complete; an error is the last of them."""
        answers: list[WyomingEvent] = []
        try:
            for event in self._reader.feed(data):
                self._note("client", event)
                for answer in self._answers(event):
                    answers.append(answer)
                    self._note("server", answer)
        except VoiceError as error:
            self.failed = True
            answers.append(error_event(error))
            self._note("server", answers[-1])
        return answers

    def _answers(self, event: WyomingEvent) -> Iterator[WyomingEvent]:
        if event.type not in REQUESTS:
            return
        assert self.codec.ready_for(event)
        for command in self.codec.decode(event):
            yield from self.encoded(self.conversation.send(command))

    def encoded(self, outputs: list[Any]) -> Iterator[WyomingEvent]:
        """Yield what reports the events among the outputs of the session."""
        for output in outputs:
            if not isinstance(output, EngineJob | CancelJob):
                yield from self.codec.encode(output)

    def _note(self, side: str, event: WyomingEvent) -> None:
        line: dict[str, Any] = {"from": side, "type": event.type}
        if event.data:
            line["data"] = msgspec.json.decode(msgspec.json.encode(event.data))
        if event.payload:
            line["payload_length"] = len(event.payload)
        self.log.append(line)


def types(events: list[WyomingEvent]) -> list[str]:
    return [event.type for event in events]


def data(events: list[WyomingEvent], kind: str) -> list[Mapping[str, Any]]:
    """Return the data of the events of one type."""
    return [event.data for event in events if event.type == kind]
