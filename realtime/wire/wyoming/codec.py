"""Codec of Wyoming: events of the client to commands, and events of the session to events for the client.

A client asks for one thing at a time: it sends `transcribe`, `audio-start`, audio and `audio-stop` and gets a
transcript, or it sends a text, whole or in parts, and gets audio. Answers have no ids. So a request that comes before
the answer to the one before has to wait (`ready_for`); only speaking and transcribing go on at the same time.

    transcribe, audio-start, audio-chunk*, audio-stop
        -> transcript-start, transcript-chunk*, transcript, transcript-stop
    synthesize
        -> audio-start, audio-chunk*, audio-stop
    synthesize-start, synthesize-chunk*, synthesize (the whole text once more, for older servers), synthesize-stop
        -> audio-start, audio-chunk*, audio-stop, synthesize-stopped

A client ends its audio itself (`requires_external_vad`), so that all of it is one turn.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding
from realtime.errors import BadMessage, ClientError, TooLarge
from realtime.languages import language_code
from realtime.session.commands import AppendAudio, ClearAudio, Command, CommitAudio, Configure, ExtendSpeech, Speak
from realtime.session.config import SessionConfig
from realtime.session.events import (
    AudioCleared,
    CommandRefused,
    Event,
    RefusalReason,
    TranscriptCompleted,
    TranscriptExtended,
    TranscriptFailed,
)
from realtime.session.response_events import Response, ResponseAudioExtended, ResponseFinished
from realtime.wire.codec import MAX_PROMPT_CHARACTERS, Handshake
from realtime.wire.wyoming.framing import WyomingEvent
from realtime.wire.wyoming.messages import (
    PcmFormat,
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    Transcribe,
    Voice,
    data_of,
)
from realtime.wire.wyoming.pcm import PcmConverter

REQUESTS: Final = frozenset(
    {
        "transcribe", "audio-start", "audio-chunk", "audio-stop",
        "synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop",
    }
)  # fmt: skip
"""The types of events that need a session. Unknown ones are ignored, as the protocol asks."""

_OUTPUT_BYTES: Final = 2
"""Bytes of a sample of speech."""


class WyomingCodec:
    """One connection of the Wyoming dialect.

    Attributes:
        config: The configuration that the client has asked for last.
        transcribing: Whether audio has ended whose transcript has not been sent.
        speaking: Whether a text has begun whose audio has not been sent to its end.
    """

    def __init__(self, handshake: Handshake) -> None:
        recognizer, voice = handshake.find_recognizer(""), handshake.find_voice("")
        assert recognizer is not None
        assert voice is not None
        self._handshake = handshake
        self.config = SessionConfig(
            recognizer,
            input_format=AudioFormat(Encoding.PCM16, SAMPLE_RATE),
            turn_detection=None,
            transcribe=True,
            voice=voice,
            first_words=handshake.first_words,
        )
        self.transcribing = False
        self.speaking = False
        self._converter = PcmConverter()
        self._audio_received = False
        """Whether audio has come since the last `audio-stop`."""
        self._dropping = 0
        """Times that the session is still to drop audio: until then transcripts are those of the dropped audio."""
        self._transcript_started = False
        self._speech_started = False
        self._text_open = False
        """Whether parts of a text are expected."""
        self._text_in_parts = False
        """Whether the text that is being spoken came in parts."""
        self._characters = 0
        """Characters of that text."""

    @property
    def busy(self) -> bool:
        """Whether the client waits for an answer."""
        return self.transcribing or self.speaking

    # From the client.

    def ready_for(self, event: WyomingEvent) -> bool:
        """Return whether an event can be decoded now; if not, it can after another event of the session."""
        match event.type:
            case "transcribe" | "audio-start" | "audio-chunk" | "audio-stop":
                return not self.transcribing
            case "synthesize" | "synthesize-start":
                return not self.speaking or self._text_open
            case _:
                return True

    def decode(self, event: WyomingEvent) -> Sequence[Command]:
        """Return the commands of one of the `REQUESTS`.

        Raises `ClientError` where the event cannot be used; the connection then has to end, because clients wait for
        an answer and most of them do not look at errors.
        """
        match event.type:
            case "transcribe":
                return [self._transcribe(data_of(event, Transcribe))]
            case "audio-start":
                return [*self._drop_audio(), *self._set_format(data_of(event, PcmFormat))]
            case "audio-chunk":
                return self._append(event)
            case "audio-stop":
                self._audio_received, self.transcribing = False, True
                return [CommitAudio()]
            case "synthesize":
                return self._synthesize(data_of(event, Synthesize))
            case "synthesize-start":
                return self._synthesize_start(data_of(event, SynthesizeStart))
            case "synthesize-chunk":
                return self._extend(data_of(event, SynthesizeChunk).text)
            case _:
                return self._synthesize_stop()

    def _transcribe(self, request: Transcribe) -> Command:
        recognizer = self._handshake.find_recognizer(request.name or "") or self.config.recognizer
        language = language_code(request.language or "")
        if language and recognizer.languages and language not in recognizer.languages:
            raise ClientError(f"The model {recognizer.name!r} does not support the language {language}.")
        expected = [*(request.transcript_terms or ()), *(request.transcript_names or ())]
        self.config = replace(
            self.config,
            recognizer=recognizer,
            language=language,
            prompt=", ".join(expected)[-MAX_PROMPT_CHARACTERS:],
        )
        return Configure(self.config)

    def _drop_audio(self) -> list[Command]:
        """Drop audio that the client did not end."""
        if not self._audio_received:
            return []
        self._audio_received = False
        self._dropping += 1
        return [ClearAudio()]

    def _set_format(self, given: PcmFormat) -> list[Command]:
        """Expect this format; what it does not say stays as it was."""
        if given.width is not None and given.width != self._converter.width:
            self._converter = PcmConverter(given.width)
        present = self.config.input_format
        rate = present.sample_rate if given.rate is None else given.rate
        channels = present.channels if given.channels is None else given.channels
        if (rate, channels) == (present.sample_rate, present.channels):
            return []
        self.config = replace(self.config, input_format=AudioFormat(Encoding.PCM16, rate, channels))
        return [Configure(self.config)]

    def _append(self, event: WyomingEvent) -> list[Command]:
        commands = self._set_format(data_of(event, PcmFormat))
        if event.payload:
            self._audio_received = True
            commands.append(AppendAudio(self._converter.convert(event.payload)))
        return commands

    def _synthesize(self, request: Synthesize) -> list[Command]:
        if self._text_open:
            return []  # the whole text, of which the parts are being spoken
        return [self._speak(request.text, request.voice, request.text_format, in_parts=False)]

    def _synthesize_start(self, request: SynthesizeStart) -> list[Command]:
        if self._text_open:
            raise BadMessage("The text before must be ended with synthesize-stop.")
        return [self._speak("", request.voice, request.text_format, in_parts=True)]

    def _speak(self, text: str, voice: Voice | None, text_format: str | None, *, in_parts: bool) -> Command:
        if text_format not in (None, "text"):
            raise ClientError("The text must be plain: other formats, such as SSML, are not supported.")
        self._characters = 0
        self._count(text)
        self.speaking, self._text_open, self._text_in_parts = True, in_parts, in_parts
        wanted = self._wanted_voice(voice) if voice is not None else None
        return Speak(text, in_conversation=False, voice=wanted, complete=not in_parts)

    def _wanted_voice(self, voice: Voice) -> str | None:
        """Return the voice that is named, or that of the language; None where the server knows neither."""
        if voice.name and (found := self._handshake.find_voice(voice.name)):
            return found
        with suppress(ClientError):
            return self._handshake.voice_of_language(language_code(voice.language or "") or "")
        return None

    def _extend(self, text: str) -> list[Command]:
        if not self._text_open:
            return []
        self._count(text)
        return [ExtendSpeech(text)]

    def _synthesize_stop(self) -> list[Command]:
        if not self._text_open:
            return []
        self._text_open = False
        return [ExtendSpeech(complete=True)]

    def _count(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > self._handshake.max_input_characters:
            raise TooLarge(f"The text is longer than {self._handshake.max_input_characters} characters.")

    # From the session.

    def encode(self, event: Event) -> list[WyomingEvent]:
        """Return what reports an event of the session.

        Raises the `VoiceError` of a request that failed; the connection then has to end, as after an error of `decode`.
        """
        match event:
            case AudioCleared():
                self._dropping -= 1
                self._transcript_started = False
                return []
            case TranscriptExtended() | TranscriptCompleted() | TranscriptFailed() if self._dropping:
                return []
            case TranscriptExtended(delta=delta):
                started = self._start_transcript()
                return [*started, _event("transcript-chunk", text=delta.lstrip() if started else delta)]
            case TranscriptCompleted(text=text, language=language):
                return self._finish_transcript(text, language)
            case CommandRefused(RefusalReason.NOTHING_TO_COMMIT):
                return self._finish_transcript("", "")
            case TranscriptFailed(error=error):
                raise error
            case ResponseAudioExtended(response=response, data=data, offset=offset):
                pcm = _pcm(response, timestamp=1000 * offset // response.output_format.sample_rate)
                return [*self._start_speech(response), WyomingEvent("audio-chunk", pcm, data)]
            case ResponseFinished(error=None, response=response):
                return self._finish_speech(response)
            case ResponseFinished(error=error):
                assert error is not None
                raise error
            case _:
                return []

    def _start_transcript(self) -> list[WyomingEvent]:
        """Return the first event of a transcript, unless it has been sent."""
        if self._transcript_started:
            return []
        self._transcript_started = True
        return [_event("transcript-start")]

    def _finish_transcript(self, text: str, language: str) -> list[WyomingEvent]:
        started = self._start_transcript()
        self._transcript_started = self.transcribing = False
        spoken = {"language": language} if text else {}
        return [*started, _event("transcript", text=text, **spoken), _event("transcript-stop")]

    def _start_speech(self, response: Response) -> list[WyomingEvent]:
        """Return the first event of the audio of a text, unless it has been sent."""
        if self._speech_started:
            return []
        self._speech_started = True
        return [WyomingEvent("audio-start", _pcm(response, timestamp=0))]

    def _finish_speech(self, response: Response) -> list[WyomingEvent]:
        started = self._start_speech(response)
        self._speech_started = self.speaking = False
        stopped = [_event("synthesize-stopped")] if self._text_in_parts else []
        return [*started, _event("audio-stop"), *stopped]


def _event(kind: str, **data: str) -> WyomingEvent:
    return WyomingEvent(kind, data)


def _pcm(response: Response, *, timestamp: int) -> dict[str, int]:
    """Return the data of an event about audio; the time is in milliseconds."""
    rate = response.output_format.sample_rate
    return {"rate": rate, "width": _OUTPUT_BYTES, "channels": 1, "timestamp": timestamp}
