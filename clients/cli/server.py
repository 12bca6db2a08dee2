"""The server of a command: its address, and the API key that is sent to it."""

import argparse
import ipaddress
import os
from typing import Final
from urllib.parse import urlsplit

from clients.aio import DEFAULT_URL

_SCHEMES: Final = {"http": "ws", "https": "wss"}


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--url` and `--api-key`."""
    parser.add_argument(
        "--url", type=websocket_url, default=DEFAULT_URL, help="address of the server (default: %(default)s)"
    )
    parser.add_argument("--api-key", help="API key (default: $OPENAI_API_KEY for a local server or wss)")


def websocket_url(address: str) -> str:
    """Return the address as one of a websocket: `http` means `ws`, `https` means `wss`, and nothing means `ws`.

    Raises `ArgumentTypeError` if there can be no server at it.
    """
    scheme, separator, rest = address.partition("://")
    url = f"{_SCHEMES.get(scheme, scheme)}://{rest}" if separator else f"ws://{address}"
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.scheme in _SCHEMES.values() and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise argparse.ArgumentTypeError(f"{address} is no address of a server, such as wss://voice.example.org")
    return url


def key_for(url: str, given: str | None) -> str | None:
    """Return the given key, or `$OPENAI_API_KEY` if the server is on this machine or reached through TLS.

    The variable may hold a key of another service, which must not cross a network in the clear.
    """
    return given or (os.environ.get("OPENAI_API_KEY") if _is_private(url) else None)


def _is_private(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "wss" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
