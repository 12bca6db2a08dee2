"""The errors that Vivavoce reports to its clients, with the codes and statuses of its protocols.

Errors of one subsystem are defined beside it, below the class here whose status fits:

    VoiceError
    ├── ClientError                 the request is wrong; repeating it does not help
    │   ├── BadMessage
    │   ├── UnsupportedAudio
    │   │   ├── EmptyFile
    │   │   ├── InvalidFileFormat
    │   │   ├── NoAudioStream
    │   │   └── AudioTooShort
    │   ├── UnknownModel
    │   ├── UnsupportedModel
    │   ├── UnusableModel
    │   │   ├── EngineNotInstalled
    │   │   └── NoEngine
    │   ├── ModelInUse
    │   ├── UnknownVoice
    │   ├── NothingToSpeak
    │   ├── UnreadableText
    │   ├── UnspokenLanguage
    │   ├── Unauthorized
    │   ├── Forbidden
    │   ├── SessionIdle
    │   └── TooLarge
    │       └── AudioTooLong
    ├── Overloaded                  the server is at its limit; repeat the request later
    └── EngineError                 a model failed
        └── WeightsUnavailable

Any other exception is a bug: it propagates, is logged once with its traceback, and the client learns only that there
was an internal error.
"""

from typing import ClassVar, Final

RETRY_AT_ONCE: Final = 1
"""Seconds after which to retry what waits for the default models to load: those of the bundle take 1 to 2 s."""

RETRY_SOON: Final = 5
"""Seconds after which to retry what is waiting for capacity."""

RETRY_LATER: Final = 30
"""Seconds after which to retry what takes longer: a model that is being downloaded, a server that restarts."""


def error_envelope(message: str, status: int, code: str, param: str | None = None) -> dict[str, object]:
    """Build the JSON body of an HTTP error: OpenAI's clients read `error`, Xinference's read `detail`."""
    kind = {429: "rate_limit_error"}.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}, "detail": message}


class VoiceError(Exception):
    """An error that is reported to the client.

    `code` identifies it in error bodies, `http_status` is the status of an HTTP response, and `close_code` the close
    code of a websocket (RFC 6455, section 7.4) if it ends the connection. `param` names the field at fault.
    """

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500
    close_code: ClassVar[int] = 1011

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    @property
    def public_message(self) -> str:
        """The message for clients; `message` is for the server's log and its own commands."""
        return self.message

    def body(self) -> dict[str, object]:
        """Build the JSON body of an HTTP response."""
        return error_envelope(self.public_message, self.http_status, self.code, self.param)


class ClientError(VoiceError):
    """The request is wrong or cannot be fulfilled; repeating it does not help."""

    code = "invalid_value"
    http_status = 400
    close_code = 1008


class BadMessage(ClientError):
    """A message that violates the protocol: it is not JSON, lacks a field, or has one of the wrong type."""

    code = "invalid_event"
    close_code = 1007


class UnsupportedAudio(ClientError):
    """Audio that cannot be decoded: unknown container or codec, sample rate out of range, no audio stream."""

    code = "unsupported_audio"
    close_code = 1003


class EmptyFile(UnsupportedAudio):
    """A file of zero bytes."""

    code = "empty_file"


class InvalidFileFormat(UnsupportedAudio):
    """A file in none of the supported container formats."""

    code = "invalid_file_format"


class NoAudioStream(UnsupportedAudio):
    """A file of a supported format without audio, such as a picture."""

    code = "no_audio_stream"


class AudioTooShort(UnsupportedAudio):
    """A recording shorter than the minimum of 0.1 s."""

    code = "audio_too_short"


class UnknownModel(ClientError):
    """No model of this name is available."""

    code = "model_not_found"
    http_status = 404

    def __init__(self, name: str) -> None:
        super().__init__(f"The model {name!r} does not exist.", param="model")


class UnsupportedModel(ClientError):
    """A model that cannot do what is requested: it is for another task, or cannot translate."""

    code = "unsupported_model"


class UnusableModel(ClientError):
    """A model of the catalogue that this installation cannot run."""

    code = "model_not_available"


class NoEngine(UnusableModel):
    """A model of the catalogue whose engine this version does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"This version cannot run {name} yet.", param="model")


class EngineNotInstalled(UnusableModel):
    """A model whose engine is an extra of this package that is not installed."""

    def __init__(self, name: str, extra: str) -> None:
        command = f"pip install -e '.[{extra}]' in the Vivavoce folder"
        super().__init__(f"{name} needs the extra `{extra}`: {command}", param="model")


class ModelInUse(ClientError):
    """A model that cannot be unloaded, because a session, a request or the configuration needs it."""

    code = "model_in_use"
    http_status = 409


class UnknownVoice(ClientError):
    """The model has no voice of this name."""

    code = "invalid_voice"


class NothingToSpeak(ClientError):
    """A text without a letter or digit, which no voice speaks."""

    def __init__(self, *, param: str | None) -> None:
        text = f"`{param}`" if param else "The text"
        super().__init__(f"{text} has nothing to speak: no letter or digit.", param=param)


class UnreadableText(ClientError):
    """A text of which the voice model can read nothing: it is in a script, or of signs, that it has no sounds for."""

    code = "unsupported_language"

    def __init__(self, *, param: str | None = None) -> None:
        message = "The model cannot read any part of the text. GET /v1/models lists the languages of each model."
        super().__init__(message, param=param)


class UnspokenLanguage(ClientError):
    """A text in a language that the voice model does not speak."""

    code = "unsupported_language"

    def __init__(self, language: str, model: str) -> None:
        """Say so; `language` is its English name."""
        message = f"The text is in {language.title()}, which {model} does not speak. "
        super().__init__(message + "GET /v1/models lists the languages of each model.")


class Unauthorized(ClientError):
    """A missing or wrong API key."""

    code = "invalid_api_key"
    http_status = 401


class Forbidden(ClientError):
    """A web page whose origin is not allowed."""

    code = "origin_not_allowed"
    http_status = 403


class SessionIdle(ClientError):
    """The client of a session has sent nothing for too long. It may connect again when it has something to send."""

    code = "session_idle"
    close_code = 1001


class TooLarge(ClientError):
    """More bytes, seconds or characters than the configured limits."""

    code = "too_large"
    http_status = 413
    close_code = 1009


class AudioTooLong(TooLarge):
    """A recording longer than the limit."""

    code = "audio_too_long"


class Overloaded(VoiceError):
    """The server is at its limit; the client may retry after `retry_after` seconds."""

    code = "server_overloaded"
    http_status = 503
    close_code = 1013

    def __init__(self, message: str, *, retry_after: int = RETRY_SOON) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EngineError(VoiceError):
    """A model failed to load or to run; the cause is the exception of the library.

    Its message may hold paths of this machine, so clients get another one.
    """

    code = "engine_failed"

    @property
    def public_message(self) -> str:
        return "The model failed. See the server log for details."


class WeightsUnavailable(EngineError):
    """The weights of a model were found in none of the places that are searched."""

    code = "model_not_available"
    http_status = 503

    @property
    def public_message(self) -> str:
        return "The weights of this model are not available on the server. See the server log for details."
