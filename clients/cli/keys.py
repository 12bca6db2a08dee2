"""Which API key a program presents, and to whom."""

import ipaddress
import os
from urllib.parse import urlsplit


def key_for(url: str, given: str | None) -> str | None:
    """The key given, else `$OPENAI_API_KEY`, but that only for this machine or over TLS.

    The variable was set for another service perhaps, and nobody on the way may read it.
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
