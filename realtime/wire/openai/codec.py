"""Codec of the OpenAI Realtime protocol (names of the GA version): JSON messages <-> commands and events.

Audio, turns and speech are commands to the session. Requests that concern only the conversation's items (create,
delete, retrieve, truncate) travel through the session as a `WireRequest` and are answered when they come back, so that
responses keep the order of requests. Server events are limited to the types that all known clients accept, unless the
client asks for an extension in the query: `ext=partials` (revisable captions, word times) or `ext=binary` (audio in
binary messages).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, assert_never

import msgspec

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
from realtime.session.config import SessionConfig
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    CommandRefused,
    Event,
    RefusalReason,
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
from realtime.wire.codec import Frames, Handshake, MediaChunk
from realtime.wire.openai.beta import beta_object, is_beta
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
    UpdateTranscriptionSession,
    parse,
)
from realtime.wire.openai.conversation import Conversation
from realtime.wire.openai.frames import FrameWriter
from realtime.wire.openai.items import Message, spoken_by_user, text_to_speak
from realtime.wire.openai.responses import ResponseWriter
from realtime.wire.openai.session_object import WireSession, milliseconds
from realtime.wire.openai.session_update import OutputPatch, SessionPatch, clamped_speed
from realtime.wire.openai.transcripts import TranscriptWriter

_REFUSALS: Final[dict[RefusalReason, tuple[str, str]]] = {
    RefusalReason.NOTHING_TO_COMMIT: (
        "input_audio_buffer_commit_empty",
        "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has "
        "0.00ms of audio.",
    ),
    RefusalReason.RESPONSE_IN_PROGRESS: (
        "conversation_already_has_active_response",
        "Conversation already has an active response in progress: {response_id}. Wait until the response is finished "
        "before creating a new one.",
    ),
    RefusalReason.RESPONSE_NOT_ACTIVE: (
        "response_cancel_not_active",
        "Cancellation failed: no active response found",
    ),
}
"""OpenAI's error code and message for each reason of a refusal."""


