"""The codec of OpenAI's Realtime dialect (GA names), as real clients speak it: text messages <-> commands and events.

Commands go straight to the session. What the session has no part in, the items a client creates, deletes or reads,
passes through it as a `WireRequest` and is answered here when it comes back: so answers keep the order of requests.
Only types that every known client tolerates are sent, unless the client asked for an extension:
`partials` (revisable captions with word times) and `binary` (audio as binary frames).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final, assert_never

from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import UnsupportedAudio, VoiceError
from realtime.session.commands import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    Command,
    CommitAudio,
    Configure,
    Speak,
    WireRequest,
)
from realtime.session.config import SessionConfig, SessionKind
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    CommandRefused,
    Event,
    ResponseAudioExtended,
    ResponseFinished,
    ResponseStarted,
    ResponseTextExtended,
    SessionConfigured,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
)
from realtime.speech.transcript import Word
from realtime.wire.openai.client_events import (
    AppendInput,
    CancelCurrent,
    ClearInput,
    ClearOutput,
    CommitInput,
    CreateItem,
    CreateResponse,
    DeleteItem,
    InvalidValue,
    ItemRequest,
    RefusedRequest,
    ResponseParameters,
    RetrieveItem,
    TruncateItem,
    UpdateSession,
    parse,
)
from realtime.wire.openai.conversation import Conversation
from realtime.wire.openai.frames import Frames, FrameWriter
from realtime.wire.openai.items import Item, Message, spoken_by_user, text_to_speak
from realtime.wire.openai.responses import ResponseWriter
from realtime.wire.openai.session_object import Find, WireSession, milliseconds
from realtime.wire.openai.session_update import OutputPatch, clamped_speed

MAX_WORDS: Final = 5_000
"""Of a transcript with more of them no words are told: some clients take messages of 1 MiB at most."""


class OpenAICodec:
    """One connection's view of the protocol; the session's view is in the commands and events."""

    def __init__(
        self,
        session_id: str,
        new_id: Callable[[str], str],
        config: SessionConfig,
        *,
        model: str,
        find_recognizer: Find,
        find_voice: Find,
        can_translate: Callable[[str], bool],
        max_input_characters: int,
        partials: bool = False,
        binary: bool = False,
    ) -> None:
        """Speak for a session that begins with `config`.

        `new_id("item")` gives "item_..."; `model` is only shown; the finders turn the names of clients into those in
        force, and `can_translate` takes such a name. A text to speak, and one to keep, has at most
        `max_input_characters`.
        """
        self._writer = FrameWriter(new_id)
        self._conversation = Conversation(self._writer, max_input_characters)
        self._responses = ResponseWriter(self._writer, self._conversation, binary=binary)
        self._session = WireSession(session_id, config, model)
        self._updates: deque[WireSession] = deque()
        self._find_recognizer = find_recognizer
        self._find_voice = find_voice
        self._can_translate = can_translate
        self._max_input_characters = max_input_characters
        self._partials = partials
        self._binary = binary
        self._heard_audio = False

    def greeting(self) -> Frames:
        """The first messages of a connection."""
        frames: Frames = [self._writer.event("session.created", session=self._session.shown())]
        if self._session.config.kind is SessionKind.CONVERSATION:
            conversation = {"id": self._conversation.id, "object": "realtime.conversation"}
            frames.append(self._writer.event("conversation.created", conversation=conversation))
        return frames

    # From the client.

    def decode(self, message: str | bytes) -> list[Command]:
        """Read one message.

        Raises `RefusedRequest` for a message after which the connection goes on, `UnsupportedAudio` for a binary frame
        where none was agreed on, and nothing else, whatever the message.
        """
        if isinstance(message, bytes):
            if not self._binary:
                raise UnsupportedAudio("Binary frames are taken only with ext=binary.")
            return self._append(message)
        request = parse(message)
        match request:
            case AppendInput():
                return self._append(request.audio)
            case CommitInput():
                return [CommitAudio(request.event_id)]
            case ClearInput():
                return [ClearAudio()]
            case ClearOutput():
                return []
            case UpdateSession():
                return [self._update(request)]
            case CancelCurrent():
                return [CancelResponse(request.response_id, request.event_id)]
            case CreateResponse():
                self._require_conversation(request)
                return [self._create_response(request)]
            case CreateItem() | DeleteItem() | RetrieveItem() | TruncateItem():
                self._require_conversation(request)
                return [WireRequest(request)]
            case _:
                assert_never(request)

    def _append(self, data: bytes) -> list[Command]:
        self._heard_audio = True
        return [AppendAudio(data)]

    def _update(self, request: UpdateSession) -> Configure:
        kind = request.session.type
        if self._heard_audio and kind not in (None, self._session.config.kind):
            raise InvalidValue(
                "The type of a session cannot change after its first audio.",
                param="session.type",
                request_id=request.event_id,
            )
        session = self._session.merged(
            request.session, find_recognizer=self._find_recognizer, find_voice=self._find_voice
        )
        if session.config.translate and not self._can_translate(session.config.recognizer):
            transcription = "audio.input.transcription" if request.session.audio else "input_audio_transcription"
            raise InvalidValue(
                f"The model '{session.config.recognizer}' cannot translate.",
                param=f"session.{transcription}.task",
                request_id=request.event_id,
            )
        self._session = session
        self._updates.append(self._session)
        return Configure(self._session.config)

    def _require_conversation(self, request: CreateResponse | ItemRequest) -> None:
        if self._session.config.kind is SessionKind.TRANSCRIPTION:
            raise InvalidValue("A transcription session only listens.", param="type", request_id=request.event_id)

    def _create_response(self, request: CreateResponse) -> Command:
        text = _text_brought(request.response or ResponseParameters())
        if len(text) > self._max_input_characters:
            raise InvalidValue(
                f"A text to speak may have {self._max_input_characters} characters at most.",
                param="response.input",
                request_id=request.event_id,
            )
        return self._speak(text, request) if text else WireRequest(request)

    def _speak(self, text: str, request: CreateResponse) -> Speak:
        asked = request.response or ResponseParameters()
        output = (asked.audio and asked.audio.output) or OutputPatch()
        return Speak(
            text,
            in_conversation=asked.conversation != "none",
            voice=self._find_voice(output.voice_name) if output.voice_name else None,
            speed=clamped_speed(output.speed) if output.speed else None,
            output_format=output.format.audio_format() if output.format else None,
            metadata=asked.metadata,
            request_id=request.event_id,
        )

    def speech(self, event: WireRequest) -> Speak | None:
        """What a request that came back asks the session to do at once: speak the last item the client created.

        Only now is it known which items there are. None means that `encode` answers the request.
        """
        request = event.request
        if isinstance(request, CreateResponse) and self._conversation.unspoken.strip():
            return self._speak(self._conversation.unspoken, request)
        return None

    # To the client.

    def encode(self, event: Event) -> Frames:
        """The messages that tell a client of an event, in order."""
        match event:
            case SessionConfigured():
                session = replace(self._updates.popleft(), config=event.config)
                return [self._writer.event("session.updated", session=session.shown())]
            case SpeechStarted():
                start = milliseconds(event.at)
                return [
                    self._writer.event("input_audio_buffer.speech_started", audio_start_ms=start, item_id=event.item_id)
                ]
            case SpeechStopped():
                end = milliseconds(event.at)
                return [
                    self._writer.event("input_audio_buffer.speech_stopped", audio_end_ms=end, item_id=event.item_id)
                ]
            case AudioCommitted():
                return self._committed(event)
            case AudioCleared():
                return [self._writer.event("input_audio_buffer.cleared")]
            case TranscriptExtended():
                return [self._transcription("delta", event.item_id, delta=event.delta)]
            case TranscriptRevised():
                return [self._partial(event)] if self._partials else []
            case TranscriptCompleted():
                return [self._completed(event)]
            case TranscriptFailed():
                error = {"type": "transcription_error", "code": event.error.code, "message": event.error.message}
                return [self._transcription("failed", event.item_id, error=error)]
            case ResponseStarted():
                if event.response.in_conversation:
                    self._conversation.mark_spoken()
                return self._responses.started(event.response)
            case ResponseTextExtended():
                return [self._responses.text_extended(event)]
            case ResponseAudioExtended():
                return self._responses.audio_extended(event)
            case ResponseFinished():
                return self._responses.finished(event)
            case CommandRefused():
                refusal = self._writer.refusal(
                    event.code, event.message, param=event.param, request_id=event.request_id
                )
                return [refusal]
            case WireRequest():
                return self._answered(event.request)
            case _:
                assert_never(event)

    def encode_error(self, error: VoiceError, request_id: str | None = None) -> str:
        """The `error` message for what `decode` raised, or for what ends the connection."""
        if isinstance(error, RefusedRequest):
            request_id = error.request_id
        return self._writer.error(error, request_id)

    def _answered(self, request: object) -> Frames:
        match request:
            case CreateItem() | DeleteItem() | RetrieveItem() | TruncateItem():
                return self._conversation.answer(request)
            case CreateResponse(response=asked):
                return self._responses.nothing_to_speak(asked or ResponseParameters(), self._session.config)
            case _:
                raise TypeError(f"not a request of this codec: {type(request).__name__}")

    def _committed(self, event: AudioCommitted) -> Frames:
        item = spoken_by_user(event.item_id)
        previous = self._conversation.append(item)
        return [
            self._writer.event("input_audio_buffer.committed", previous_item_id=previous, item_id=event.item_id),
            self._writer.event("conversation.item.added", previous_item_id=previous, item=item),
            self._writer.event("conversation.item.done", previous_item_id=previous, item=item),
        ]

    def _transcription(self, kind: str, item_id: str, **fields: object) -> str:
        event_type = f"conversation.item.input_audio_transcription.{kind}"
        return self._writer.event(event_type, item_id=item_id, content_index=0, **fields)

    def _completed(self, event: TranscriptCompleted) -> str:
        self._conversation.replace(spoken_by_user(event.item_id, event.text))
        fields: dict[str, object] = {"usage": {"type": "duration", "seconds": event.samples / SAMPLE_RATE}}
        if self._partials:
            words = [_timed(word) for word in event.words] if len(event.words) <= MAX_WORDS else []
            fields |= {"words": words, "language": event.language, "suppressed": event.suppressed}
        return self._transcription("completed", event.item_id, transcript=event.text, **fields)

    def _partial(self, event: TranscriptRevised) -> str:
        return self._writer.event(
            "x.transcription.partial",
            item_id=event.item_id,
            stable="".join(word.text for word in event.committed),
            text="".join(word.text for word in event.tentative),
            audio_end_ms=milliseconds(event.audio_end),
        )


def _text_brought(asked: ResponseParameters) -> str:
    """The answer that came with the request, as input or as instructions; empty where none did."""
    last = asked.input[-1] if asked.input else None
    if isinstance(last, Message) and (text := text_to_speak(last.shown())).strip():
        return text
    return asked.instructions if asked.instructions and asked.instructions.strip() else ""


def _timed(word: Word) -> Item:
    """A word with its times in seconds since the session began."""
    return {
        "word": word.text.strip(),
        "start": word.start / SAMPLE_RATE,
        "end": word.end / SAMPLE_RATE,
        "probability": word.probability,
    }
