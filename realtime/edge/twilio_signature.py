"""The signature of Twilio's requests, which shows that they come from the account with a certain auth token.

Source: https://www.twilio.com/docs/usage/security#validating-requests. The key is the auth token and the message the
address that was configured at Twilio, followed by the names and values of the form in the order of the names; a
websocket has no form.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from realtime.errors import Forbidden

_HEADER: Final = "x-twilio-signature"


def signature(auth_token: str, url: str, form: Mapping[str, str] | None = None) -> str:
    """Return the signature of a request: HMAC-SHA1, as base64."""
    fields = "".join(name + value for name, value in sorted((form or {}).items()))
    digest = hmac.new(auth_token.encode(), (url + fields).encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def check_signature(auth_token: str, headers: Mapping[str, str], path: str) -> None:
    """Raise `Forbidden` unless the handshake of a websocket has a valid signature.

    Twilio connects to `wss://` only, and the server may be behind a proxy: the address is made of the header `Host` and
    of `path`, with its query and as it was sent. Twilio signs addresses with or without their port, and those of
    websockets with or without a slash at the end.
    """
    presented = headers.get(_HEADER, "").encode()
    signed = [signature(auth_token, url).encode() for url in _spellings(f"wss://{headers.get('host', '')}{path}")]
    matches = [hmac.compare_digest(presented, each) for each in signed]
    if not any(matches):
        raise Forbidden(
            "The request has no valid signature of Twilio (X-Twilio-Signature). VIVAVOCE_TWILIO_AUTH_TOKEN must be the "
            "auth token of the account, and a proxy must pass on the header Host."
        )


def _spellings(url: str) -> list[str]:
    """Return the forms of an address that Twilio may have signed."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets around something that is not an address
        return []
    host, _, port = parts.netloc.partition(":")
    hosts = {host, f"{host}:443"} if port in ("", "443") else {parts.netloc}
    paths = {parts.path, parts.path.rstrip("/"), parts.path.rstrip("/") + "/"}
    return [urlunsplit(parts._replace(netloc=netloc, path=path)) for netloc in hosts for path in paths]
