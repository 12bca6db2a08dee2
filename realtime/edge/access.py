"""Who may come in: API keys, and the origins of web pages.

Keys are compared in constant time, every one of them, so that the time taken tells nothing (RFC 6750 for the header).
"""

import hmac
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

SUBPROTOCOL: Final = "realtime"
"""The websocket subprotocol of OpenAI's browser clients; beside it they offer their key as another."""

_KEY_SUBPROTOCOL: Final = "openai-insecure-api-key."


def authenticate(presented: Iterable[str], keys: Sequence[str]) -> str | None:
    """Which of `keys` was presented, by its number; None for none of them. Without keys everybody has one account."""
    if not keys:
        return ""
    matches = [number for one in presented for number, key in enumerate(keys) if _equal(one, key)]
    return f"key{matches[0]}" if matches else None


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def presented_keys(headers: Mapping[str, str], subprotocols: Sequence[str] = ()) -> list[str]:
    """The keys in a request's headers (`Authorization: Bearer`, `api-key`, `x-api-key`) and offered subprotocols."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    found = [credentials.strip()] if scheme.lower() == "bearer" else []
    found += [headers[name] for name in ("api-key", "x-api-key") if name in headers]
    found += [offer.removeprefix(_KEY_SUBPROTOCOL) for offer in subprotocols if offer.startswith(_KEY_SUBPROTOCOL)]
    return found


def origin_allowed(headers: Mapping[str, str], allowed: Sequence[str]) -> bool:
    """Whether a page of this origin may open a socket: pages of this machine, of this server, or of a listed origin.

    Without an `Origin` it is no browser. The same-origin policy does not cover websockets (CWE-1385). A host name that
    merely resolves to this machine is not this machine (DNS rebinding), so only addresses and `localhost` are.
    """
    origin = headers.get("origin")
    if origin is None or "*" in allowed or origin in allowed:
        return True
    try:
        host = urlsplit(origin).hostname or ""
        own = urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:  # brackets that hold no address
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
