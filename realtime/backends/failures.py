"""What went wrong at a chat backend, and whether it may pass.

Messages are for the server's log. They hold the status and the code that the backend gave, never its message, which may
repeat a prompt or a key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, NoReturn

from realtime.session.generation import ChatError, ChatInterrupted, ChatOverloaded, ChatRefused, ChatTimeout

RETRY_SECONDS: Final = 0.25
"""Delay before the second attempt where the backend does not say how long to wait."""

MAX_RETRY_SECONDS: Final = 3.0
"""Longest delay that the backend may ask for. A user who waits longer has given up or spoken again."""

_CODE: Final = re.compile(r"[\w.-]{1,64}")
"""What is certain to be an error code or type, and nothing that a user said."""

_PASSING: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

_PERMANENT: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Codes that OpenAI sends with the status 429 and that a second attempt does not change."""

_ADVICE: Final[Mapping[str | int, str]] = {
    **dict.fromkeys(range(300, 400), "check VIVAVOCE_CHAT_BASE_URL"),
    HTTPStatus.UNAUTHORIZED: "check VIVAVOCE_CHAT_API_KEY",
    HTTPStatus.FORBIDDEN: "check VIVAVOCE_CHAT_API_KEY",
    HTTPStatus.NOT_FOUND: "check VIVAVOCE_CHAT_BASE_URL and VIVAVOCE_CHAT_MODEL",
    HTTPStatus.METHOD_NOT_ALLOWED: "check VIVAVOCE_CHAT_BASE_URL",
    "context_length_exceeded": "lower VIVAVOCE_CHAT_MAX_HISTORY_TOKENS",
    "exceed_context_size_error": "lower VIVAVOCE_CHAT_MAX_HISTORY_TOKENS",
    "model_not_found": "check VIVAVOCE_CHAT_MODEL",
}
"""What to do, by code or status."""

_KINDS: Final = {
    "context_length_exceeded": ChatRefused,
    "exceed_context_size_error": ChatRefused,
    "invalid_request_error": ChatRefused,
    "overloaded_error": ChatOverloaded,
    "rate_limit_error": ChatOverloaded,
    "rate_limit_exceeded": ChatOverloaded,
}
"""Codes and types of errors in streams; others say that the backend failed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, and the seconds after which a second attempt may succeed; None if none would."""

    error: ChatError
    retry_seconds: float | None = None


def failure_of_status(status: int, body: object, retry_after: str | None, now: float) -> Failure:
    """Return what a response with an error status means; `now` is the Unix time, for dates in `retry_after`."""
    codes = [each for each in _codes(body) if each != str(status)]
    keys: list[str | int] = [*codes, status]
    advice = next((_ADVICE[each] for each in keys if each in _ADVICE), "")
    if not advice and status == HTTPStatus.BAD_REQUEST and re.search(r"\bmodel\b", str(body)):
        advice = "check VIVAVOCE_CHAT_MODEL"
    error = _kind(status)(f"the chat backend answered {status}{_named(codes)}{advice and f': {advice}'}")
    delay = _delay(retry_after, now)
    passing = status in _PASSING and _PERMANENT.isdisjoint(codes) and delay <= MAX_RETRY_SECONDS
    return Failure(error, delay if passing else None)


def raise_stream_error(error: object) -> NoReturn:
    """Raise the `ChatError` that an error object in a stream means."""
    codes = _codes(error)
    statuses = (_kind(int(each)) for each in codes if re.fullmatch(r"[45]\d\d", each))
    kind = next((_KINDS[each] for each in codes if each in _KINDS), None) or next(statuses, ChatInterrupted)
    raise kind(f"the chat backend reported an error in its answer{_named(codes)}")


def refused_parameters(body: object, parameters: frozenset[str]) -> set[str]:
    """Return those of `parameters` that a backend names in the body of a refusal."""
    text = str(body)
    return {name for name in parameters if re.search(rf"\b{name}\b", text)}


def _kind(status: int) -> type[ChatError]:
    match status:
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            return ChatOverloaded
        case HTTPStatus.REQUEST_TIMEOUT | HTTPStatus.GATEWAY_TIMEOUT:
            return ChatTimeout
        case _ if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return ChatRefused
        case _:
            return ChatError


def _codes(body: object) -> list[str]:
    """Return the code and the type of an error, as far as it has them and they are certain to be no more.

    The error is OpenAI's `error` in a body, or the whole.
    """
    error = body["error"] if isinstance(body, Mapping) and body.get("error") else body
    if not isinstance(error, Mapping):
        return []
    found = (str(error[each]) for each in ("code", "type") if isinstance(error.get(each), str | int))
    return [each for each in found if _CODE.fullmatch(each)]


def _named(codes: list[str]) -> str:
    return f" ({', '.join(codes)})" if codes else ""


def _delay(retry_after: str | None, now: float) -> float:
    """Return the seconds that the header `Retry-After` asks for (RFC 9110, section 10.2.3)."""
    if retry_after is None:
        return RETRY_SECONDS
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now)
    except ValueError:
        return RETRY_SECONDS
