"""Client secrets: keys that expire, each with the session that it opens, for programs that must not know a real key.

They are accepted by the websocket, and by the HTTP endpoints that transcribe, speak and list voices and models. For
the websocket, a web page that presents one needs no entry in `allowed_origins`: whoever made the secret gave it to the
page.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from realtime.edge.handshakes import Handshakes
from realtime.edge.sessions import new_id
from realtime.errors import RETRY_LATER, Overloaded, Unauthorized
from realtime.wire.codec import Dialect
from realtime.wire.dialects import SECRET_DIALECTS
from realtime.wire.openai.beta import BETA_HEADERS
from realtime.wire.openai.client_secrets import SecretKind, read_secret_request, secret_object

MAX_SECRETS: Final = 1000
"""Client secrets that may be valid at the same time. With their sessions they take 64 MB at most."""

MAX_BODY_BYTES: Final = 64 * 1024
"""Maximum size in bytes of a request for a client secret."""

_VALUE: Final = re.compile(r"ek_[0-9a-f]{32}")
"""Client secrets of this server. Clients require the prefix."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A valid client secret: the account that made it, the endpoint it is for, and the JSON of its session."""

    account: str
    expires_at: int
    dialect: Dialect
    session: bytes = field(repr=False)


class ClientSecrets:
    """The client secrets of one service, in memory."""

    def __init__(self, handshakes: Handshakes, clock: Callable[[], float] | None = None) -> None:
        """`clock` returns Unix time; by default that of the start and what has passed since, even if it is set."""
        self._handshakes = handshakes
        start = time.time() - time.monotonic()
        self._clock = clock or (lambda: start + time.monotonic())
        self._secrets: dict[str, ClientSecret] = {}

    def create(self, endpoint: str, account: str, body: bytes) -> dict[str, Any]:
        """Answer a request for a client secret at this endpoint, such as `client_secrets`.

        Raises:
            ClientError: The body is not valid, or no session can begin as it says.
            Overloaded: There are `MAX_SECRETS` already, or the default models are loading.

        """
        kind = SecretKind(endpoint)
        request = read_secret_request(kind, body)
        dialect = SECRET_DIALECTS[kind]
        headers = BETA_HEADERS if kind in (SecretKind.BETA_SESSIONS, SecretKind.BETA_TRANSCRIPTION_SESSIONS) else {}
        codec = dialect.open(self._handshakes.build(new_id("sess"), headers=headers, session=request.session))
        now = self._clock()
        self._secrets = {value: secret for value, secret in self._secrets.items() if secret.expires_at > now}
        if len(self._secrets) >= MAX_SECRETS:
            raise Overloaded("There are too many valid client secrets.", retry_after=RETRY_LATER)
        value = f"ek_{secrets.token_hex(16)}"
        secret = ClientSecret(account, int(now) + request.seconds, dialect, request.session)
        self._secrets[value] = secret
        return secret_object(kind, codec.greeting()[0], value, secret.expires_at)

    def find(self, keys: Iterable[str], dialect: Dialect | None = None) -> ClientSecret | None:
        """Return the client secret among these keys, for this dialect or for any; None if there is none.

        Raises `Unauthorized` for one that has expired, or is for another dialect.
        """
        value = next(filter(_VALUE.fullmatch, keys), None)
        if value is None:
            return None
        secret = self._secrets.get(value)
        if secret is None or secret.expires_at <= self._clock():
            raise Unauthorized("The client secret has expired, or is not one of this server.")
        if dialect not in (None, secret.dialect):
            raise Unauthorized("The client secret is for another endpoint.")
        return secret
