"""The exceptions Vivavoce raises on purpose, each with the code and status that its protocols report.

Anything that is not a `VoiceError` is a bug: it propagates, is logged once with its traceback and reveals nothing.
"""

from typing import ClassVar


def error_envelope(message: str, status: int, code: str, param: str | None = None) -> dict[str, object]:
    """The JSON body of an HTTP answer: `error` is what OpenAI's clients read, `detail` what Xinference's read."""
    kind = {429: "rate_limit_error"}.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}, "detail": message}


class VoiceError(Exception):
    """An error with a meaning on the wire.

    `code` is the machine-readable word in error bodies, `http_status` the answer to a request and `close_code` the
    websocket close code (RFC 6455, section 7.4) where the connection cannot go on. `param` names the offending field.
    """

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500
    close_code: ClassVar[int] = 1011

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    def body(self) -> dict[str, object]:
        """The JSON body of an HTTP answer."""
        return error_envelope(self.message, self.http_status, self.code, self.param)


class ClientError(VoiceError):
    """The client asked for something that cannot be done; asking again will not help."""

    code = "invalid_value"
    http_status = 400
    close_code = 1008


class BadMessage(ClientError):
    """A message that is not what the protocol says: not JSON, a missing field, a wrong type."""

    code = "invalid_event"
    close_code = 1007


class UnsupportedAudio(ClientError):
    """Audio that cannot be decoded: a foreign container, a rate out of range, no audio at all."""

    code = "unsupported_audio"
    close_code = 1003


class EmptyFile(UnsupportedAudio):
    """A file of zero bytes."""

    code = "empty_file"


class InvalidFileFormat(UnsupportedAudio):
    """A file in none of the supported container formats, whatever its name."""

    code = "invalid_file_format"


class NoAudioStream(UnsupportedAudio):
    """A file of a supported format without audio: a picture, a film without a soundtrack."""

    code = "no_audio_stream"


class AudioTooShort(UnsupportedAudio):
    """A recording shorter than the minimum of 0.1 s."""

    code = "audio_too_short"


class UnknownModel(ClientError):
    """No model of this name is offered, or it does another task."""

    code = "model_not_found"
    http_status = 404

    def __init__(self, name: str) -> None:
        super().__init__(f"The model {name!r} does not exist.", param="model")


class UnsupportedModel(ClientError):
    """A model that cannot do what is asked of it: it is for another task, or does not translate."""

    code = "unsupported_model"


class UnusableModel(ClientError):
    """A model of the catalogue that this version cannot run."""

    code = "model_not_available"


class ModelInUse(ClientError):
    """A model that cannot be unloaded, because somebody needs it."""

    code = "model_in_use"
    http_status = 409


class UnknownVoice(ClientError):
    """The model has no voice of this name."""

    code = "invalid_voice"


class Unauthorized(ClientError):
    """A missing or wrong API key."""

    code = "invalid_api_key"
    http_status = 401


class Forbidden(ClientError):
    """A web page of an origin that may not connect."""

    code = "origin_not_allowed"
    http_status = 403


class TooLarge(ClientError):
    """More bytes, seconds or characters than the limits allow."""

    code = "too_large"
    http_status = 413
    close_code = 1009


class AudioTooLong(TooLarge):
    """A recording longer than the limit."""

    code = "audio_too_long"


class Overloaded(VoiceError):
    """The server is at its limit; try again in `retry_after` seconds."""

    code = "server_overloaded"
    http_status = 503
    close_code = 1013

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EngineError(VoiceError):
    """A model failed to load or to answer; the adapter raises it `from` the library's own exception."""

    code = "engine_failed"


class WeightsUnavailable(EngineError):
    """The weights of a model are nowhere to be had."""

    code = "model_not_available"
    http_status = 503
