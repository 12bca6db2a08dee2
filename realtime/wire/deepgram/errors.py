"""Deepgram's forms of errors: the body of a refused request, the message `Error`, and the reasons of closing."""

from collections.abc import Mapping
from typing import Any, Final

from realtime.errors import SessionIdle, UnsupportedAudio, VoiceError
from realtime.wire.codec import Close

_CODES: Final = {
    400: "Bad Request",
    401: "INVALID_AUTH",
    403: "INSUFFICIENT_PERMISSIONS",
    404: "NOT_FOUND",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
    503: "SERVICE_UNAVAILABLE",
}
"""Deepgram's `err_code` by HTTP status."""

_UNSUPPORTED: Final = Close(1008, "DATA-0000: The payload cannot be decoded as audio.")
_IDLE: Final = Close(1011, "NET-0001: Neither audio nor a text message has come within the timeout window.")
_FAILED: Final = Close(1011, "NET-0000: The service has not transmitted a message within the timeout window.")


def error_body(error: VoiceError, request_id: str) -> Mapping[str, Any]:
    """Build the JSON body of a refused request."""
    code = _CODES.get(error.http_status, "INTERNAL_SERVER_ERROR")
    return {"err_code": code, "err_msg": error.public_message, "request_id": request_id}


def closing(error: VoiceError) -> Close:
    """Return how an error ends a connection."""
    match error:
        case SessionIdle():
            return _IDLE
        case UnsupportedAudio():
            return _UNSUPPORTED
        case _:
            return _FAILED
