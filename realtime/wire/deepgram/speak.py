"""Codec of `/v1/speak`: text in, raw speech out, as fast as it is made.

The text between two flushes is spoken as one response of the session. It stays open for more text after a flush, and is
completed when new text comes after all of it has been spoken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from realtime.errors import BadMessage, TooLarge, UnreadableText, VoiceError
from realtime.session.commands import CancelResponse, Command, ExtendSpeech
from realtime.session.commands import Speak as SpeakText
from realtime.session.config import SessionConfig
from realtime.session.events import CommandRefused, Event
from realtime.session.response_events import (
    ResponseAudioExtended,
    ResponseFinished,
    ResponseFlushed,
    ResponseTextExtended,
)
from realtime.wire.codec import Close, Codec, Frames, Handshake, MediaChunk, Outgoing
from realtime.wire.deepgram.errors import closing
from realtime.wire.deepgram.messages import SPEAK, Clear, CloseSpeech, Flush, KeepAlive, Speak, message_of, parse
from realtime.wire.deepgram.query import output_format, speed_of, voice_of
from realtime.wire.deepgram.transcripts import model_uuid


@dataclass(slots=True)
class _Speech:
    """A response that takes more text."""

    id: str
    unspoken: int = 0
    """Characters that have not been spoken, nearly."""
    flushes: int = 0
    """Flushes that have not been answered."""
    flushed: bool = True
    """Whether no text has come since the last flush."""


class SpeakCodec(Codec):
    """One connection of `/v1/speak`."""

    def __init__(self, handshake: Handshake, config: SessionConfig) -> None:
        self._handshake = handshake
        self._config = config
        self._speech: _Speech | None = None
        self._cleared: set[str] = set()
        """Responses that are being cancelled for a `Clear`."""
        self._flushes = 0
        """Flushes that have been answered."""
        self._clears = 0
        """Clears that have been answered."""
        self._closing = False

    @classmethod
    def open(cls, handshake: Handshake) -> "SpeakCodec":
        """Configure a connection by its query. An unknown model stands for the default voice. Raises `ClientError`."""
        recognizer = handshake.find_recognizer("")
        voice = voice_of(handshake.query, handshake.find_voice)
        assert recognizer is not None  # the default models are loaded before a session is admitted
        assert voice is not None
        config = SessionConfig(
            recognizer=recognizer,
            output_format=output_format(handshake.query),
            voice=voice,
            first_words=handshake.first_words,
            speed=speed_of(handshake.query),
        )
        return cls(handshake, config)

    @property
    def config(self) -> SessionConfig:
        return self._config

    @property
    def only_speaks(self) -> bool:
        return True

    def greeting(self) -> Frames:
        return [
            message_of(
                "Metadata",
                request_id=self._handshake.session_id,
                model_name=self._config.voice,
                model_version="",
                model_uuid=model_uuid(self._config.voice),
            )
        ]

    # Messages of the client.

    def decode(self, message: str | bytes) -> Sequence[Command | MediaChunk]:
        """Parse a message. Nothing counts after `Close`. Raises `BadMessage` and `TooLarge`."""
        if self._closing:
            return []
        if isinstance(message, bytes):
            raise BadMessage("Binary messages are not accepted here; send text in the message Speak.")
        request = parse(message, SPEAK)
        match request:
            case Speak():
                return self._say(request.text)
            case Flush():
                opening, speech = self._opened()
                speech.flushes += 1
                speech.flushed = True
                return [*opening, ExtendSpeech(flush=True)]
            case Clear():
                opening, speech = self._opened()
                self._speech = None
                self._cleared.add(speech.id)
                return [*opening, CancelResponse(speech.id)]
            case CloseSpeech():
                self._closing = True
                opening, _ = self._opened()
                return [*opening, ExtendSpeech(complete=True)]
            case KeepAlive():
                return []
            case _:
                assert_never(request)

    def _say(self, text: str) -> list[Command]:
        limit = self._handshake.max_input_characters
        if len(text) + (self._speech.unspoken if self._speech else 0) > limit:
            raise TooLarge(f"More than {limit} characters wait to be spoken. The text was dropped.")
        completed: list[Command] = []
        if self._speech and self._speech.flushed and not self._speech.flushes:
            completed = [ExtendSpeech(complete=True)]
            self._speech = None
        opening, speech = self._opened()
        speech.unspoken += len(text)
        speech.flushed = False
        return [*completed, *opening, ExtendSpeech(text)]

    def _opened(self) -> tuple[list[Command], _Speech]:
        """Return the response that takes more text, and the command that begins it unless there is one."""
        if self._speech is not None:
            return [], self._speech
        self._speech = _Speech(self._handshake.new_id("resp"))
        return [SpeakText("", in_conversation=False, complete=False, response_id=self._speech.id)], self._speech

    # Events of the session.

    def encode(self, event: Event) -> Outgoing:
        match event:
            case ResponseAudioExtended():
                return [event.data]
            case ResponseTextExtended(response, delta=delta):
                if (speech := self._in_progress(response.id)) is not None:
                    speech.unspoken = max(0, speech.unspoken - len(delta))
                return []
            case ResponseFlushed(response):
                if (speech := self._in_progress(response.id)) is not None:
                    speech.flushes -= 1
                    if speech.flushed and not speech.flushes:
                        speech.unspoken = 0
                return self._flushed()
            case ResponseFinished():
                return self._finished(event)
            case CommandRefused(command=CancelResponse(response_id=str(response_id))):
                self._cleared.discard(response_id)
                return self._has_cleared()
            case _:
                return []

    def _in_progress(self, response_id: str) -> _Speech | None:
        return self._speech if self._speech is not None and self._speech.id == response_id else None

    def _finished(self, event: ResponseFinished) -> Outgoing:
        """Return what follows the end of a response; one that has failed ends the connection, unless by its text."""
        frames: list[str | bytes | Close] = []
        if isinstance(event.error, UnreadableText):
            frames += self.encode_error(event.error)
        elif event.error is not None:
            return self.encode_error(event.error, final=True)
        if event.response.id in self._cleared:
            self._cleared.discard(event.response.id)
            frames += self._has_cleared()
        if self._closing and self._in_progress(event.response.id) is not None:
            frames.append(Close())
        return frames

    def _flushed(self) -> Frames:
        self._flushes += 1
        return [message_of("Flushed", sequence_id=self._flushes - 1)]

    def _has_cleared(self) -> Frames:
        self._clears += 1
        return [message_of("Cleared", sequence_id=self._clears - 1)]

    # Errors.

    def encode_error(self, error: VoiceError, *, final: bool = False) -> Outgoing:
        """Return a `Warning`, or an `Error` and the end of the connection."""
        if final:
            message = message_of("Error", variant=error.code, code=error.code, description=error.public_message)
            return [message, closing(error)]
        # LiveKit reads the fields with the prefix.
        text, code = error.public_message, error.code
        return [message_of("Warning", code=code, description=text, warn_code=code, warn_msg=text)]
