"""The one error body of every answer, which OpenAI's clients (`error`) and Xinference's (`detail`) both understand.

OpenAI's clients repeat a request by themselves after 408, 409, 429 and 5xx; `x-should-retry` stops that where a
repetition would only fail again, `retry-after` says when it is worth it.
"""

import logging
import uuid
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from realtime.errors import (
    ClientError,
    EngineError,
    Overloaded,
    TooLarge,
    Unauthorized,
    VoiceError,
    WeightsUnavailable,
    error_envelope,
)

logger = logging.getLogger(__name__)

_REQUEST_ID: Final = "vivavoce.request_id"

_REPEATED: Final = (408, 409)


class MissingParameter(ClientError):
    """A field that must be there is not."""

    code = "missing_required_parameter"


class InvalidType(ClientError):
    """A field is of another type than the contract says."""

    code = "invalid_type"


class UnsupportedValue(ClientError):
    """A value of the contract that this server does not serve."""

    code = "unsupported_value"


class InputTooLong(ClientError):
    """More text than the server speaks in one request; OpenAI answers 400, not 413."""

    code = "string_above_max_length"


class InvalidJson(ClientError):
    """A body that is not a JSON object."""

    code = "invalid_json"


class InvalidMultipart(ClientError):
    """A body that is not the multipart form it says it is."""

    code = "invalid_multipart"


class UnsupportedMediaType(ClientError):
    """A body of a type this endpoint does not read."""

    code = "unsupported_media_type"
    http_status = 415


class QueueFull(Overloaded):
    """As many requests of this kind are let in as may be."""

    code = "queue_full"
    http_status = 429


class FileTooLarge(TooLarge):
    """More bytes than the server takes."""

    code = "file_too_large"


class BodyTimeout(ClientError):
    """A body that stopped coming before it was whole."""

    code = "request_timeout"
    http_status = 408


def request_id(request: HTTPConnection) -> str:
    """The id of this request, the same each time it is asked for."""
    identity: str = request.scope.setdefault(_REQUEST_ID, f"req_{uuid.uuid4().hex}")
    return identity


def error_body(error: VoiceError, identity: str) -> dict[str, object]:
    """The body that tells the client of an error; a failure of the server's own is logged under the request's id."""
    message = error.message
    if not isinstance(error, ClientError | Overloaded):
        logger.error("%s failed: %s", identity, message)
        if isinstance(error, EngineError):  # its message may hold this machine's paths
            message = "The model failed; the server's log has more."
        if isinstance(error, WeightsUnavailable):
            message = "The weights of this model are not on the server and could not be had; its log has more."
    return error_envelope(message, error.http_status, error.code, error.param)


async def handle_voice_error(request: Request, error: Exception) -> Response:
    """The answer that tells the client of an error of ours."""
    assert isinstance(error, VoiceError)
    headers: dict[str, str] = {}
    match error:
        case Overloaded():
            headers["retry-after"] = str(error.retry_after)
        case Unauthorized():
            headers["www-authenticate"] = "Bearer"
        case _ if error.http_status in _REPEATED or error.http_status >= 500:
            headers["x-should-retry"] = "false"
    return JSONResponse(error_body(error, request_id(request)), error.http_status, headers)


async def _http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_")
    return JSONResponse(error_envelope(error.detail, status, code), status, error.headers)


async def handle_unexpected(request: Request, error: Exception) -> Response:
    """What is not meant for the wire reveals nothing; the server logs its traceback after the line written here."""
    logger.error("%s failed by a bug: %s", request_id(request), type(error).__name__)
    headers = {"x-should-retry": "false", "x-request-id": request_id(request)}  # outside of all middleware
    message = f"Internal error; the server's log has more about {request_id(request)}."
    return JSONResponse(error_envelope(message, 500, VoiceError.code), 500, headers)


async def handle_disconnect(_: Request, __: Exception) -> Response:
    """The client went away, which is no error; nobody reads this."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


exception_handlers: dict[int | type[Exception], ExceptionHandler] = {
    VoiceError: handle_voice_error,
    HTTPException: _http_exception,
    ClientDisconnect: handle_disconnect,
    Exception: handle_unexpected,
}
"""For `Starlette(exception_handlers=...)`."""
