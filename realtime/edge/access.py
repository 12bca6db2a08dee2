"""Access control: API keys and the origins of web pages, the same for websockets and HTTP."""

import base64
import binascii
import hmac
import ipaddress
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from realtime.errors import Forbidden, Unauthorized
from realtime.settings import LOOPBACK_HOSTS, Settings

_SUBPROTOCOLS: Final = ("realtime", "token", "bearer")
"""Websocket subprotocols of browser clients, which send their key in another one: OpenAI's, and two of Deepgram's."""

_WEB: Final = ("http", "https")
"""Schemes of the origins of web pages."""

_PRIVATE_DOMAIN: Final = ".internal"
"""Domain that nobody can register (ICANN, 2024-07-29). Container engines name their host in it, as in
`host.docker.internal`."""

_MAX_QUOTED: Final = 200
"""Characters of an origin that an error quotes."""

_KEY_SUBPROTOCOL: Final = "openai-insecure-api-key."
"""Prefix of the subprotocol that carries a key: browsers cannot set headers on a websocket."""

_SCHEMES: Final = ("bearer", "token")
"""Schemes of `Authorization` with a key: that of RFC 6750 and Deepgram's. Its browser clients offer the scheme as one
subprotocol and the key as the next."""


class HostNotAllowed(Forbidden):
    """A request for a host name that is not the server's."""

    code = "host_not_allowed"


def authenticate(
    headers: Mapping[str, str], settings: Settings, subprotocols: Sequence[str] = (), path_key: str = ""
) -> str:
    """Return the account that a request belongs to: `key<n>` for the n-th API key, empty if the server has no keys.

    `path_key` is the key in the path of a websocket whose clients can send none elsewhere, empty if it has none.

    Raises `Forbidden` for a web page of another origin and `Unauthorized` for a missing or wrong key.
    """
    check_origin(headers, settings.allowed_origins)
    presented = presented_keys(headers, subprotocols) + ([path_key] if path_key else [])
    account = match_key(presented, settings.api_keys)
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
    """Return the keys in `Authorization`, `api-key`, `x-api-key` and the requested subprotocols.

    Of HTTP Basic authentication (RFC 7617) it is the password: programs without a field for a key send what their users
    write into the address of the server. `headers` are decoded as Latin-1, as ASGI servers do. Most clients send a key
    with other characters than ASCII as UTF-8 and some as Latin-1: bytes that are valid UTF-8 are taken for that.
    """
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    found = [credentials.strip()] if scheme.lower() in _SCHEMES else []
    found += [_password(credentials)] if scheme.lower() == "basic" else []
    found += [headers[name] for name in ("api-key", "x-api-key") if name in headers]
    found += [each.removeprefix(_KEY_SUBPROTOCOL) for each in subprotocols if each.startswith(_KEY_SUBPROTOCOL)]
    found += [key for each, key in itertools.pairwise(subprotocols) if each.lower() in _SCHEMES]
    return [_decoded(each) for each in found]


def _password(credentials: str) -> str:
    """Return the password of HTTP Basic authentication as headers are decoded; empty if there is none."""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode("latin-1").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _decoded(value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def select_subprotocol(offered: Sequence[str]) -> str | None:
    """Return the subprotocol to answer a handshake with; None where the client offers none that is known."""
    return next((each for each in offered if each.lower() in _SUBPROTOCOLS), None)


def check_host(connection: HTTPConnection, settings: Settings) -> None:
    """Raise `HostNotAllowed` if a server for this machine only, without keys, is addressed by another machine's name.

    A web page whose own name resolves to this machine (DNS rebinding) is of the same origin for its browser, which
    sends no `Origin` with GET. With keys there is no need for the check: such a page knows none.
    """
    reached_at = (connection.scope.get("server") or ("",))[0]
    if settings.api_keys or settings.host not in LOOPBACK_HOSTS or not _is_loopback(reached_at):
        return
    sent = connection.headers.get("host", "")
    try:
        host = urlsplit(f"//{sent}").hostname or ""
    except ValueError:
        host = sent
    own = not sent or _is_loopback(host) or _is_address(host) or host.endswith(_PRIVATE_DOMAIN)
    own = own or host in settings.allowed_hosts
    origins = [{"origin": f"{scheme}://{sent}"} for scheme in _WEB]
    if not own and not any(origin_allowed(origin, settings.allowed_origins) for origin in origins):
        raise HostNotAllowed(
            f"Requests for the host {host[:_MAX_QUOTED]!r} are not allowed. To allow it, add it to "
            "VIVAVOCE_ALLOWED_HOSTS."
        )


def check_origin(headers: Mapping[str, str], allowed: Sequence[str]) -> None:
    """Raise `Forbidden`, with the name of the setting to change, unless `origin_allowed`."""
    if not origin_allowed(headers, allowed):
        origin = headers["origin"][:_MAX_QUOTED]
        raise Forbidden(
            f"Requests from the origin {origin!r} are not allowed. To allow it, add it to VIVAVOCE_ALLOWED_ORIGINS."
        )


def origin_allowed(headers: Mapping[str, str], allowed: Sequence[str]) -> bool:
    """Return whether the request comes from this machine, this server's own pages or an `allowed` origin.

    In an allowed origin `*` stands for any part of the host, as in `vscode-webview://*`, and alone for all origins.

    A request without an `Origin` does not come from a web page and is allowed. Websockets need this check because the
    same-origin policy does not cover them (CWE-1385). Only addresses and `localhost` count as this machine, not host
    names that resolve to it (DNS rebinding).
    """
    origin = headers.get("origin")
    if origin is None or "*" in allowed or any(_matches(origin, each) for each in allowed):
        return True
    try:
        host = urlsplit(origin).hostname or ""
        own = urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:  # brackets around something that is not an address
        return False
    return (_is_loopback(host) and (own is None or _is_loopback(own))) or (host == own and _is_address(host))


def _matches(origin: str, allowed: str) -> bool:
    """Compare origins as browsers write them: in lower case, without a slash at the end."""
    parts = (re.escape(part) for part in allowed.lower().rstrip("/").split("*"))
    return re.fullmatch("[^/]*".join(parts), origin.lower().rstrip("/")) is not None


def _is_loopback(host: str) -> bool:
    """Return whether the host is this machine; names that end in `.localhost` always are (RFC 6761, 6.3)."""
    return (
        host == "localhost"
        or host.endswith(".localhost")
        or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
