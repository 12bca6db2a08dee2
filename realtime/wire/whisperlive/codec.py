"""Codec of WhisperLive: audio in, and the newest segments after every change.

Source: https://github.com/collabora/WhisperLive, version 0.10

The model, the detector and its thresholds are those of this server, whatever the client asks for: its default is a
model that it may never have chosen.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.errors import BadMessage, ClientError, VoiceError
from realtime.languages import language_code
from realtime.session.commands import AppendAudio, Command, Configure
from realtime.session.config import SessionConfig
from realtime.session.events import AudioCleared, Event, TranscriptRevised
from realtime.speech.cues import cut_into_cues
from realtime.wire.codec import MAX_PROMPT_CHARACTERS, Answer, Close, Codec, Frames, Handshake, MediaChunk, Outgoing
from realtime.wire.open_turns import END_OF_AUDIO, OpenTurns, TranscribedTurn
from realtime.wire.whisperlive import messages as wire
from realtime.wire.whisperlive.samples import SampleConverter

MAX_SEGMENTS: Final = 100
"""Segments in a message, whatever the client asks for; at 200 bytes each a message then has 20 kB."""


class WhisperLiveCodec(Codec):
    """One connection."""

    def __init__(self, config: SessionConfig) -> None:
        """Start from `config`."""
        self._config = config
        self._uid: str | None = None
        """The client's name for itself; None until its first message."""
        self._samples: SampleConverter | None = None
        """None until the options have come."""
        self._turns = OpenTurns()
        self._completed: deque[wire.Segment] = deque()
        self._completed_until = 0
        """End of the last completed segment; clients drop a segment that begins before it."""
        self._language_sent = False
        self._ended = False
        self._cleared = False

    @classmethod
    def open(cls, handshake: Handshake) -> "WhisperLiveCodec":
        """Listen with the default recognizer."""
        recognizer = handshake.find_recognizer("")
        assert recognizer is not None  # the default models are loaded before a session is admitted
        input_format = AudioFormat(Encoding.PCM16, SAMPLE_RATE)
        return cls(SessionConfig(recognizer, input_format=input_format, transcribe=True, include_partials=True))

    @property
    def config(self) -> SessionConfig:
        return self._config

    def decode(self, message: str | bytes) -> Sequence[Command | MediaChunk | Answer]:
        """Parse one message: the options, then audio. Raises `BadMessage` for one that is refused."""
        if self._samples is None:
            return self._begin(message)
        if isinstance(message, str):
            raise BadMessage("Only audio can follow the options.")
        if self._ended:
            raise BadMessage("Nothing can follow the end of the audio.")
        if message == wire.END_OF_AUDIO:
            self._ended = True
            return END_OF_AUDIO
        return [AppendAudio(self._samples.convert(message))]

    def _begin(self, message: str | bytes) -> Sequence[Command | Answer]:
        """Take the options. Where they cannot be fulfilled, the connection ends, as the client would wait for ever."""
        self._uid = wire.find_uid(message)
        try:
            options = wire.parse(message)
            self._config = self._configured(options)
        except ClientError as error:
            return [Answer(self.encode_error(error, final=True))]
        self._samples = SampleConverter(options.audio_format)
        self._completed = deque(maxlen=min(options.send_last_n_segments, MAX_SEGMENTS))
        return [Configure(self._config), Answer([wire.write(wire.Ready(options.uid))])]

    def _configured(self, options: wire.Options) -> SessionConfig:
        translate = options.task == "translate"
        if translate and not self._config.recognizer.capabilities.translation:
            raise ClientError(f"The model '{self._config.recognizer.name}' cannot translate.", param="task")
        prompt = " ".join(filter(None, (options.initial_prompt, options.hotwords)))
        return replace(
            self._config,
            language=language_code(options.language or ""),
            translate=translate,
            prompt=prompt[-MAX_PROMPT_CHARACTERS:],
        )

    def encode(self, event: Event) -> Outgoing:
        """Return the segments after a change of them; after the end of the audio and its last segment, the end."""
        frames: list[str | bytes | Close] = []
        turn = self._turns.follow(event)
        if turn is not None and turn.text:
            frames += self._language(turn)
            self._complete(turn)
        if (turn is not None and turn.text) or isinstance(event, TranscriptRevised):
            frames += self._segments()
        self._cleared |= isinstance(event, AudioCleared)
        if self._cleared and self._turns.newest is None:
            frames.append(Close())
        return frames

    def _language(self, turn: TranscribedTurn) -> Frames:
        """Return the message about the language that was detected, once."""
        if self._config.language or self._language_sent or not turn.language:
            return []
        self._language_sent = True
        return [wire.write(wire.Language(self._uid, turn.language))]

    def _complete(self, turn: TranscribedTurn) -> None:
        """Make segments of the sentences of a turn."""
        language = "en" if self._config.translate else turn.language
        timed = bool(turn.words) and all(word.end > 0 for word in turn.words)
        cues = cut_into_cues(turn.words, language) if timed else []
        for words in cues:
            self._add(words[0].start, words[-1].end, "".join(word.text for word in words))
        if not cues:  # without times under load, or where the last part could not be transcribed
            self._add(turn.start, turn.end, turn.text)

    def _add(self, start: int, end: int, text: str) -> None:
        start = max(start, self._completed_until)
        self._completed_until = max(start, end)
        self._completed.append(_segment(start, self._completed_until, text, completed=True))

    def _segments(self) -> Frames:
        """Return the newest segments, the last of them that of the turn in progress."""
        newest = self._turns.newest
        segments = list(self._completed)
        if newest is not None and newest.text:
            start = max(newest.start, self._completed_until)
            segments.append(_segment(start, max(start, newest.end), newest.text, completed=False))
        return [wire.write(wire.Segments(self._uid, segments))] if segments else []

    def encode_error(self, error: VoiceError, *, final: bool = False) -> Outgoing:
        """Return the status that reports an error."""
        status = wire.write(wire.Status(self._uid, "ERROR" if final else "WARNING", error.public_message))
        return [status, Close(error.close_code, error.code)] if final else [status]


def _segment(start: int, end: int, text: str, *, completed: bool) -> wire.Segment:
    return wire.Segment(f"{start / SAMPLE_RATE:.3f}", f"{end / SAMPLE_RATE:.3f}", text.strip(), completed)
