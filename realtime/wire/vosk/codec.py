"""Codec of vosk-server: audio in, and exactly one answer to every message of audio.

Source: https://github.com/alphacep/vosk-server/blob/master/websocket/asr_server.py

A client waits for the answer before it sends more. As with Vosk, the answer comes when the audio has been heard: the
text of the utterance so far, or the transcript of the utterances that ended in it, as soon as that is final. So a
client that sends a recording as fast as it can is slowed down to the speed of the engine, and loses nothing by it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from msgspec import UNSET

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.errors import BadMessage, VoiceError
from realtime.languages import language_code
from realtime.session.commands import AppendAudio, Command, Configure
from realtime.session.config import SessionConfig
from realtime.session.events import AudioCleared, Event, SessionConfigured
from realtime.wire.codec import MAX_PROMPT_CHARACTERS, Answer, Close, Codec, Handshake, MediaChunk, Outgoing
from realtime.wire.open_turns import END_OF_AUDIO, OpenTurns, TranscribedTurn
from realtime.wire.vosk import messages as wire

DEFAULT_RATE: Final = 8_000
"""Sample rate in Hz of a client that sends no config: the server's own default."""

_UNKNOWN: Final = "[unk]"
"""Vosk's phrase for all that is not in the list."""


class _Kind(Enum):
    """What is answered; a config is not, but takes its turn."""

    CONFIG = auto()
    AUDIO = auto()
    RESET = auto()
    EOF = auto()


@dataclass(slots=True)
class _Owed:
    """An answer that is still to be given."""

    kind: _Kind
    turns: frozenset[str] | None = None
    """Turns whose transcripts it waits for; None as long as not all audio before it has been heard."""


class VoskCodec(Codec):
    """One connection."""

    def __init__(self, config: SessionConfig) -> None:
        """Start from `config`."""
        self._config = config
        self._turns = OpenTurns()
        self._transcribed: list[TranscribedTurn] = []
        """Turns that no answer has reported yet."""
        self._owed: deque[_Owed] = deque()
        """Answers in order; as many as the session lets commands wait, of which each has one."""
        self._words = True
        self._alternatives = False

    @classmethod
    def open(cls, handshake: Handshake) -> "VoskCodec":
        """Listen with the default recognizer, in the language of the query.

        Raises `ClientError` for an unknown language.
        """
        recognizer = handshake.find_recognizer("")
        assert recognizer is not None  # the default models are loaded before a session is admitted
        input_format = AudioFormat(Encoding.PCM16, DEFAULT_RATE)
        return cls(
            SessionConfig(
                recognizer,
                input_format=input_format,
                transcribe=True,
                language=language_code(handshake.parameter("language")),
                include_partials=True,
            )
        )

    @property
    def config(self) -> SessionConfig:
        return self._config

    def decode(self, message: str | bytes) -> Sequence[Command | MediaChunk | Answer]:
        """Parse one message.

        Raises `UnsupportedAudio` for a sample rate out of range, and `BadMessage` for other text that is refused.
        """
        if self._owed and self._owed[-1].kind is _Kind.EOF:
            raise BadMessage("Nothing can follow eof.")
        if isinstance(message, bytes):
            self._owed.append(_Owed(_Kind.AUDIO))
            return [AppendAudio(message), Configure(self._config)]  # which is confirmed when the audio has been heard
        request = wire.parse(message)
        if request.config is not None:
            self._configure(request.config)
            self._owed.append(_Owed(_Kind.CONFIG))
            return [Configure(self._config)]
        if not (request.eof or request.reset):
            raise BadMessage("Send a config, eof or reset as JSON, or audio as binary messages.")
        self._owed.append(_Owed(_Kind.EOF if request.eof else _Kind.RESET))
        return END_OF_AUDIO

    def _configure(self, config: wire.Config) -> None:
        """Apply the fields that are there; a model is chosen by this server, not by its clients."""
        if config.sample_rate is not None:
            rate = int(config.sample_rate) if 0 < config.sample_rate < 10**6 else 0  # no NaN either
            self._config = replace(self._config, input_format=AudioFormat(Encoding.PCM16, rate))
        if config.phrase_list is not None:
            prompt = ", ".join(phrase for phrase in config.phrase_list if phrase != _UNKNOWN)
            self._config = replace(self._config, prompt=prompt[-MAX_PROMPT_CHARACTERS:])
        self._words = self._words if config.words is None else config.words
        self._alternatives = self._alternatives if config.max_alternatives is None else config.max_alternatives > 0

    def encode(self, event: Event) -> Outgoing:
        """Return the answers that are due after an event of the session."""
        turn = self._turns.follow(event)
        if turn is not None and turn.text:
            self._transcribed.append(turn)
        if isinstance(event, SessionConfigured | AudioCleared):
            next(owed for owed in self._owed if owed.turns is None).turns = self._turns.ended
        frames: list[str | bytes | Close] = []
        while self._owed and (turns := self._owed[0].turns) is not None and not turns & self._turns.ended:
            kind = self._owed.popleft().kind
            if kind is _Kind.AUDIO:
                frames.append(self._answer())
            elif kind is not _Kind.CONFIG:
                frames += [self._result(), *([Close()] if kind is _Kind.EOF else [])]
        return frames

    def _answer(self) -> str:
        """Return the answer to a message of audio."""
        if self._transcribed:
            return self._result()
        newest = self._turns.newest
        return wire.write(wire.Partial("" if newest is None else newest.text))

    def _result(self) -> str:
        """Return what has become final since the last answer."""
        turns, self._transcribed = self._transcribed, []
        text = " ".join(turn.text for turn in turns)
        words = [word for turn in turns for word in turn.words if word.end > 0]  # without times under load
        result = [
            wire.WordResult(word.probability, word.end / SAMPLE_RATE, word.start / SAMPLE_RATE, word.text.strip())
            for word in words
        ]
        shown = result if self._words and result else UNSET
        if not self._alternatives:
            return wire.write(wire.Result(text, shown))
        confidence = sum(word.probability for word in words) / max(1, len(words))
        return wire.write(wire.Alternatives([wire.Alternative(confidence, text, shown)]))

    def encode_error(self, error: VoiceError, *, final: bool = False) -> Outgoing:
        """Return the answer to a message that is refused, or to what ends the connection."""
        answer = wire.write(wire.Failure(error.public_message))
        return [answer, Close(error.close_code, error.code)] if final else [answer]
