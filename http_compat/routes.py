"""The routes of the HTTP layer, for the application to mount beside its websocket."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from http_compat.errors import request_id
from http_compat.listing import Listing
from http_compat.speech import Speech
from http_compat.transcriptions import Transcriptions
from realtime.access import account, origin_allowed, presented_keys
from realtime.errors import Forbidden, Unauthorized
from realtime.metrics import CONTENT_TYPE, Metrics
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.models import Models

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def routes(models: "Models", settings: Settings, metrics: Metrics) -> list[BaseRoute]:
    """Routes that need `http_compat.errors.exception_handlers` around them."""
    transcriptions, speech, listing = (
        Transcriptions(models, settings),
        Speech(models, settings),
        Listing(models, settings),
    )

    async def exposition(_: Request) -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return [
        Route("/v1/audio/transcriptions", _guarded(transcriptions.create, settings), methods=["POST"]),
        Route("/v1/audio/speech", _guarded(speech.create, settings), methods=["POST"]),
        Route("/v1/models", _guarded(listing.models, settings)),
        Route("/v1/models/{id:path}", _guarded(listing.model, settings)),
        Route("/metrics", _guarded(exposition, settings)),
        Route("/livez", _numbered(listing.livez)),
        Route("/readyz", _numbered(listing.readyz)),
    ]


def _guarded(endpoint: Endpoint, settings: Settings) -> Endpoint:
    async def answer(request: Request) -> Response:
        if not origin_allowed(request.headers, settings.allowed_origins):
            raise Forbidden("Pages of this origin may not send requests.")
        paying = account(presented_keys(request.headers), settings.api_keys)
        if paying is None:
            raise Unauthorized("Incorrect API key provided.")
        request.state.account = paying
        return await endpoint(request)

    return _numbered(answer)


def _numbered(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        response = await endpoint(request)
        response.headers["x-request-id"] = request_id(request)
        return response

    return answer
