"""The one error body of every answer, which OpenAI's clients (`error`) and Xinference's (`detail`) both understand.

OpenAI's clients repeat a request by themselves after 408, 409, 429 and 5xx; `x-should-retry` stops that where a
repetition would only fail again.
"""

import logging
import uuid
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from realtime.errors import ClientError, EngineError, Overloaded, Unauthorized, VoiceError, envelope

logger = logging.getLogger(__name__)

_REQUEST_ID: Final = "vivavoce.request_id"


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


class BodyTimeout(ClientError):
    """A body that stopped coming before it was whole."""

    code = "request_timeout"
    http_status = 408


def request_id(request: Request) -> str:
    """The id of this request, the same each time it is asked for."""
    identity: str = request.scope.setdefault(_REQUEST_ID, f"req_{uuid.uuid4().hex}")
    return identity


def _error(
    request: Request, status: int, message: str, *, code: str, param: str | None = None, headers: dict[str, str]
) -> Response:
    body = envelope(message, status, code, param)
    return JSONResponse(body, status, {**headers, "x-request-id": request_id(request)})


async def _voice_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, VoiceError)
    headers: dict[str, str] = {}
    message = error.message
    match error:
        case Overloaded():
            headers["retry-after"] = str(error.retry_after)
        case Unauthorized():
            headers["www-authenticate"] = "Bearer"
        case BodyTimeout():
            headers["x-should-retry"] = "false"
        case ClientError():
            pass
        case _:
            headers["x-should-retry"] = "false"
            logger.error("%s failed: %s", request_id(request), error.message)
            if isinstance(error, EngineError):  # its message may hold this machine's paths
                message = "The model failed; the server's log has more."
    return _error(request, error.http_status, message, code=error.code, param=error.param, headers=headers)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_")
    return _error(request, status, error.detail, code=code, headers=dict(error.headers or {}))


async def _bug(request: Request, error: Exception) -> Response:
    """What is not meant for the wire reveals nothing; the server logs its traceback after the line written here."""
    logger.error("%s failed by a bug: %s", request_id(request), type(error).__name__)
    headers = {"x-should-retry": "false"}
    message = f"Internal error; the server's log has more about {request_id(request)}."
    return _error(request, 500, message, code=VoiceError.code, headers=headers)


async def _nobody_left(_: Request, __: Exception) -> Response:
    """The client went away, which is no error; nobody reads this."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


exception_handlers: dict[int | type[Exception], ExceptionHandler] = {
    VoiceError: _voice_error,
    HTTPException: _http_exception,
    ClientDisconnect: _nobody_left,
    Exception: _bug,
}
"""For `Starlette(exception_handlers=...)`."""
