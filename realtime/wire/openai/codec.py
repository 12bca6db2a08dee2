"""Codec of the OpenAI Realtime protocol: JSON messages <-> commands and events.

The names are those of the GA version; `beta.py` has those of the beta, for clients that ask for it. Every request of
the client becomes a command, and every event of the session one or more server events; the conversation itself is kept
by the session. Server events are limited to the types that all known clients accept, unless the client asks for an
extension in the query: `ext=partials` (revisable captions, word times), `ext=finals` (no text before a pause),
`ext=words` (times of the words that are spoken), `ext=binary` (audio in binary messages), `ext=draining` (the server is
about to restart) or `ext=resume` (sessions that outlive a connection).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import assert_never

import msgspec

from realtime.audio.formats import SAMPLE_RATE
from realtime.catalogue.names import is_synthesizer
from realtime.errors import UnsupportedAudio, VoiceError
from realtime.session.commands import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    Command,
    CommitAudio,
    Configure,
)
from realtime.session.config import SessionConfig
from realtime.session.events import (
    AudioCleared,
    AudioCommitted,
    CommandRefused,
    Event,
    IdleTimeoutReached,
    ItemAdded,
    ItemDeleted,
    ItemRetrieved,
    ItemTruncated,
    RecordingTranscribed,
    SessionConfigured,
    SilencePassed,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
    TranscriptsSpoken,
)
from realtime.session.response_events import (
    ResponseAudioExtended,
    ResponseFinished,
    ResponseFlushed,
    ResponseItemAdded,
    ResponseItemFinished,
    ResponseStarted,
    ResponseTextExtended,
    ResponseWordsTimed,
)
from realtime.speech.style import ReferenceClip
from realtime.wire.codec import Close, Codec, Frames, Handshake, MediaChunk, Outgoing, VoiceRecording
from realtime.wire.openai import client_events as wire
from realtime.wire.openai.beta import BetaWriter, beta_session, is_beta
from realtime.wire.openai.client_events import InvalidValue, OverloadedRequest, RefusedRequest, parse
from realtime.wire.openai.conversation_requests import ConversationRequests
from realtime.wire.openai.frames import FrameWriter
from realtime.wire.openai.item_events import audio_frames, item_frames
from realtime.wire.openai.opening import extensions, open_session, updated_session
from realtime.wire.openai.refusals import MIN_COMMIT_MS, refused
from realtime.wire.openai.responses import ResponseWriter
from realtime.wire.openai.resuming import SessionResumption
from realtime.wire.openai.session_object import WireSession
from realtime.wire.openai.session_update import SessionPatch
from realtime.wire.openai.transcripts import TranscriptWriter
from realtime.wire.openai.voice_recording import voice_recording


class OpenAICodec(Codec):
    """One connection of the OpenAI dialect."""

    def __init__(
        self,
        handshake: Handshake,
        session: WireSession,
        *,
        detailed: bool = False,
        binary: bool = False,
        draining: bool = False,
        resume: bool = False,
        extended: bool = False,
    ) -> None:
        """Start from `session`, with the extensions that the client asked for; with any, it is `extended`."""
        self._handshake = handshake
        self._beta = is_beta(handshake)
        self._writer = (BetaWriter if self._beta else FrameWriter)(handshake.new_id)
        self._transcripts = TranscriptWriter(self._writer, detailed=detailed)
        self._responses = ResponseWriter(self._writer, binary=binary, extended=extended)
        self._resumption = SessionResumption(self._writer, session.id) if resume else None
        self._session = session
        self._effective = session
        """The session whose configuration is in effect for the audio that is being transcribed."""
        self._updates: list[tuple[WireSession, bool]] = []
        """Sessions as the client will see them once the core has confirmed them, each with whether it was asked for by
        `transcription_session.update`."""
        self._conversation = ConversationRequests(handshake)
        self._binary = binary
        self._draining = draining
        self._extended = extended
        self._received_audio = False

    @classmethod
    def open(cls, handshake: Handshake) -> "OpenAICodec":
        """Begin a connection; see `open_session`. Raises `InvalidValue` for a session that is not possible."""
        extra = extensions(handshake)
        return cls(
            handshake,
            open_session(handshake),
            detailed=not extra.isdisjoint({"partials", "finals"}),
            binary="binary" in extra,
            draining="draining" in extra,
            resume="resume" in extra,
            extended=bool(extra),
        )

    @property
    def config(self) -> SessionConfig:
        return self._session.config

    @property
    def only_speaks(self) -> bool:
        return is_synthesizer(self._session.model) and not self.config.transcribe

    @property
    def resumption(self) -> "SessionResumption | None":
        return self._resumption

    def greeting(self) -> Frames:
        """Return `session.created`, or what the beta of the protocol calls it.

        `conversation.created` is not sent: no client needs it, and one takes it for a refusal of its session.
        """
        transcription = self._beta and self._session.type == "transcription"
        return [self._session_event("created", self._session, transcription=transcription)]

    def decode(self, message: str | bytes) -> Sequence[Command | MediaChunk | VoiceRecording]:
        """Parse one client event, or one binary message of audio.

        Raises `RefusedRequest` for an event that is refused while the connection continues, and `UnsupportedAudio` for
        a binary message without `ext=binary`.
        """
        if self._resumption is not None:
            self._resumption.messages += 1
        if isinstance(message, bytes):
            if not self._binary:
                raise UnsupportedAudio("Binary messages need ext=binary in the query.")
            return self._append(message)
        request = parse(message)
        recording = voice_recording(request, self._handshake, partial(self._commands, request))
        return self._commands(request) if recording is None else [recording]

    def _commands(
        self, request: wire.ClientRequest, clip: ReferenceClip | None = None
    ) -> Sequence[Command | MediaChunk]:
        """Return the commands of a client event, perhaps with the recording of a voice. Raises `RefusedRequest`."""
        match request:
            case wire.AppendInput():
                return self._append(request.audio)
            case wire.CommitInput():
                return [CommitAudio(request.event_id, min_samples=MIN_COMMIT_MS * SAMPLE_RATE // 1000)]
            case wire.ClearInput():
                return [ClearAudio()]
            case wire.ClearOutput():
                return []
            case wire.AcknowledgeMessages():
                if self._resumption is not None:
                    self._resumption.delivered = request.messages
                return []
            case wire.UpdateSession():
                return [self._update(request, request.session, clip)]
            case wire.UpdateTranscriptionSession():
                patch = msgspec.structs.replace(request.session, type="transcription")
                return [self._update(request, patch, clip)]
            case wire.CancelCurrent():
                return [CancelResponse(request.response_id, request.event_id)]
            case _:
                self._require_conversation(request)
                return [self._conversation.command(request, self._session.config.tools, clip)]

    def _append(self, data: bytes) -> list[Command | MediaChunk]:
        self._received_audio = True
        if self._resumption is not None:
            self._resumption.audio_bytes += len(data)
        if self._session.container is None:
            return [AppendAudio(data)]
        return [MediaChunk(data)] if data else []

    def _update(
        self, request: wire.UpdateSession | wire.UpdateTranscriptionSession, patch: SessionPatch,
        clip: ReferenceClip | None,
    ) -> Configure:  # fmt: skip
        if self._received_audio and patch.type not in (None, self._session.type):
            raise InvalidValue(
                "The session type cannot change once audio has been received.",
                param="session.type",
                request_id=request.event_id,
            )
        session = updated_session(self._session, patch, self._handshake, request.event_id, clip)
        if self._received_audio and session.config.speakers != self._session.config.speakers:
            raise InvalidValue(
                "The number of channels cannot change once audio has been received.",
                param="session.audio.input.format.channels",
                request_id=request.event_id,
            )
        self._session = session
        self._updates.append((session, isinstance(request, wire.UpdateTranscriptionSession)))
        return Configure(self._session.config)

    def _require_conversation(self, request: wire.Request) -> None:
        if self._session.type == "transcription":
            raise InvalidValue(
                "This event is not available in a transcription session.", param="type", request_id=request.event_id
            )

    def encode(self, event: Event) -> Frames:
        """Return the server events that report an event of the session, in order."""
        frames = self._frames(event)
        return [frame for frame in frames if frame] if self._beta else frames

    def _frames(self, event: Event) -> Frames:
        """Return the server events; in the beta, those that it does not have are empty."""
        match event:
            case SessionConfigured():
                session, transcription = self._updates.pop(0)
                self._effective = replace(session, config=event.config)
                return [self._session_event("updated", self._effective, transcription=transcription)]
            case SpeechStarted() | SpeechStopped() | IdleTimeoutReached() | AudioCommitted() | AudioCleared():
                return audio_frames(event, self._writer)
            case TranscriptExtended() | TranscriptRevised() | TranscriptCompleted() | TranscriptFailed():
                return self._transcript(event)
            case RecordingTranscribed(part=part, transcript=transcript):
                return self._transcript(transcript, part)
            case ItemAdded() | ItemDeleted() | ItemRetrieved() | ItemTruncated():
                return item_frames(event, self._writer)
            case ResponseStarted():
                return self._responses.started(event.response)
            case ResponseItemAdded():
                return self._responses.item_added(event)
            case ResponseTextExtended():
                return [self._responses.text_extended(event)]
            case ResponseAudioExtended():
                return self._responses.audio_extended(event)
            case ResponseWordsTimed():
                return [self._responses.words_timed(event)]
            case ResponseItemFinished():
                return self._responses.item_finished(event)
            case ResponseFinished():
                return [self._responses.finished(event)]
            case ResponseFlushed() | SilencePassed() | TranscriptsSpoken():
                return []
            case CommandRefused():
                return [refused(event, self._writer)]
            case _:
                assert_never(event)

    def encode_draining(self, seconds: float) -> Frames:
        """Return `x.session.draining`, if the client asked for it."""
        return [self._writer.event("x.session.draining", deadline_ms=round(1000 * seconds))] if self._draining else []

    def encode_error(self, error: VoiceError, *, final: bool = False) -> Outgoing:
        """Return the `error` event for an error of `decode`, or for the one that ends the connection."""
        request_id = error.request_id if isinstance(error, RefusedRequest | OverloadedRequest) else None
        event = self._writer.error(error, request_id)
        return [event, Close(error.close_code, error.code)] if final else [event]

    def _session_event(self, kind: str, session: WireSession, *, transcription: bool) -> str:
        """Return the event that reports a session; `transcription` asks for the one of the beta's transcription."""
        if transcription:
            return self._writer.event(f"transcription_session.{kind}", session=beta_session(session))
        shown = beta_session(session) if self._beta else session.to_json()
        if self._extended and session.substituted:
            shown["x_substituted"] = sorted(session.substituted)
        return self._writer.event(f"session.{kind}", session=shown)

    def _transcript(
        self, event: TranscriptExtended | TranscriptRevised | TranscriptCompleted | TranscriptFailed, part: int = 0
    ) -> Frames:
        """Return the messages about the transcript of a part of an item, unless only the chat backend needs it."""
        if not self._effective.transcription:
            return []
        match event:
            case TranscriptExtended():
                return [self._transcripts.extended(event)]
            case TranscriptRevised():
                return self._transcripts.revised(event)
            case TranscriptCompleted():
                return [self._transcripts.completed(event, content_index=part, logprobs=self._effective.logprobs)]
            case TranscriptFailed():
                return [self._transcripts.failed(event, content_index=part)]
            case _:
                assert_never(event)
