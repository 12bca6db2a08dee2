"""Server messages of the OpenAI Realtime dialect as text: each has a type, an id of its own, and its fields."""

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from realtime.errors import ClientError, VoiceError

Frames: TypeAlias = list[str | bytes]
"""Messages in order: text, or binary frames where the client asked for them."""

_ENCODER: Final = msgspec.json.Encoder()


class FrameWriter:
    """Writes the messages of one connection. Bytes among the fields become base64."""

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self.new_id = new_id

    def event(self, event_type: str, **fields: object) -> str:
        message = {"type": event_type, "event_id": self.new_id("event"), **fields}
        return _ENCODER.encode(message).decode()

    def refusal(self, code: str, message: str, *, param: str | None, request_id: str | None) -> str:
        """The `error` for a request that could not be carried out; `request_id` is the client's `event_id`."""
        return self._error("invalid_request_error", code, message, param, request_id)

    def error(self, error: VoiceError, request_id: str | None) -> str:
        return self._error(error_type(error), error.code, error.message, error.param, request_id)

    def _error(self, kind: str, code: str, message: str, param: str | None, request_id: str | None) -> str:
        error = {"type": kind, "code": code, "message": message, "param": param, "event_id": request_id}
        return self.event("error", error=error)


def error_type(error: VoiceError) -> str:
    """Whose fault it is, in OpenAI's words."""
    return "invalid_request_error" if isinstance(error, ClientError) else "server_error"
