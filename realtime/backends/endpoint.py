"""Where a chat backend is, and how it is connected to: the same for requests and for `vivavoce doctor`."""

from typing import Final

import httpx2

from realtime.settings import LOOPBACK_HOSTS, Settings

_COMPLETIONS: Final = "/chat/completions"

KEEPALIVE_SECONDS: Final = 60.0
"""Time for which an idle connection is kept. A new one costs up to three round trips, and turns are 5 to 30 s apart."""

CONNECTIONS_PER_SESSION: Final = 2
"""Requests of one session at a time: an answer of the conversation and one outside of it."""


def completions_url(base_url: str) -> httpx2.URL:
    """Return the address of chat completions.

    `base_url` may be that of the API (`http://host/v1`), of the server alone, or of chat completions.
    """
    url = httpx2.URL(base_url)
    path = url.path.rstrip("/").removesuffix(_COMPLETIONS) or "/v1"
    return url.copy_with(path=path + _COMPLETIONS)


def models_url(base_url: str) -> httpx2.URL:
    """Return the address of the list of models."""
    url = completions_url(base_url)
    return url.copy_with(path=url.path.removesuffix(_COMPLETIONS) + "/models")


def origin(base_url: str) -> str:
    """Return scheme, host and port, for messages: without a path, a query and what may be a password."""
    url = httpx2.URL(base_url)
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}{f':{url.port}' if url.port else ''}"


def request_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every request. The answer is not compressed, so that no proxy delays its deltas."""
    headers = {"accept-encoding": "identity", "user-agent": "vivavoce"}
    if settings.chat_api_key:
        headers["authorization"] = f"Bearer {settings.chat_api_key}"
    return headers


def uses_proxies(base_url: str) -> bool:
    """Return whether the proxies of the environment apply; never for a backend on this machine."""
    return httpx2.URL(base_url).host not in LOOPBACK_HOSTS


def http_client(settings: Settings) -> httpx2.AsyncClient:
    """Return a client for `settings.chat_base_url`.

    Its only timeout is that of connecting, which holds for waiting for a free connection, too. It follows no redirects.
    """
    assert settings.chat_base_url is not None
    connecting = settings.chat_connect_timeout_seconds
    return httpx2.AsyncClient(
        headers=request_headers(settings),
        timeout=httpx2.Timeout(None, connect=connecting, pool=connecting),
        limits=httpx2.Limits(
            max_connections=CONNECTIONS_PER_SESSION * settings.max_sessions, keepalive_expiry=KEEPALIVE_SECONDS
        ),
        trust_env=uses_proxies(settings.chat_base_url),
    )
