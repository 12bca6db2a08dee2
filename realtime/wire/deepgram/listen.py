"""Codec of `/v1/listen`: audio in, `Results` out.

A turn of the session is an utterance: it has interim results while it is spoken, if the client wants any, and one final
result. With `multichannel` each channel has utterances of its own, and a `Finalize` is answered on each of them.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto
from itertools import chain
from typing import Final, assert_never

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.errors import UnsupportedAudio, VoiceError
from realtime.session.commands import AppendAudio, Command, CommitAudio
from realtime.session.commands import Configure as ConfigureSession
from realtime.session.config import SessionConfig
from realtime.session.events import (
    AudioCommitted,
    ChannelEvent,
    CommandRefused,
    Event,
    SessionConfigured,
    SilencePassed,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
    TranscriptRevised,
)
from realtime.speech.endpointing import TurnDetection
from realtime.wire.codec import Close, Codec, Frames, Handshake, MediaChunk, Outgoing
from realtime.wire.deepgram.errors import closing
from realtime.wire.deepgram.messages import (
    LISTEN,
    CloseStream,
    Configure,
    Finalize,
    KeepAlive,
    ListenMessage,
    SchemaError,
    message_of,
    parse,
)
from realtime.wire.deepgram.query import (
    InvalidQuery,
    Query,
    check_flags,
    expected_terms,
    flag,
    input_format,
    is_punctuated,
    joined_terms,
    language,
    number,
    text_of,
)
from realtime.wire.deepgram.results import ResultWriter
from realtime.wire.deepgram.utterances import Utterances

IDLE_SECONDS: Final = 10.0
"""Seconds without a message after which Deepgram closes a connection, and its clients expect it."""

MIN_SILENCE_MS: Final = 300
"""Least silence in milliseconds that ends an utterance.

Deepgram's clients ask for as little as 10 ms, for a recognizer that goes on in the same sentence. Here an utterance is
transcribed for itself, and the first 288 ms of a pause are needed to begin its final transcription.
"""

MAX_SILENCE_MS: Final = 10_000
"""Longest silence in milliseconds that ends an utterance, or that an `UtteranceEnd` reports."""

MIN_UTTERANCE_END_MS: Final = 1_000
"""Least silence in milliseconds that an `UtteranceEnd` reports, as Deepgram's."""

_NEVER: Final = "false"
"""Value of `endpointing` for results that are never `speech_final`."""


class _Request(Enum):
    """Why the client ends the utterances in progress."""

    FINALIZE = auto()
    CLOSE = auto()


