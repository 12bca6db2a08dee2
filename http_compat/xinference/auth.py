"""Logging in as Xinference's clients do: ask whether a key is required, then exchange a password for a token."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from http_compat.limits import bounded
from http_compat.parsing.bodies import read_json
from realtime.edge.access import match_key
from realtime.edge.rate_limits import RateLimits
from realtime.errors import Unauthorized
from realtime.settings import Settings

_MAX_BYTES: Final = 16 * 1024
"""Maximum size of a body in bytes."""


class Login(msgspec.Struct, frozen=True):
    """Credentials: the user name is ignored, the password is one of the server's keys."""

    username: str
    password: str


class AuthEndpoints:
    """The endpoints for logging in."""

    def __init__(self, settings: Settings, rates: RateLimits) -> None:
        self._settings = settings
        self._rates = rates

    async def needs_key(self, _: Request) -> Response:
        """Tell whether keys are required: Xinference's clients ask first, and only then send their key."""
        return JSONResponse({"auth": bool(self._settings.api_keys)})

    async def token(self, request: Request) -> Response:
        """Exchange a password for an access token; both are the API key."""
        login = await read_json(bounded(request, _MAX_BYTES, self._settings.idle_timeout_seconds), Login)
        with self._rates.authenticating(request, presents_key=bool(login.password)):
            if match_key([login.password], self._settings.api_keys) is None:
                raise Unauthorized("Incorrect password. Use an API key of the server as the password.")
        return JSONResponse({"access_token": login.password, "token_type": "bearer"})