class OpenAICodec:
    """One connection of the OpenAI dialect, including its conversation."""

    def __init__(
        self, handshake: Handshake, session: WireSession, *, partials: bool = False, binary: bool = False
    ) -> None:
        """Start from `session`, with the extensions that the client asked for."""
        self._handshake = handshake
        self._writer = FrameWriter(handshake.new_id)
        self._conversation = Conversation(self._writer, handshake.max_input_characters)
        self._transcripts = TranscriptWriter(self._writer, partials=partials)
        self._responses = ResponseWriter(self._writer, self._conversation, binary=binary)
        self._session = session
        self._updates: deque[tuple[WireSession, bool]] = deque()
        """Sessions as the client will see them once the core has confirmed them, and whether it asked in the beta."""
        self._binary = binary
        self._received_audio = False
        self._beta = session.type == "transcription" and is_beta(handshake)

    @classmethod
    def open(cls, handshake: Handshake) -> "OpenAICodec":
        """Configure a connection by its query: `intent=transcription`, `model` and `ext=partials,binary`.

        An unknown model stands for the default one. In a conversation `model` names the conversation's model, not the
        recognizer.
        """
        extensions = {name for value in handshake.query.get("ext", ()) for name in value.split(",")}
        transcription = handshake.parameter("intent") == "transcription"
        model = handshake.parameter("model")
        recognizer = (handshake.find_recognizer(model) if transcription else None) or handshake.find_recognizer("")
        voice = handshake.find_voice("")
        assert recognizer is not None  # the default models are loaded before a session is admitted
        assert voice is not None
        config = SessionConfig(
            recognizer=recognizer,
            transcribe=transcription,
            voice=voice,
            include_partials="partials" in extensions,
        )
        session = WireSession(
            handshake.session_id,
            config,
            model=model or recognizer.name,
            type="transcription" if transcription else "realtime",
        )
        return cls(handshake, session, partials="partials" in extensions, binary="binary" in extensions)

    @property
    def config(self) -> SessionConfig:
        return self._session.config

    def greeting(self) -> Frames:
        """Return `session.created`, or what the beta of the protocol calls it.

        `conversation.created` is not sent: no client needs it, and one takes it for a refusal of its session.
        """
        return [self._session_event("created", self._session, beta=self._beta)]

    def decode(self, message: str | bytes) -> Sequence[Command | MediaChunk]:
        """Parse one client event, or one binary message of audio.

        Raises `RefusedRequest` for an event that is refused while the connection continues, and `UnsupportedAudio` for
        a binary message without `ext=binary`.
        """
        if isinstance(message, bytes):
            if not self._binary:
                raise UnsupportedAudio("Binary messages need ext=binary in the query.")
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
                return [self._update(request, request.session)]
            case UpdateTranscriptionSession():
                return [self._update(request, msgspec.structs.replace(request.session, type="transcription"))]
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

    def _append(self, data: bytes) -> list[Command | MediaChunk]:
        self._received_audio = True
        if self._session.container is None:
            return [AppendAudio(data)]
        return [MediaChunk(data)] if data else []

    def _update(self, request: UpdateSession | UpdateTranscriptionSession, patch: SessionPatch) -> Configure:
        if self._received_audio and patch.type not in (None, self._session.type):
            raise InvalidValue(
                "The session type cannot change once audio has been received.",
                param="session.type",
                request_id=request.event_id,
            )
        session = self._session.merged(
            patch,
            find_recognizer=self._handshake.find_recognizer,
            find_voice=self._handshake.find_voice,
        )
        if session.config.translate and not session.config.recognizer.capabilities.translation:
            transcription = "audio.input.transcription" if patch.audio else "input_audio_transcription"
            raise InvalidValue(
                f"The model '{session.config.recognizer.name}' cannot translate.",
                param=f"session.{transcription}.task",
                request_id=request.event_id,
            )
        self._session = session
        self._updates.append((session, isinstance(request, UpdateTranscriptionSession)))
        return Configure(self._session.config)

    def _require_conversation(self, request: CreateResponse | ItemRequest) -> None:
        if self._session.type == "transcription":
            raise InvalidValue(
                "This event is not available in a transcription session.", param="type", request_id=request.event_id
            )

    def _create_response(self, request: CreateResponse) -> Command:
        text = _text_of_request(request.response or ResponseParameters())
        if len(text) > self._handshake.max_input_characters:
            raise InvalidValue(
                f"The text to speak has more than {self._handshake.max_input_characters} characters.",
                param="response.input",
                request_id=request.event_id,
            )
        return self._speak(text, request) if text else WireRequest(request)

    def _speak(self, text: str, request: CreateResponse) -> Speak:
        parameters = request.response or ResponseParameters()
        output = (parameters.audio and parameters.audio.output) or OutputPatch()
        return Speak(
            text,
            in_conversation=parameters.conversation != "none",
            voice=self._handshake.find_voice(output.voice_name) if output.voice_name else None,
            speed=clamped_speed(output.speed) if output.speed else None,
            output_format=output.format.audio_format() if output.format else None,
            metadata=parameters.metadata,
            request_id=request.event_id,
        )

    def speech(self, event: WireRequest) -> Speak | None:
        """Return the speech that a `response.create` without text starts: the last item that the client created.

        The items that existed at the time of the request are known only when it comes back from the session. None
        means that `encode` answers the request.
        """
        request = event.request
        if isinstance(request, CreateResponse) and self._conversation.unspoken.strip():
            return self._speak(self._conversation.unspoken, request)
        return None

    def encode(self, event: Event) -> Frames:
        """Return the server events that report an event of the session, in order."""
        match event:
            case SessionConfigured():
                session, beta = self._updates.popleft()
                return [self._session_event("updated", replace(session, config=event.config), beta=beta)]
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
                return [self._transcripts.extended(event)]
            case TranscriptRevised():
                return self._transcripts.revised(event)
            case TranscriptCompleted():
                self._conversation.replace(spoken_by_user(event.item_id, event.text))
                return [self._transcripts.completed(event)]
            case TranscriptFailed():
                return [self._transcripts.failed(event)]
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
                code, text = _REFUSALS[event.reason]
                message = text.format(response_id=event.response_id)
                return [self._writer.refusal(code, message, param=None, request_id=event.request_id)]
            case WireRequest():
                return self._answered(event.request)
            case _:
                assert_never(event)

    def encode_error(self, error: VoiceError, request_id: str | None = None) -> str:
        """Return the `error` event for an error of `decode`, or for the one that ends the connection."""
        if isinstance(error, RefusedRequest):
            request_id = error.request_id
        return self._writer.error(error, request_id)

    def _session_event(self, kind: str, session: WireSession, *, beta: bool) -> str:
        if beta:
            return self._writer.event(f"transcription_session.{kind}", session=beta_object(session))
        return self._writer.event(f"session.{kind}", session=session.to_json())

    def _answered(self, request: object) -> Frames:
        match request:
            case CreateItem() | DeleteItem() | RetrieveItem() | TruncateItem():
                return self._conversation.answer(request)
            case CreateResponse(response=parameters):
                return self._responses.nothing_to_speak(parameters or ResponseParameters(), self._session.config)
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


def _text_of_request(parameters: ResponseParameters) -> str:
    """Return the text to speak: the last input item if the assistant speaks it, else the instructions, else ""."""
    last = parameters.input[-1] if parameters.input else None
    if isinstance(last, Message) and (text := text_to_speak(last.to_json())).strip():
        return text
    return parameters.instructions if parameters.instructions and parameters.instructions.strip() else ""