class ListenCodec(Codec):
    """One connection of `/v1/listen`."""

    def __init__(self, handshake: Handshake, config: SessionConfig, audio_format: AudioFormat | None) -> None:
        """Start with `config`; `audio_format` is None for audio in a container."""
        query = handshake.query
        self._handshake = handshake
        self._config = config
        self._format = audio_format
        self._vad_events = flag(query, "vad_events")
        self._writer = ResultWriter(
            handshake.session_id,
            config.recognizer,
            punctuated=is_punctuated(query),
            with_language=text_of(query, "language").lower() == "multi",
        )
        endpointing = text_of(query, "endpointing").lower() != _NEVER
        self._channels = [
            Utterances(self._writer, [index, config.speakers], endpointing=endpointing)
            for index in range(config.speakers)
        ]
        self._requests: deque[_Request] = deque()
        """The client's requests to end utterances that the session has not carried out."""
        self._configured: deque[list[str] | None] = deque()
        """The terms of each `Configure` that the session has not carried out."""
        self._received = 0
        """Bytes of audio."""
        self._closing = False

    @classmethod
    def open(cls, handshake: Handshake) -> "ListenCodec":
        """Configure a connection by its query. An unknown model stands for the default one. Raises `ClientError`."""
        query = handshake.query
        check_flags(query)
        recognizer = handshake.find_recognizer(text_of(query, "model")) or handshake.find_recognizer("")
        assert recognizer is not None  # the default models are loaded before a session is admitted
        audio_format = input_format(query)
        if (separate := flag(query, "multichannel")) and audio_format is None:
            raise InvalidQuery(
                "`multichannel` needs raw audio: give `encoding`, `sample_rate` and `channels`. Channels of audio in "
                "a container are mixed.",
                param="multichannel",
            )
        config = SessionConfig(
            recognizer=recognizer,
            input_format=audio_format or AudioFormat(Encoding.PCM16, SAMPLE_RATE),
            separate_channels=separate,
            turn_detection=_turn_detection(query),
            transcribe=True,
            language=language(query),
            prompt=expected_terms(query),
            decode_partials=flag(query, "interim_results"),
            include_partials=flag(query, "interim_results"),
            time_partials=flag(query, "interim_results"),
            voice=handshake.find_voice("") or "",
        )
        return cls(handshake, config, audio_format)

    @property
    def config(self) -> SessionConfig:
        return self._config

    @property
    def idle_timeout_seconds(self) -> float | None:
        return IDLE_SECONDS

    def greeting(self) -> Frames:
        return []

    # Messages of the client.

    def decode(self, message: str | bytes) -> Sequence[Command | MediaChunk]:
        """Parse a message: audio, of which an empty one means nothing, or text. Raises `SchemaError`.

        Nothing counts after `CloseStream`.
        """
        if self._closing:
            return []
        if isinstance(message, str):
            return self._control(parse(message, LISTEN))
        if not message:
            return []
        self._received += len(message)
        self._writer.count(message)
        return [MediaChunk(message)] if self._format is None else [AppendAudio(message)]

    def _control(self, message: ListenMessage) -> Sequence[Command | MediaChunk]:
        match message:
            case KeepAlive():
                return []
            case Finalize():
                self._requests.append(_Request.FINALIZE)
                return [CommitAudio()]
            case CloseStream():
                self._closing = True
                self._requests.append(_Request.CLOSE)
                ending = [MediaChunk(b"")] if self._format is None and self._received else []
                return [*ending, CommitAudio()]
            case Configure():
                self._configured.append(message.keyterms)
                if message.keyterms is not None:
                    self._config = replace(self._config, prompt=joined_terms(message.keyterms))
                return [ConfigureSession(self._config)]
            case _:
                assert_never(message)

    # Events of the session.

    def encode(self, event: Event) -> Outgoing:
        """Return the messages that report an event; those about an utterance only when it is their turn."""
        match event:
            case CommandRefused(command=CommitAudio()):
                return self._carry_out(self._requests.popleft())
            case SessionConfigured():
                terms = self._configured.popleft()
                return [message_of("ConfigureSuccess", request_id=self._handshake.session_id, keyterms=terms)]
            case _ if isinstance(event, ChannelEvent):
                return self._about(event, self._channels[event.channel or 0])
            case _:
                return []

    def _about(self, event: ChannelEvent, channel: Utterances) -> Outgoing:
        match event:
            case SpeechStarted(item_id, at):
                channel.begin(item_id, at)
                return [self._writer.speech_started(at, channel.index)] if self._vad_events else []
            case SpeechStopped(item_id):
                channel.stop(item_id)
            case AudioCommitted(item_id):
                return [] if channel.has_ended(item_id) else self._carry_out(self._requests.popleft())
            case TranscriptExtended(item_id, delta):
                channel.extend(item_id, delta)
            case TranscriptRevised():
                return channel.revise(event)
            case TranscriptCompleted():
                return [*channel.complete(event), *self._summary()]
            case TranscriptFailed(item_id, error):
                failed = TranscriptCompleted(item_id, "", (), "", 0)
                return [self._error(error), *channel.complete(failed), *self._summary()]
            case SilencePassed():
                return channel.pass_silence()
            case _:
                assert_never(event)
        return []

    def _carry_out(self, request: _Request) -> Outgoing:
        """Take note that a request has ended the utterances in progress, of all channels at the same position."""
        end = Utterances.finalize if request is _Request.FINALIZE else Utterances.close
        return [*chain.from_iterable(map(end, self._channels)), *self._summary()]

    def _summary(self) -> Outgoing:
        """Return what ends the connection, if everything before has been sent."""
        if not all(channel.closed for channel in self._channels):
            return []
        summary = self._writer.summary(self._duration, self._handshake.opened_at, channels=len(self._channels))
        return [summary, Close()]

    @property
    def _duration(self) -> int:
        """Samples at 16 kHz of all audio; of audio in a container, those up to the end of the last utterance."""
        if self._format is None:
            return self._channels[0].end
        frame_bytes = self._format.bytes_per_sample * self._format.channels
        return self._received // frame_bytes * SAMPLE_RATE // self._format.sample_rate

    # Errors.

    def encode_error(self, error: VoiceError, *, final: bool = False) -> Outgoing:
        """Return the message `Error`; one about audio that cannot be decoded ends the connection."""
        message = self._error(error)
        return [message, closing(error)] if final or isinstance(error, UnsupportedAudio) else [message]

    @staticmethod
    def _error(error: VoiceError) -> str:
        if isinstance(error, SchemaError):
            return message_of("Error", variant="SchemaError", description=error.public_message, message=error.quoted)
        return message_of("Error", variant=error.code, code=error.code, description=error.public_message)


def _turn_detection(query: Query) -> TurnDetection:
    """Return when an utterance ends: by `endpointing`, or after the service's own default; and what is reported."""
    default = TurnDetection()
    written = text_of(query, "endpointing").lower()
    silence = None if written in (_NEVER, "true") else number(query, "endpointing")
    utterance_end = number(query, "utterance_end_ms")
    return TurnDetection(
        silence=default.silence if silence is None else _samples(max(silence, MIN_SILENCE_MS)),
        reported_silence=utterance_end and _samples(max(utterance_end, MIN_UTTERANCE_END_MS)),
    )


def _samples(milliseconds: int) -> int:
    return min(milliseconds, MAX_SILENCE_MS) * SAMPLE_RATE // 1000
