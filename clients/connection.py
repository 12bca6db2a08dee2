"""The websocket of a session: opening it, and its errors as those of this library."""

import json
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Response

from clients.errors import ConnectionRefused, ServerClosed

PATH: Final = "/v1/realtime"

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes of the largest message accepted from the server."""


async def open_connection(url: str, query: dict[str, str], api_key: str | None, timeout: float) -> ClientConnection:
    """Open the websocket at `url` with `query`, and at `PATH` if it has no path. Raises `ConnectionRefused`."""
    url = _with_query(url, query)
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        return await open_socket(
            url,
            additional_headers=headers,
            compression=None,
            open_timeout=timeout,
            ping_timeout=None,  # a server that throttles a fast sender stops reading for a while, pings included
            max_size=MAX_MESSAGE,
        )
    except InvalidStatus as refusal:
        raise ConnectionRefused(_refusal_message(refusal.response), refusal.response.status_code) from None
    except TimeoutError:
        raise ConnectionRefused(f"{url} did not answer within {timeout:g} s") from None
    except (OSError, WebSocketException) as error:
        raise ConnectionRefused(f"cannot connect to {url}: {error}") from error


def _refusal_message(response: Response) -> str:
    """Return the message of an OpenAI error body, or else the HTTP status line."""
    try:
        return str(json.loads(response.body)["error"]["message"])
    except (LookupError, TypeError, ValueError):
        return f"HTTP {response.status_code} {response.reason_phrase}"


def server_closed(closed: ConnectionClosed) -> ServerClosed:
    """Return the error that tells how the connection was closed."""
    if closed.rcvd is None:
        return ServerClosed(1006, "connection lost")
    return ServerClosed(closed.rcvd.code, closed.rcvd.reason)


def _with_query(url: str, query: dict[str, str]) -> str:
    parts = urlsplit(url)
    path = PATH if parts.path in {"", "/"} else parts.path
    return urlunsplit(parts._replace(path=path, query=urlencode(parse_qsl(parts.query) + list(query.items()))))
