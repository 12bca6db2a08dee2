"""`POST /v1/realtime/client_secrets` and its relatives: keys that expire, for the websocket."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from http_compat.errors import UnsupportedMediaType
from http_compat.limits import bounded
from http_compat.parsing.bodies import media_type
from realtime.edge.client_secrets import MAX_BODY_BYTES, ClientSecrets
from realtime.settings import Settings


class ClientSecretEndpoints:
    """The endpoints that make client secrets."""

    def __init__(self, secrets: ClientSecrets, settings: Settings) -> None:
        self._secrets = secrets
        self._settings = settings

    async def client_secrets(self, request: Request) -> Response:
        return await self._create("client_secrets", request)

    async def translations(self, request: Request) -> Response:
        return await self._create("translations/client_secrets", request)

    async def sessions(self, request: Request) -> Response:
        return await self._create("sessions", request)

    async def transcription_sessions(self, request: Request) -> Response:
        return await self._create("transcription_sessions", request)

    async def _create(self, kind: str, request: Request) -> Response:
        # A web page may send other media types to another origin without a preflight request.
        if media_type(request) != "application/json":
            raise UnsupportedMediaType("Send a JSON object with `Content-Type: application/json`.")
        body = await bounded(request, MAX_BODY_BYTES, self._settings.idle_timeout_seconds).body()
        made = self._secrets.create(kind, request.state.account, body)
        return JSONResponse(made, headers={"cache-control": "no-store"})
