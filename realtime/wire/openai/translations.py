"""Codec of `/v1/realtime/translations`: speech in any language becomes English speech, while it is spoken.

Whisper translates, and what it has written is spoken. It translates into English only, so another target language is
refused. A transcript in the language of the speaker takes decodes of its own: it is made for clients that ask for it
before they send audio.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from realtime.catalogue.table import ModelEntry
from realtime.errors import ClientError, UnsupportedModel, VoiceError
from realtime.languages import language_code
from realtime.session.commands import AppendAudio, Command, CommitAudio, Configure
from realtime.session.config import SOURCE_CHANNEL, SessionConfig
from realtime.session.events import (
    AudioCommitted,
    CommandRefused,
    Event,
    SessionConfigured,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptsSpoken,
)
from realtime.session.response_events import ResponseAudioExtended, ResponseFinished
from realtime.wire.codec import Close, Codec, Frames, Handshake, Outgoing
from realtime.wire.openai.client_events import InvalidValue, RefusedRequest, Request, parse_as
from realtime.wire.openai.frames import FrameWriter
from realtime.wire.openai.responses import MAX_AUDIO_BYTES
from realtime.wire.openai.session_object import SHOWN_LIFETIME
from realtime.wire.openai.session_update import NoiseReduction

TARGET: Final = "en"
"""The language that is translated into."""

_FRAME_MS: Final = 200
"""Milliseconds of audio by which `elapsed_ms` advances, as at OpenAI."""


class _Transcription(Struct, frozen=True):
    model: str | None = None


class _Input(Struct, frozen=True):
    transcription: _Transcription | UnsetType | None = UNSET
    noise_reduction: NoiseReduction | UnsetType | None = UNSET


class _Output(Struct, frozen=True):
    language: str | None = None


class _Audio(Struct, frozen=True):
    input: _Input | None = None
    output: _Output | None = None


class TranslationPatch(Struct, frozen=True):
    """Changes to a session; `model` is read only where it begins."""

    model: str | None = None
    audio: _Audio | None = None


class UpdateTranslation(Request, frozen=True, tag="session.update"):
    """Change the fields of the session that are present in `session`."""

    session: TranslationPatch


class AppendTranslationInput(Request, frozen=True, tag="session.input_audio_buffer.append"):
    """Audio, 24 kHz PCM16; base64 on the wire."""

    audio: bytes


class CloseTranslation(Request, frozen=True, tag="session.close"):
    """Translate the rest, and close."""


_Request: TypeAlias = UpdateTranslation | AppendTranslationInput | CloseTranslation
_REQUESTS: Final[msgspec.json.Decoder[_Request]] = msgspec.json.Decoder(_Request)
_SESSIONS: Final = msgspec.json.Decoder(TranslationPatch)


class TranslationCodec(Codec):
    """One connection of `/v1/realtime/translations`."""

    def __init__(self, handshake: Handshake, config: SessionConfig, model: str) -> None:
        self._handshake = handshake
        self._writer = FrameWriter(handshake.new_id)
        self._config = config
        self._model = model
        self._noise_reduction: str | None = None
        self._received = 0
        """Bytes of audio."""
        self._turns: set[str] = set()
        """Turns whose transcripts still come."""
        self._speaking = False
        """Whether there is text that has not been spoken."""
        self._item_ids: dict[str, str] = {}
        """The turn of the newest text of each kind of transcript."""
        self._stopped = False
        """Whether the detector has ended the turn that is committed next."""
        self._closing = False
        self._committed = False
        """Whether the session has carried out the commit of `session.close`."""

    @classmethod
    def open(cls, handshake: Handshake) -> "TranslationCodec":
        """Configure a connection by the query (`model`) and by what the client's key carries.

        An unknown model stands for the default recognizer. Raises `ClientError` if that cannot translate, or for
        another target language than English.
        """
        carried = _SESSIONS.decode(handshake.session) if handshake.session else TranslationPatch()
        model = carried.model or handshake.parameter("model")
        recognizer = handshake.find_recognizer(model) or handshake.find_recognizer("")
        assert recognizer is not None  # the default models are loaded before a session is admitted
        config = SessionConfig(
            recognizer=_translator(recognizer),
            interrupt_response=False,
            transcribe=True,
            translate=True,
            voice=handshake.find_voice("") or "",
            first_words=handshake.first_words,
            speak_transcripts=True,
        )
        codec = cls(handshake, config, model or recognizer.name)
        codec._change(carried, None)
        return codec

    @property
    def config(self) -> SessionConfig:
        return self._config

    def greeting(self) -> Frames:
        return [self._writer.event("session.created", session=self._session())]

    # Messages of the client.

    def decode(self, message: str | bytes) -> Sequence[Command]:
        """Parse one client event. Nothing counts after `session.close`. Raises `RefusedRequest`."""
        if isinstance(message, bytes):
            raise RefusedRequest("Send audio in session.input_audio_buffer.append, as base64.")
        request = parse_as(_REQUESTS, message)
        if self._closing:
            return []
        match request:
            case AppendTranslationInput(audio=audio):
                self._received += len(audio)
                return [AppendAudio(audio)]
            case UpdateTranslation(session=patch, event_id=event_id):
                self._change(patch, event_id)
                return [Configure(self._config)]
            case _:
                self._closing = True
                return [CommitAudio()]

    def _change(self, patch: TranslationPatch, request_id: str | None) -> None:
        audio = patch.audio or _Audio()
        if audio.output and audio.output.language and not _is_target(audio.output.language):
            raise InvalidValue(
                "Speech is translated into English only.", param="session.audio.output.language", request_id=request_id
            )
        if audio.input and audio.input.noise_reduction is not UNSET:
            reduction = audio.input.noise_reduction
            self._noise_reduction = reduction.type if reduction else None
        if audio.input and audio.input.transcription is not UNSET and not self._received:
            self._config = replace(self._config, transcribe_source=audio.input.transcription is not None)

    def _session(self) -> dict[str, Any]:
        reduction = {"type": self._noise_reduction} if self._noise_reduction else None
        transcription = {"model": self._config.recognizer.name} if self._config.transcribe_source else None
        return {
            "id": self._handshake.session_id,
            "type": "translation",
            "model": self._model,
            "expires_at": self._handshake.opened_at + SHOWN_LIFETIME,
            "audio": {
                "input": {"transcription": transcription, "noise_reduction": reduction},
                "output": {"language": TARGET},
            },
        }

    # Events of the session.

    def encode(self, event: Event) -> Outgoing:
        """Return the server events that report an event of the session; at the end the connection closes."""
        frames = self._frames(event)
        if self._committed and not self._turns and not self._speaking:
            self._committed = False
            return [*frames, self._writer.event("session.closed"), Close()]
        return frames

    def _frames(self, event: Event) -> Frames:
        match event:
            case SessionConfigured():
                return [self._writer.event("session.updated", session=self._session())]
            case SpeechStarted(item_id):
                self._turns.add(item_id)
            case AudioCommitted() | CommandRefused(command=CommitAudio()):
                self._committed |= self._closing and not self._stopped
                self._stopped = False
            case SpeechStopped():
                self._stopped = True
            case TranscriptExtended(item_id, delta, channel):
                kind = "input_transcript" if channel == SOURCE_CHANNEL else "output_transcript"
                between = " " if self._item_ids.get(kind, item_id) != item_id else ""
                self._item_ids[kind] = item_id
                self._speaking |= channel != SOURCE_CHANNEL
                return [self._event(kind, between + delta)]
            case TranscriptCompleted(item_id):
                self._turns.discard(item_id)
            case TranscriptFailed(item_id, error):
                self._turns.discard(item_id)
                return [self._writer.error(error, None)]
            case TranscriptsSpoken():
                self._speaking = False
            case ResponseAudioExtended():
                return self._audio(event)
            case ResponseFinished(error=error):
                return [self._writer.error(error, None)] if error else []
            case _:
                pass
        return []

    def _audio(self, event: ResponseAudioExtended) -> Frames:
        starts = range(0, len(event.data), MAX_AUDIO_BYTES)
        shape = {"sample_rate": self._config.output_format.sample_rate, "channels": 1, "format": "pcm16"}
        return [self._event("output_audio", event.data[start : start + MAX_AUDIO_BYTES], **shape) for start in starts]

    def _event(self, kind: str, delta: str | bytes, **fields: object) -> str:
        milliseconds = self._received * 1000 // (2 * self._config.input_format.sample_rate)
        elapsed = milliseconds // _FRAME_MS * _FRAME_MS
        return self._writer.event(f"session.{kind}.delta", delta=delta, elapsed_ms=elapsed, **fields)

    def encode_error(self, error: VoiceError, *, final: bool = False) -> Outgoing:
        """Return the `error` event for an error of `decode`, or for the one that ends the connection."""
        request_id = error.request_id if isinstance(error, RefusedRequest) else None
        shown = self._writer.error(error, request_id)
        return [shown, Close(error.close_code, error.code)] if final else [shown]


def _translator(recognizer: ModelEntry) -> ModelEntry:
    """Return the recognizer. Raises `UnsupportedModel` if it cannot translate."""
    if not recognizer.capabilities.translation:
        raise UnsupportedModel(f"The model '{recognizer.name}' cannot translate.", param="model")
    return recognizer


def _is_target(language: str) -> bool:
    try:
        return language_code(language) == TARGET
    except ClientError:
        return False
