"""The websocket of a session: opening it, and its errors as those of this library."""

import json
import os
import socket
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus, WebSocketException

from clients.errors import ConnectionRefused, ErrorCode, ServerClosed

PATH: Final = "/v1/realtime"

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes of the largest message accepted from the server."""

DEAD_PEER_MS: Final = 30_000
"""Milliseconds after which a peer that acknowledges nothing counts as gone (Linux), as after a change of networks.

Without it, TCP goes on for a quarter of an hour. A server that throttles a fast sender takes something more often.
"""


_LAST_OF_HEADERS: Final = 0xFF
"""The last character that a header can have."""

_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}

_NOT_IN_HOSTS: Final = frozenset(" \"'<>\\^`{|}\t\r\n")


async def open_connection(
    url: str, query: dict[str, str], api_key: str | None, timeout: float, *, token: str = ""
) -> ClientConnection:
    """Open the websocket at `url` with `query`. Raises `ConnectionRefused`.

    An address without a path gets `PATH`, and one that ends with `/v1`, as other clients have it, the rest of that; any
    other path is that of the websocket. What else it may be: `websocket_url`. `token` is that of a session to resume.

    Of a server that accepts the connection and does not answer within `timeout` seconds, the error has a `retry_after`
    of 0: it may be starting, with its port open already.
    """
    headers = authorization(api_key)
    if token:
        headers["X-Resume-Token"] = token
    address = reachable(url)
    accepted = False

    def connected(*arguments: Any, **options: Any) -> ClientConnection:  # noqa: ANN401
        nonlocal accepted
        accepted = True
        return ClientConnection(*arguments, **options)

    try:
        connection = await open_socket(
            _with_query(address, query),
            additional_headers=headers,
            compression=None,
            create_connection=connected,  # type: ignore[arg-type]  # called as the class is
            open_timeout=timeout,
            ping_timeout=None,  # a server that throttles a fast sender stops reading for a while, pings included
            max_size=MAX_MESSAGE,
        )
    except InvalidStatus as refusal:
        raise refused(refusal.response.status_code, refusal.response.headers, refusal.response.body) from None
    except TimeoutError:
        if not accepted:
            raise ConnectionRefused(f"{address} did not answer within {timeout:g} s") from None
        message = f"the server at {_place(address)} has not answered within {timeout:g} s; it may be starting"
        raise ConnectionRefused(message, retry_after=0.0) from None
    except (OSError, WebSocketException) as error:
        raise unreachable(address, error) from error
    tcp = connection.transport.get_extra_info("socket")
    if tcp is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
    return connection


def authorization(api_key: str | None) -> dict[str, str]:
    """Return the header that carries a key, which may have a line break after it, as in a file.

    Raises `ConnectionRefused` for what no header can have, and `TypeError` for what is no string; no error quotes it.
    """
    if not isinstance(api_key, str | None):
        raise TypeError(f"an API key is a string, not {type(api_key).__name__}")
    key = (api_key or "").strip()
    if not key:
        return {}
    if not key.isprintable() or any(ord(character) > _LAST_OF_HEADERS for character in key):
        message = "the API key has characters that no key has: line breaks, or letters of other alphabets than Latin"
        raise ConnectionRefused(message, code=ErrorCode.INVALID_API_KEY)
    return {"Authorization": f"Bearer {key}"}


def unreachable(url: str, error: BaseException) -> ConnectionRefused:
    """Return the error for an address where no server answers, with what else the address may have to begin with."""
    hint = "" if url.startswith(("wss", "https")) else "; if it speaks TLS, its address begins with https"
    match error:
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER"):
            reason = "the server does not speak TLS there"
        case ssl.SSLError():
            reason = str(error)
        case BrokenPipeError() | ConnectionResetError():
            reason = f"the server closed the connection{hint}"
        case InvalidMessage() | HTTPException():
            reason = f"the server does not answer with HTTP{hint}"
        case socket.gaierror():
            return ConnectionRefused(f"the host {urlsplit(url).hostname} cannot be found")
        case TimeoutError():
            return ConnectionRefused(f"no server answers at {_place(url)} in time")
        case ConnectionRefusedError():
            return ConnectionRefused(f"no server answers at {_place(url)}")
        case OSError(errno=None) if str(error).startswith("Multiple exceptions"):  # of several addresses of a host
            return ConnectionRefused(f"no server answers at {_place(url)}")
        case _:
            reason = plain(error)
    return ConnectionRefused(f"cannot connect to {url}: {reason}")


def plain(error: BaseException) -> str:
    """Return what an error says, of one of the operating system without its number and arguments.

    Windows has numbers of its own, of which it has said what they mean.
    """
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.errno is not None:
        of_windows = error.strerror if getattr(error, "winerror", None) is not None else None
        return of_windows or os.strerror(error.errno)
    return str(error)


def _place(url: str) -> str:
    """Return the host and the port of an address."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme in {'wss', 'https'} else 80)}"


