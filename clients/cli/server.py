"""The API key that a command sends to a server."""

import ipaddress
import os
from urllib.parse import urlsplit


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
