"""One connection of the OpenAI dialect with the session that carries out its commands; messages are validated.

Every message is validated against the types of OpenAI's client.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from realtime.audio.formats import AudioFormat, Encoding
from realtime.catalogue.names import lookup
from realtime.catalogue.table import WHISPER_BASE
from realtime.errors import ClientError
from realtime.session.config import Modality, SessionConfig
from realtime.session.conversation import AudioPart, Item, ItemStatus, Message, Role
from realtime.session.events import (
    AudioCommitted,
    Event,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
)
from realtime.session.jobs import CancelJob, Generate, ScoreTurn, ScoreWindows, Synthesize, Transcribe
from realtime.session.response_events import (
    Response,
    ResponseAudioExtended,
    ResponseFinished,
    ResponseItemAdded,
    ResponseItemFinished,
    ResponseStarted,
    ResponseStatus,
    ResponseTextExtended,
)
from realtime.session.session import Session
from realtime.speech.transcript import Word
from realtime.wire.codec import Close, Handshake
from realtime.wire.openai.codec import OpenAICodec
from realtime.wire.openai.session_object import WireSession

Json = dict[str, Any]
LONGEST = 32_768

SERVER_EVENTS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
PCM_24K = AudioFormat(Encoding.PCM16, 24_000)
CONVERSATION = WireSession("sess_1", SessionConfig(WHISPER_BASE, voice="calm"), "local")
TRANSCRIPTION = WireSession(
    "sess_1", SessionConfig(WHISPER_BASE, transcribe=True), "local", type="transcription", transcription=True
)
CHAT = replace(CONVERSATION, config=replace(CONVERSATION.config, chat=True, transcribe=True, create_response=True))
SPOKEN = Response("resp_1", True, Modality.AUDIO, PCM_24K, "calm", {"client_event_id": "e1"})
HELLO = (Word(" Hello", 1_600, 4_800, 0.9), Word(" there.", 4_800, 9_600, 0.75))


BETA: Json = {"headers": {"openai-beta": "realtime=v1"}}
"""The handshake of a client of the beta."""

JOBS = (ScoreWindows, ScoreTurn, Transcribe, Synthesize, Generate, CancelJob)


class Client:
    """A codec, and the session that carries out its commands, whose engines never answer."""

    def __init__(self, session: WireSession = CONVERSATION, *, handshake: Json | None = None, **options: Any) -> None:
        counts: dict[str, Any] = {}

        def new_id(kind: str) -> str:
            return f"{kind}_{next(counts.setdefault(kind, itertools.count(1)))}"

        known = {"whisper-1": WHISPER_BASE, "whisper-base": WHISPER_BASE, "tiny": lookup("whisper-tiny.en")}
        self.codec = OpenAICodec(
            Handshake(
                session_id="sess_1",
                query={},
                new_id=new_id,
                find_recognizer=known.get,
                find_voice={"calm": "calm", "bright": "bright"}.get,
                max_input_characters=LONGEST,
                **(handshake or {}),
            ),
            session,
            **options,
        )
        self.session = Session(session.config, new_id)

    def greeting(self) -> list[Json]:
        return checked(self.codec.greeting())

    def tell(self, *events: Event) -> list[Json]:
        """Return the messages that report events."""
        return [message for event in events for message in checked(self.codec.encode(event))]

    def send(self, message: Json) -> list[Any]:
        """Return the commands of a message."""
        return list(self.codec.decode(json.dumps(message)))

    def ask(self, message: Json) -> list[Json]:
        """Return the messages with which the session answers a message at once."""
        outputs = [output for command in self.send(message) for output in self.session.receive(command, 0.0)]
        return self.tell(*(each for each in outputs if not isinstance(each, JOBS)))

    def update(self, **session: Any) -> Json:
        """Return the session object after an update."""
        (updated,) = self.ask({"type": "session.update", "session": session})
        assert updated["type"] == "session.updated"
        shown: Json = updated["session"]
        return shown

    def refusal(self, message: str | bytes) -> Json:
        """Return the error that answers a message."""
        with pytest.raises(ClientError) as caught:
            self.codec.decode(message)
        (answer,) = checked(self.codec.encode_error(caught.value))
        error: Json = answer["error"]
        return error


def checked(frames: Sequence[str | bytes | Close]) -> list[Json]:
    """Parse frames and validate each against the type of OpenAI's client."""
    messages: list[Json] = [json.loads(frame) for frame in frames if not isinstance(frame, Close)]
    for message in messages:
        if not message["type"].startswith("x."):
            parsed = SERVER_EVENTS.validate_python(message)
            assert parsed.type == message["type"]
    return messages


def types(messages: list[Json]) -> list[str]:
    return [message["type"] for message in messages]


def answer(response: Response = SPOKEN, status: ResponseStatus = ResponseStatus.COMPLETED, **end: Any) -> list[Event]:
    """Return the events of a response of two phrases."""
    whole = ItemStatus.COMPLETED if status is ResponseStatus.COMPLETED else ItemStatus.INCOMPLETE
    said = Item("item_s1", Message(Role.ASSISTANT, (AudioPart("Done. The lights are off."),)), whole)
    begun = Item("item_s1", Message(Role.ASSISTANT), ItemStatus.IN_PROGRESS)
    return [
        ResponseStarted(response),
        ResponseItemAdded(response, 0, begun, "item_u1"),
        ResponseTextExtended(response, 0, "item_s1", "Done. "),
        ResponseAudioExtended(response, 0, "item_s1", bytes(4), 0),
        ResponseTextExtended(response, 0, "item_s1", "The lights are off."),
        ResponseAudioExtended(response, 0, "item_s1", bytes(4), 2),
        ResponseItemFinished(response, 0, said, "item_u1"),
        ResponseFinished(response, status, (said,), **end),
    ]


def utterance(item_id: str = "item_u1") -> list[Event]:
    """Return the events of a turn."""
    return [
        SpeechStarted(item_id, 18_880),
        TranscriptExtended(item_id, "Hello"),
        SpeechStopped(item_id, 63_680),
        AudioCommitted(item_id, "item_1"),
        TranscriptExtended(item_id, " there."),
        TranscriptCompleted(item_id, "Hello there.", HELLO, "en", 44_800),
    ]


def create(text: str, role: str = "assistant", **more: Any) -> Json:
    part = {"type": "output_text" if role == "assistant" else "input_text", "text": text}
    item = {"type": "message", "role": role, "content": [part], **more.pop("item", {})}
    return {"type": "conversation.item.create", "item": item, **more}
