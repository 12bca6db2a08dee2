"""Ask a chat backend which models it has."""

import httpx2
import msgspec

from realtime.backends.endpoint import models_url, origin, request_headers, uses_proxies
from realtime.backends.failures import failure_of_status
from realtime.session.generation import ChatError
from realtime.settings import Settings

TIMEOUT_SECONDS = 5.0
"""Time for the whole list."""


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


def list_models(settings: Settings) -> list[str]:
    """Return the names of the models of `settings.chat_base_url`. Blocks.

    Raises:
        ChatError: The backend cannot be reached, refuses the request, or answers something else.

    """
    assert settings.chat_base_url is not None
    place = origin(settings.chat_base_url)
    try:
        response = httpx2.get(
            models_url(settings.chat_base_url),
            headers=request_headers(settings),
            timeout=TIMEOUT_SECONDS,
            trust_env=uses_proxies(settings.chat_base_url),
        )
    except httpx2.RequestError as error:
        raise ChatError(f"cannot connect to {place}: {error or type(error).__name__}") from error
    if not response.is_success:
        raise failure_of_status(response.status_code, None, None, 0.0).error
    try:
        return [model.id for model in msgspec.json.decode(response.content, type=_Models).data]
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ChatError(f"{place} does not answer as an OpenAI-compatible server") from error