def refused(status: int, headers: Mapping[str, str], body: bytes | bytearray | None) -> ConnectionRefused:
    """Return the error that tells what an HTTP response refused, by its OpenAI error body if it has one."""
    seconds = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    retry_after = float(seconds) if seconds.isdecimal() else None
    try:
        error = json.loads(body or b"")["error"]
        code, param = str(error.get("code") or ""), str(error.get("param") or "")
        return ConnectionRefused(str(error["message"]), status, code=code, retry_after=retry_after, param=param)
    except (LookupError, TypeError, ValueError, AttributeError):
        phrase = next((each.phrase for each in HTTPStatus if each == status), "")
        return ConnectionRefused(f"HTTP {status} {phrase}".strip(), status, retry_after=retry_after)


def server_closed(closed: ConnectionClosed) -> ServerClosed:
    """Return the error that tells how the connection was closed."""
    if closed.rcvd is None:
        return ServerClosed(1006, "connection lost")
    return ServerClosed(closed.rcvd.code, closed.rcvd.reason)


def websocket_url(address: str) -> str:
    """Return the address as one of a websocket: `http` means `ws`, `https` means `wss`, and nothing means `ws`.

    Raises `ValueError` if there can be no server at it.
    """
    scheme, separator, rest = address.strip().partition("://")
    if not separator:
        scheme, rest = "ws", address.strip()
    url = f"{_SCHEMES.get(scheme.lower(), '')}://{rest}"
    try:
        parts = urlsplit(url)
        # Where the scheme is misspelt (`http//host`, `http:/host`), its name is in the place of the host.
        is_host = bool(parts.hostname) and not _NOT_IN_HOSTS.intersection(parts.netloc)
        is_host = is_host and (parts.hostname not in _SCHEMES or bool(separator)) and not parts.netloc.endswith(":")
        is_address = is_host and bool(parts.scheme) and parts.port != 0 and not parts.path.startswith("//")
        (parts.hostname or "").encode("idna")
    except ValueError:  # of a port, an IPv6 address or the parts of a name
        is_address = False
    if not is_address:
        raise ValueError(f"{address} is no address of a server, such as 127.0.0.1:8000 or wss://voice.example.org")
    return url


def reachable(address: str) -> str:
    """Return `websocket_url(address)`.

    Raises:
        ConnectionRefused: There can be no server at it.
        TypeError: It is no string.
    """
    if not isinstance(address, str):
        raise TypeError(f"an address is a string, such as 127.0.0.1:8000, not {type(address).__name__}")
    try:
        return websocket_url(address)
    except ValueError as error:
        raise ConnectionRefused(str(error)) from None


def prefix_of(path: str) -> str:
    """Return what is before the endpoints in the path of an address: of the websocket, of `/v1`, or of neither."""
    return path.removesuffix("/").removesuffix(PATH).removesuffix("/").removesuffix("/v1").removesuffix("/")


def _with_query(url: str, query: dict[str, str]) -> str:
    parts = urlsplit(url)
    is_base = parts.path in {"", "/"} or parts.path.rstrip("/").endswith("/v1")
    path = prefix_of(parts.path) + PATH if is_base else parts.path
    combined = urlencode(parse_qsl(parts.query) + list(query.items()))
    return urlunsplit(parts._replace(path=path, query=combined))
