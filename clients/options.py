"""What a client asks of a session, as the query and the configuration of the protocol."""

from dataclasses import dataclass
from typing import Final

from clients.arguments import check_strings, check_whole_numbers, strings_of
from clients.errors import ErrorCode, RequestFailed
from clients.events import Payload

SAMPLE_RATE: Final = 24_000
"""Sample rate in Hz of the protocol's default format in both directions: PCM16, little-endian, mono."""


SPEECH_MODEL: Final = "tts-1"
"""The model of a conversation that only speaks: the server keeps no recognizer for it, and asks no chat model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """Options of a session; those that are None, empty or False leave the choice to the server.

    `transcription` opens a session that only listens, otherwise a conversation. `rate` is the sample rate in Hz of the
    audio that is sent, PCM16. `eagerness` (`low`, `medium`, `high`, `auto`) ends turns by meaning instead of after
    `silence_ms` milliseconds of silence.

    Raises `TypeError`, which names the option, if one has the wrong type, and `ValueError` for a `voice` where nothing
    is spoken, and for `partials` where there are `finals_only`.
    """

    transcription: bool = True
    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    keywords: tuple[str, ...] = ()
    translate: bool = False
    voice: str | None = None
    instructions: str | None = None
    rate: int = SAMPLE_RATE
    turn_detection: bool = True
    silence_ms: int | None = None
    eagerness: str | None = None
    partials: bool = False
    finals_only: bool = False
    binary: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        check_strings(
            model=self.model,
            language=self.language,
            prompt=self.prompt,
            voice=self.voice,
            instructions=self.instructions,
            eagerness=self.eagerness,
        )
        check_whole_numbers(rate=self.rate, silence_ms=self.silence_ms)
        strings_of("keywords", self.keywords)
        if self.partials and self.finals_only:
            raise ValueError("partials and finals_only exclude each other")
        if self.transcription and self.voice is not None:
            raise ValueError("voice needs transcription=False: a session with transcription does not speak")

    def query(self) -> dict[str, str]:
        """Return the query of the address."""
        query = {"intent": "transcription"} if self.transcription else {"model": self.model} if self.model else {}
        wanted = {
            "partials": self.partials,
            "finals": self.finals_only,
            "binary": self.binary,
            "resume": self.resume,
        }
        extensions = [name for name, on in wanted.items() if on]
        return query | {"ext": ",".join(extensions or ["draining"])}  # without any, the server names no replacements

    def configuration(self) -> Payload:
        """Return the session of `session.update`."""
        given = {
            "language": self.language,
            "prompt": self.prompt,
            "keywords": list(self.keywords),
            "model": self.model if self.transcription else None,
            "task": "translate" if self.translate else None,
        }
        audio: Payload = {
            "format": {"type": "audio/pcm", "rate": self.rate},
            "transcription": {name: value for name, value in given.items() if value},
        }
        if self.transcription and not audio["transcription"]:
            del audio["transcription"]  # a transcription session transcribes by default
        if not self.turn_detection:
            audio["turn_detection"] = None
        elif self.eagerness is not None:
            audio["turn_detection"] = {"type": "semantic_vad", "eagerness": self.eagerness}
        elif self.silence_ms is not None:
            audio["turn_detection"] = {"type": "server_vad", "silence_duration_ms": self.silence_ms}
        session: Payload = {
            "type": "transcription" if self.transcription else "realtime",
            "audio": {"input": audio},
        }
        if self.voice:
            session["audio"]["output"] = {"voice": self.voice}
        if self.instructions and not self.transcription:
            session["instructions"] = self.instructions
        return session

    def check(self, session: object) -> None:
        """Raise `RequestFailed` if the server does not have the model, the language or the voice that was asked for.

        `session` is the session object that the server confirmed, which names what it has replaced by its default.
        """
        match session:
            case {"x_substituted": [*unknown]}:
                pass
            case _:
                return
        if self.model and "model" in unknown:
            raise unknown_model(self.model)
        if self.language and "language" in unknown:
            raise unknown_language(self.language)
        if self.voice and "voice" in unknown:
            raise unknown_voice(self.voice)


def unknown_model(name: str) -> RequestFailed:
    """Return the error for a recognizer that the server does not have."""
    where = "GET /v1/models?task=automatic-speech-recognition lists those that it has"
    return RequestFailed(ErrorCode.MODEL_NOT_FOUND, f"the server has no model {name} for captions; {where}", "model")


def unknown_voice(name: str) -> RequestFailed:
    """Return the error for a voice that the server does not have."""
    where = "GET /v1/audio/voices lists those that it has"
    return RequestFailed(ErrorCode.INVALID_VOICE, f"the server has no voice {name}; {where}", "voice")


def unknown_language(name: str) -> RequestFailed:
    """Return the error for a language that the server does not know, or its model does not transcribe."""
    where = "GET /v1/models lists the languages of each, as codes such as de"
    return RequestFailed(ErrorCode.INVALID_VALUE, f"the model does not transcribe {name}; {where}", "language")
