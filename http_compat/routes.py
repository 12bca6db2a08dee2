"""Routes of the HTTP layer, which the application mounts beside its websocket."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from http_compat.asr_webservice.endpoints import AsrEndpoints
from http_compat.deepgram.listen import ListenEndpoint
from http_compat.deepgram.speak import SpeakEndpoint
from http_compat.errors import set_error_body
from http_compat.health import HealthEndpoints
from http_compat.openai.client_secrets import ClientSecretEndpoints
from http_compat.openai.models import ModelEndpoints
from http_compat.openai.speech import SpeechEndpoint
from http_compat.openai.transcriptions import TranscriptionEndpoints
from http_compat.openai.voices import VoicesEndpoint
from http_compat.openapi.document import document
from http_compat.request_log import note_route
from http_compat.uploads import Uploads
from http_compat.xinference.auth import AuthEndpoints
from http_compat.xinference.launch import LaunchEndpoints
from http_compat.xinference.names import LaunchedNames
from realtime.edge.access import authenticate, check_host, presented_keys
from realtime.edge.client_secrets import ClientSecrets
from realtime.edge.drain import Drain
from realtime.edge.metrics import CONTENT_TYPE, Metrics
from realtime.edge.rate_limits import RateLimits, address_of
from realtime.edge.status import Status
from realtime.media.decoder_pool import DecoderPool
from realtime.settings import Settings
from realtime.wire.deepgram.errors import error_body as deepgram_error_body
from realtime.workers.threads import BlockingCalls

if TYPE_CHECKING:
    from realtime.models.protocols import ModelService

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Methods: TypeAlias = Mapping[str, Endpoint]
"""The endpoints of a path by method."""

DIALECT_PATHS: Final[Mapping[str, Sequence[str]]] = {
    "openai": (
        "/v1/audio/transcriptions", "/v1/audio/translations", "/v1/audio/speech", "/v1/realtime/client_secrets",
        "/v1/realtime/sessions", "/v1/realtime/transcription_sessions", "/v1/realtime/translations/client_secrets",
    ),
    "deepgram": ("/v1/listen", "/v1/speak"),
    "whisper-asr-webservice": ("/asr", "/detect-language"),
}  # fmt: skip
"""The paths that are served only with their dialect, one of the setting `dialects`."""

CLIENT_SECRET_ENDPOINTS: Final = frozenset({
    ("POST", "/v1/audio/transcriptions"), ("POST", "/v1/audio/translations"), ("POST", "/v1/audio/speech"),
    ("GET", "/v1/audio/voices"), ("GET", "/v1/models"),
})  # fmt: skip
"""What a client secret opens besides the websocket."""

BLOCKING_CALLS: Final = 4
"""Threads that encode speech and transcripts, and decode JSON uploads."""


def routes(
    models: "ModelService",
    settings: Settings,
    metrics: Metrics,
    status: Status,
    decoders: DecoderPool,
    secrets: ClientSecrets,
    drain: Drain,
    rates: RateLimits,
) -> list[BaseRoute]:
    """Build the routes, which need the exception handlers of `errors.py` and the middleware of `middleware.py`."""
    names, threads = LaunchedNames(settings), BlockingCalls(BLOCKING_CALLS)
    uploads = Uploads(models, settings, decoders, metrics, rates)
    transcriptions = TranscriptionEndpoints(uploads, settings, names, threads)
    asr = AsrEndpoints(uploads, names, threads)
    speech = SpeechEndpoint(models, settings, names, threads, decoders)
    listen = ListenEndpoint(uploads, settings, names, threads)
    speak = SpeakEndpoint(models, settings, names, threads)
    listing, voices = ModelEndpoints(models, names), VoicesEndpoint(models, names)
    health = HealthEndpoints(models, drain)
    launches, auth = LaunchEndpoints(models, settings, names), AuthEndpoints(settings, rates)
    keys = ClientSecretEndpoints(secrets, settings)
    described = document(settings)

    async def exposition(_: Request) -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    async def state(_: Request) -> Response:
        return JSONResponse(status.snapshot(), headers={"cache-control": "no-store"})

    async def openapi(_: Request) -> Response:
        return JSONResponse(described)

    protected: dict[str, Methods] = {
        "/v1/audio/transcriptions": {"POST": transcriptions.transcribe},
        "/v1/audio/translations": {"POST": transcriptions.translate},
        "/asr": {"POST": asr.transcribe},
        "/detect-language": {"POST": asr.detect_language},
        "/v1/audio/speech": {"POST": speech.create},
        "/v1/realtime/client_secrets": {"POST": keys.client_secrets},
        "/v1/realtime/translations/client_secrets": {"POST": keys.translations},
        "/v1/realtime/sessions": {"POST": keys.sessions},
        "/v1/realtime/transcription_sessions": {"POST": keys.transcription_sessions},
        "/v1/listen": {"POST": listen.transcribe},
        "/v1/speak": {"POST": speak.create},
        "/v1/audio/voices": {"GET": voices.voices},
        "/v1/audio/models": {"GET": listing.audio_models},
        "/v1/models": {"GET": listing.models, "POST": launches.launch},
        "/v1/models/{id:path}/progress": {"GET": listing.progress},
        "/progress": {"GET": listing.loading},
        "/v1/models/{id:path}": {"GET": listing.model, "DELETE": launches.terminate},
        "/api/ps": {"GET": listing.loaded},
        "/metrics": {"GET": exposition},
        "/v1/status": {"GET": state},
    }
    public: dict[str, Methods] = {
        "/v1/cluster/auth": {"GET": auth.needs_key},
        "/token": {"POST": auth.token},
        "/openapi.json": {"GET": openapi},
        "/health": {"GET": health.livez},
        "/livez": {"GET": health.livez},
        "/readyz": {"GET": health.readyz},
    }
    left_out = {path for name, paths in DIALECT_PATHS.items() if name not in settings.dialects for path in paths}
    for path in left_out:
        del protected[path], described["paths"][path]
    return [
        *(
            _route(path, methods, partial(_authorize, path, settings, secrets, rates))
            for path, methods in protected.items()
        ),
        *(_route(path, methods, lambda _: None) for path, methods in public.items()),
    ]


def _route(path: str, methods: Methods, authorize: Callable[[Request], None]) -> Route:
    """Build one route for all methods of the path, so that a 405 response and OPTIONS list all of them.

    Errors of a path of Deepgram's have its form.
    """
    allowed = ", ".join([*(["GET", "HEAD"] if "GET" in methods else []), *sorted({*methods, "OPTIONS"} - {"GET"})])

    async def respond(request: Request) -> Response:
        note_route(request, path)
        if path in DIALECT_PATHS["deepgram"]:
            set_error_body(request, deepgram_error_body)
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"allow": allowed})
        authorize(request)
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, respond, methods=[*methods, "OPTIONS"])


def _authorize(path: str, settings: Settings, secrets: ClientSecrets, rates: RateLimits, request: Request) -> None:
    """Attach the account to the request. Raises `Forbidden`, `Unauthorized` or `RateLimited`."""
    method = "GET" if request.method == "HEAD" else request.method
    opens = (method, path) in CLIENT_SECRET_ENDPOINTS
    check_host(request, settings)
    keys = presented_keys(request.headers)
    secret = secrets.find(keys) if opens else None  # nobody guesses one, so that those that have expired do not count
    with rates.authenticating(request, presents_key=any(keys)):
        request.state.account = secret.account if secret else authenticate(request.headers, settings)
    if method == "POST":
        rates.requests.take(request.state.account or address_of(request))
