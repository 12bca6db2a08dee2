"""Codec of Twilio's Media Streams: a telephone call that talks to the chat backend.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages

The caller's turns are answered by the session itself. What this dialect adds is what a telephone needs: the first words
of the call, keys as messages of the caller, and `clear` when the caller interrupts, after which the conversation keeps
what was heard by the marks that came back. Twilio takes no errors: a message that is refused has no answer, and a
connection that cannot go on is closed, upon which Twilio goes on in the TwiML.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, assert_never

from realtime.audio.formats import AudioFormat, Encoding
from realtime.audio.g711 import G711_RATE
from realtime.errors import BadMessage, ClientError, TooLarge, UnsupportedAudio, VoiceError
from realtime.languages import language_code
from realtime.session.commands import (
    AppendAudio,
    CancelResponse,
    Command,
    Configure,
    CreateItem,
    CreateResponse,
    Speak,
    TruncateItem,
)
from realtime.session.config import SessionConfig
from realtime.session.conversation import Message, Role, TextPart
from realtime.session.events import CommandRefused, Event, SpeechStarted
from realtime.session.generation import ChatNotConfigured
from realtime.session.response_events import ResponseAudioExtended, ResponseFinished, ResponseStatus
from realtime.wire.codec import Answer, Close, Codec, Frames, Handshake, MediaChunk, Outgoing
from realtime.wire.twilio import messages as wire
from realtime.wire.twilio.keypad import Keypad
from realtime.wire.twilio.playback import Playback

IDLE_SECONDS: Final = 30.0
"""Seconds without a message after which a call is over: a call sends audio all the time, 50 times a second."""

_FORMAT: Final = AudioFormat(Encoding.MULAW, G711_RATE)

_MILLISECOND: Final = G711_RATE // 1000
"""Bytes of audio in a millisecond."""


class TwilioCodec(Codec):
    """One call."""

    def __init__(self, handshake: Handshake, config: SessionConfig) -> None:
        self._handshake = handshake
        self._config = config
        self._stream_sid = ""
        """The stream's id, which all messages to Twilio carry; empty until the stream begins."""
        self._playback = Playback()
        self._keypad = Keypad()
        self._truncations: list[TruncateItem] = []
        """What the conversation is to keep of an interrupted answer; the session learns it with the next message."""

    @classmethod
    def open(cls, handshake: Handshake) -> "TwilioCodec":
        """Prepare for a call. Raises `ChatNotConfigured` where nobody would answer it."""
        if not handshake.chat:
            raise ChatNotConfigured
        recognizer = handshake.find_recognizer("")
        assert recognizer is not None  # the default models are loaded before a session is admitted
        config = SessionConfig(
            recognizer,
            input_format=_FORMAT,
            output_format=_FORMAT,
            transcribe=True,
            voice=handshake.find_voice("") or "",
            first_words=handshake.first_words,
            chat=True,
            create_response=True,
            prepare_answers=handshake.prepare_answers,
            resume_false_interruptions=handshake.resume_false_interruptions,
        )
        return cls(handshake, config)

    @property
    def config(self) -> SessionConfig:
        return self._config

    @property
    def idle_timeout_seconds(self) -> float | None:
        return IDLE_SECONDS

    def decode(self, message: str | bytes) -> Sequence[Command | MediaChunk | Answer]:
        """Parse one message.

        Raises `BadMessage` for one that is refused while the call goes on, and `UnsupportedAudio` for a stream in
        another format than Twilio's.
        """
        request = wire.parse(message)
        truncations, self._truncations = self._truncations, []
        return [*truncations, *self._commands(request)]

    def _commands(self, request: wire.Received) -> Sequence[Command | Answer]:
        if not self._stream_sid and isinstance(request, wire.Media | wire.Mark | wire.Digit):
            raise BadMessage("The stream has not begun.")
        match request:
            case wire.Connected():
                return []
            case wire.Start():
                return self._begin(request)
            case wire.Stop():
                return [Answer([Close()])]
            case wire.Media(media):
                return self._append(media)
            case wire.Mark(mark):
                self._playback.reached(mark.name)
                return []
            case wire.Digit(dtmf):
                # A key interrupts what is said, as in every telephone menu.
                first: list[Command] = [] if self._keypad.pressed else [CancelResponse()]
                return [*first, *self._entered(self._keypad.press(dtmf.digit))]
            case _:
                assert_never(request)

    def _begin(self, request: wire.Start) -> Sequence[Command | Answer]:
        """Configure the session by the parameters of the stream, and say the first words."""
        if self._stream_sid:
            raise BadMessage("The stream has begun already.")
        media_format = request.start.media_format
        if media_format != wire.MediaFormat():
            raise UnsupportedAudio(f"A media stream must have the format {wire.MEDIA_ENCODING} at 8000 Hz, mono.")
        parameters = request.start.custom_parameters
        try:
            self._config = replace(
                self._config,
                language=language_code(parameters.get("language", "")),
                voice=self._handshake.find_voice(parameters.get("voice", "")) or self._config.voice,
                instructions=self._text(parameters, "instructions"),
            )
            greeting = self._text(parameters, "greeting")
        except ClientError as error:  # the call would not be the one that was asked for
            return [Answer(self.encode_error(error, final=True))]
        self._stream_sid = request.stream_sid
        return [Configure(self._config), *([Speak(greeting)] if greeting else [])]

    def _text(self, parameters: dict[str, str], name: str) -> str:
        text = parameters.get(name, "").strip()
        if len(text) > self._handshake.max_input_characters:
            raise TooLarge(f"The parameter `{name}` is too long.", param=name)
        return text

    def _append(self, media: wire.MediaFields) -> Sequence[Command]:
        if media.track != "inbound":  # what a stream that was started beside the call sends of our own side
            return []
        seconds = len(media.payload) / G711_RATE
        return [AppendAudio(media.payload), *self._entered(self._keypad.advance(seconds))]

    def _entered(self, entry: str) -> Sequence[Command]:
        """Let the chat backend answer a complete entry; do nothing for none."""
        if not entry:
            return []
        said = Message(Role.USER, (TextPart(f"DTMF: {entry}"),))
        return [CancelResponse(), CreateItem(said), CreateResponse()]

    def encode(self, event: Event) -> Outgoing:
        """Return speech with its marks, and `clear` where it must be silent; Twilio wants to know nothing else."""
        match event:
            case ResponseAudioExtended(item_id=item_id, data=data, offset=offset):
                mark = self._playback.add(item_id, (offset + len(data)) // _MILLISECOND)
                return [
                    wire.write(wire.Play(self._stream_sid, wire.Speech(data))),
                    wire.write(wire.SetMark(self._stream_sid, wire.MarkFields(mark))),
                ]
            case (
                SpeechStarted(interrupts=True)
                | ResponseFinished(status=ResponseStatus.CANCELLED)
                | CommandRefused(command=CancelResponse())
            ):
                return self._silence()
            case _:
                return []

    def _silence(self) -> Frames:
        """Stop what is being played, and remember what was heard of it."""
        if not self._playback.playing:
            return []
        self._truncations += [TruncateItem(*heard) for heard in self._playback.clear()]
        return [wire.write(wire.Clear(self._stream_sid))]

    def encode_error(self, error: VoiceError, *, final: bool = False) -> Outgoing:
        """Return nothing, as Twilio takes no errors, or the end of the connection."""
        return [Close(error.close_code, error.code)] if final else []
