"""Access control: API keys and the origins of web pages, the same for websockets and HTTP."""

import hmac
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from realtime.errors import Forbidden, Unauthorized
from realtime.settings import Settings

SUBPROTOCOL: Final = "realtime"
"""Websocket subprotocol of OpenAI's browser clients, which send their key in a second one."""

_KEY_SUBPROTOCOL: Final = "openai-insecure-api-key."
"""Prefix of the subprotocol that carries a key: browsers cannot set headers on a websocket."""


def authenticate(headers: Mapping[str, str], settings: Settings, subprotocols: Sequence[str] = ()) -> str:
    """Return the account that a request belongs to: `key<n>` for the n-th API key, empty if the server has no keys.

    Raises `Forbidden` for a web page of another origin and `Unauthorized` for a missing or wrong key.
    """
    if not origin_allowed(headers, settings.allowed_origins):
        raise Forbidden("Requests from this origin are not allowed.")
    account = match_key(presented_keys(headers, subprotocols), settings.api_keys)
    if account is None:
        raise Unauthorized("Incorrect API key provided.")
    return account


def match_key(presented: Iterable[str], keys: Sequence[str]) -> str | None:
    """Return the account of the first of `keys` that was presented, or None; without `keys` there is one account.

    Every key is compared, in constant time, so that the response time reveals nothing about them.
    """
    if not keys:
        return ""
    matches = [number for one in presented for number, key in enumerate(keys) if _equal(one, key)]
    return f"key{matches[0]}" if matches else None


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def presented_keys(headers: Mapping[str, str], subprotocols: Sequence[str] = ()) -> list[str]:
    """Return the keys in `Authorization: Bearer` (RFC 6750), `api-key`, `x-api-key` and the requested subprotocols."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    found = [credentials.strip()] if scheme.lower() == "bearer" else []
    found += [headers[name] for name in ("api-key", "x-api-key") if name in headers]
    found += [each.removeprefix(_KEY_SUBPROTOCOL) for each in subprotocols if each.startswith(_KEY_SUBPROTOCOL)]
    return found


def origin_allowed(headers: Mapping[str, str], allowed: Sequence[str]) -> bool:
    """Return whether the request comes from this machine, this server's own pages or an `allowed` origin.

    A request without an `Origin` does not come from a web page and is allowed. Websockets need this check because the
    same-origin policy does not cover them (CWE-1385). Only addresses and `localhost` count as this machine, not host
    names that resolve to it (DNS rebinding).
    """
    origin = headers.get("origin")
    if origin is None or "*" in allowed or origin in allowed:
        return True
    try:
        host = urlsplit(origin).hostname or ""
        own = urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:  # brackets around something that is not an address
        return False
    return (_is_loopback(host) and (own is None or _is_loopback(own))) or (host == own and _is_address(host))


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
