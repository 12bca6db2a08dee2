"""Server events of the OpenAI Realtime dialect as JSON text: type, `event_id` and fields."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from realtime.errors import ClientError, VoiceError

_ENCODER: Final = msgspec.json.Encoder()


class FrameWriter:
    """Serialises the server events of one connection. Fields of bytes become base64."""

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self.new_id = new_id

    def event(self, event_type: str, **fields: Any) -> str:  # noqa: ANN401
        message = {"type": event_type, "event_id": self.new_id("event"), **fields}
        return _ENCODER.encode(message).decode()

    def refusal(self, code: str, message: str, *, param: str | None, request_id: str | None) -> str:
        """Return the `error` event for a refused request; `request_id` is the client's `event_id`."""
        return self._error("invalid_request_error", code, message, param, request_id)

    def error(self, error: VoiceError, request_id: str | None) -> str:
        return self._error(error_type(error), error.code, error.public_message, error.param, request_id)

    def _error(self, kind: str, code: str, message: str, param: str | None, request_id: str | None) -> str:
        error = {"type": kind, "code": code, "message": message, "param": param, "event_id": request_id}
        return self.event("error", error=error)


def error_type(error: VoiceError) -> str:
    """Return OpenAI's error type: the client's fault or the server's."""
    return "invalid_request_error" if isinstance(error, ClientError) else "server_error"
