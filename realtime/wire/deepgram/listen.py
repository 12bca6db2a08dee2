"""Codec of `/v1/listen`: audio in, `Results` out.

A turn of the session is an utterance: it has interim results while it is spoken, if the client wants any, and one final
result. What is asked for after a turn (`Finalize`, `CloseStream`) or follows it (`UtteranceEnd`) waits for its final
result, so that the client sees everything in the order of the audio.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, TypeAlias, assert_never

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.errors import UnsupportedAudio, VoiceError
from realtime.session.commands import AppendAudio, Command, CommitAudio
from realtime.session.commands import Configure as ConfigureSession
from realtime.session.config import SessionConfig
from realtime.session.events import (
    AudioCommitted,
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
from realtime.wire.codec import Close, Frames, Handshake, MediaChunk, Outgoing
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
    expected_terms,
    flag,
    input_format,
    is_punctuated,
    joined_terms,
    language,
    number,
    text_of,
)
from realtime.wire.deepgram.results import ResultWriter, Span

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


class _Mark(Enum):
    """What follows the results of the turns before it."""

    FINALIZED = auto()
    UTTERANCE_END = auto()
    CLOSE = auto()


class _Request(Enum):
    """Why the client ends a turn."""

    FINALIZE = auto()
    CLOSE = auto()


@dataclass(slots=True)
class _Turn:
    """A turn whose final result is still to come."""

    item_id: str
    start: int
    text: str = ""
    """The text committed so far."""
    stopped: bool = False
    """Whether the detector has ended it."""
    finalized: bool = False
    """Whether its result answers a `Finalize`."""


_Waiting: TypeAlias = _Turn | _Mark


class ListenCodec:
    """One connection of `/v1/listen`."""

    def __init__(self, handshake: Handshake, config: SessionConfig, audio_format: AudioFormat | None) -> None:
        """Start with `config`; `audio_format` is None for audio in a container."""
        query = handshake.query
        self._handshake = handshake
        self._config = config
        self._format = audio_format
        self._vad_events = flag(query, "vad_events")
        self._endpointing = text_of(query, "endpointing").lower() != _NEVER
        self._writer = ResultWriter(
            handshake.session_id,
            config.recognizer,
            punctuated=is_punctuated(query),
            with_language=text_of(query, "language").lower() == "multi",
        )
        self._waiting: deque[_Waiting] = deque()
        """Turns in the order of the audio, and what follows them."""
        self._requests: deque[_Request] = deque()
        """The client's requests to end a turn that the session has not carried out."""
        self._configured: deque[list[str] | None] = deque()
        """The terms of each `Configure` that the session has not carried out."""
        self._received = 0
        """Bytes of audio."""
        self._end = 0
        """Position of the end of the last turn."""
        self._last_word_end: int | None = None
        """Position of the end of the last word for which there was no `UtteranceEnd`."""
        self._closing = False

    @classmethod
    def open(cls, handshake: Handshake) -> "ListenCodec":
        """Configure a connection by its query. An unknown model stands for the default one. Raises `ClientError`."""
        query = handshake.query
        recognizer = handshake.find_recognizer(text_of(query, "model")) or handshake.find_recognizer("")
        assert recognizer is not None  # the default models are loaded before a session is admitted
        audio_format = input_format(query)
        if flag(query, "multichannel") and (audio_format is None or audio_format.channels > 1):
            raise InvalidQuery(
                "`multichannel` is not supported for live audio. Without it, the channels are mixed to one.",
                param="multichannel",
            )
        config = SessionConfig(
            recognizer=recognizer,
            input_format=audio_format or AudioFormat(Encoding.PCM16, SAMPLE_RATE),
            turn_detection=_turn_detection(query),
            transcribe=True,
            language=language(query),
            prompt=expected_terms(query),
            include_partials=flag(query, "interim_results"),
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
        """Return the messages that report an event; those about a turn only when it is their turn."""
        match event:
            case SpeechStarted(item_id, at):
                self._waiting.append(_Turn(item_id, at))
                return [self._writer.speech_started(at)] if self._vad_events else []
            case SpeechStopped(item_id):
                self._turn(item_id).stopped = True
            case AudioCommitted(item_id):
                turn = self._turn(item_id)
                if not turn.stopped:
                    return self._carried_out(self._requests.popleft(), turn)
            case CommandRefused(command=CommitAudio()):
                return self._carried_out(self._requests.popleft(), None)
            case TranscriptExtended(item_id, delta):
                self._turn(item_id).text += delta
            case TranscriptRevised():
                return self._interim(self._turn(event.item_id), event)
            case TranscriptCompleted():
                return [*self._final(event), *self._marks()]
            case TranscriptFailed(item_id, error):
                failed = TranscriptCompleted(item_id, "", (), "", 0)
                return [self._error(error), *self._final(failed), *self._marks()]
            case SilencePassed():
                self._waiting.append(_Mark.UTTERANCE_END)
                return self._marks()
            case SessionConfigured():
                terms = self._configured.popleft()
                return [message_of("ConfigureSuccess", request_id=self._handshake.session_id, keyterms=terms)]
            case _:
                pass
        return []

    def _turn(self, item_id: str) -> _Turn:
        return next(each for each in self._waiting if isinstance(each, _Turn) and each.item_id == item_id)

    def _carried_out(self, request: _Request, turn: _Turn | None) -> Outgoing:
        """Take note that a request ended `turn`, or found none in progress."""
        if request is _Request.CLOSE:
            self._waiting.append(_Mark.CLOSE)
            return self._marks()
        last = self._waiting[-1] if self._waiting else None
        if turn is None and isinstance(last, _Turn) and not last.finalized:
            turn = last
        if turn is None:
            self._waiting.append(_Mark.FINALIZED)
            return self._marks()
        turn.finalized = True
        return []

    def _interim(self, turn: _Turn, event: TranscriptRevised) -> Frames:
        """Return the text of a turn so far, with words where all of them have times."""
        tentative = "".join(word.text for word in event.tentative)
        text = turn.text + (tentative if turn.text else tentative.lstrip())
        words = (*event.committed, *event.tentative)
        timed = all(word.end > 0 for word in words) and "".join(word.text for word in words).strip() == text.strip()
        if not text.strip():
            return []
        span = Span(turn.start, event.audio_end)
        return [self._writer.result(text, words if timed else (), span, is_final=False)]

    def _final(self, completed: TranscriptCompleted) -> Frames:
        """Return the final result of the first turn that waits."""
        turn = self._waiting.popleft()
        assert isinstance(turn, _Turn)
        assert turn.item_id == completed.item_id
        self._end = turn.start + completed.samples
        if completed.words:
            self._last_word_end = completed.words[-1].end
        result = self._writer.result(
            completed.text,
            completed.words,
            Span(turn.start, self._end),
            language=completed.language,
            speech_final=self._endpointing or turn.finalized,
            from_finalize=turn.finalized,
        )
        return [result]

    def _marks(self) -> Outgoing:
        """Return what follows the turns whose results have been sent."""
        frames: list[str | bytes | Close] = []
        while self._waiting and isinstance(mark := self._waiting[0], _Mark):
            self._waiting.popleft()
            if mark is _Mark.FINALIZED:
                frames.append(self._writer.result("", (), Span(self._end, self._end), from_finalize=True))
            elif mark is _Mark.CLOSE:
                frames += [self._writer.summary(self._duration, self._handshake.opened_at), Close()]
            elif self._last_word_end is not None:
                frames.append(self._writer.utterance_end(self._last_word_end))
                self._last_word_end = None
        return frames

    @property
    def _duration(self) -> int:
        """Samples at 16 kHz of all audio; of audio in a container, those up to the end of the last turn."""
        if self._format is None:
            return self._end
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
