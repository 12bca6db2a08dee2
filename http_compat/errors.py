"""Errors as HTTP responses, with one body that OpenAI's clients (`error`) and Xinference's (`detail`) both read.

OpenAI's clients retry after 408, 409, 429 and 5xx on their own: `x-should-retry: false` stops them where a retry would
fail again, `retry-after` tells them when to retry.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from http_compat.unknown_paths import proposal
from realtime.errors import (
    ClientError,
    Overloaded,
    TooLarge,
    Unauthorized,
    VoiceError,
    error_envelope,
)

logger = logging.getLogger(__name__)

_REQUEST_ID: Final = "vivavoce.request_id"

_BODY: Final = "vivavoce.error_body"

_RETRIED: Final = (408, 409)
"""Statuses of client errors that OpenAI's clients retry."""


class MissingParameter(ClientError):
    """A required field is missing."""

    code = "missing_required_parameter"


class InvalidType(ClientError):
    """A field has a value of the wrong type."""

    code = "invalid_type"


class UnsupportedValue(ClientError):
    """A value that OpenAI's or Xinference's API allows and this server does not support."""

    code = "unsupported_value"


class InputTooLong(ClientError):
    """A text longer than the limit; the status is 400, as OpenAI's."""

    code = "string_above_max_length"


class InvalidJson(ClientError):
    """A body that is not a JSON object."""

    code = "invalid_json"


class InvalidMultipart(ClientError):
    """A malformed or truncated multipart form."""

    code = "invalid_multipart"


class UnsupportedMediaType(ClientError):
    """A body of a media type that the endpoint does not accept."""

    code = "unsupported_media_type"
    http_status = 415


class QueueFull(Overloaded):
    """The limit on concurrent requests of one kind is reached."""

    code = "queue_full"
    http_status = 429


class FileTooLarge(TooLarge):
    """A file larger than the limit."""

    code = "file_too_large"


class BodyTimeout(ClientError):
    """A body that arrived too slowly, or stopped arriving."""

    code = "request_timeout"
    http_status = 408


def request_id(request: HTTPConnection) -> str:
    """Return the id of the request, creating it on first use."""
    identity: str = request.scope.setdefault(_REQUEST_ID, f"req_{uuid.uuid4().hex}")
    return identity


def error_body(error: VoiceError, identity: str) -> dict[str, object]:
    """Build the body for an error, and log the errors that are not the client's under the id of the request."""
    _log(error, identity)
    return error_envelope(error.public_message, error.http_status, error.code, error.param)


def set_error_body(request: HTTPConnection, build: Callable[[VoiceError, str], Mapping[str, object]]) -> None:
    """Let `build` make the body of every error of this request, of the error and the id of the request."""
    request.scope[_BODY] = build


def _body(request: HTTPConnection, error: VoiceError) -> Mapping[str, object]:
    build = request.scope.get(_BODY)
    if build is None:
        return error_body(error, request_id(request))
    _log(error, request_id(request))
    body: Mapping[str, object] = build(error, request_id(request))
    return body


def _log(error: VoiceError, identity: str) -> None:
    if not isinstance(error, ClientError | Overloaded):
        logger.error("%s failed: %s", identity, error.message)


async def handle_voice_error(request: Request, error: Exception) -> Response:
    """Respond to a `VoiceError`."""
    assert isinstance(error, VoiceError)
    headers: dict[str, str] = {}
    match error:
        case Overloaded():
            headers["retry-after"] = str(error.retry_after)
        case Unauthorized():
            headers["www-authenticate"] = "Bearer"
        case _ if error.http_status in _RETRIED or error.http_status >= 500:
            headers["x-should-retry"] = "false"
    return JSONResponse(_body(request, error), error.http_status, headers)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_")
    message = error.detail
    match status:
        case HTTPStatus.NOT_FOUND:
            meant = proposal(request.scope["path"], request.app.routes)
            hint = f"Did you mean {meant}?" if meant else "GET /openapi.json describes all endpoints."
            message = f"There is no endpoint at this path. {hint}"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = set((error.headers or {})["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
            message = f"Use {' or '.join(sorted(allowed))} for this path."
    return JSONResponse(error_envelope(message, status, code), status, error.headers)


async def handle_unexpected(request: Request, error: Exception) -> Response:
    """Respond to an unexpected exception without revealing anything; the server logs the traceback after this line."""
    logger.error("%s failed unexpectedly: %s", request_id(request), type(error).__name__)
    message = f"Internal error. See the server log for request {request_id(request)}."
    return JSONResponse(error_envelope(message, 500, VoiceError.code), 500, {"x-should-retry": "false"})


async def handle_disconnect(_: Request, __: Exception) -> Response:
    """Respond to a client that has disconnected; the response is never read."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


exception_handlers: dict[int | type[Exception], ExceptionHandler] = {
    VoiceError: handle_voice_error,
    HTTPException: _http_exception,
    ClientDisconnect: handle_disconnect,
}
"""The argument `exception_handlers` of `Starlette`; `middleware.py` handles what is unexpected."""
