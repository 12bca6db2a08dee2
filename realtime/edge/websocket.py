"""The realtime websockets: admission, and which session each belongs to, a new one or one that goes on.

A client is refused before the handshake completes, with an HTTP status (401, 403, 404, 503) and an error body.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from realtime import spans
from realtime.edge.access import authenticate, check_host, presented_keys, select_subprotocol
from realtime.edge.client_secrets import ClientSecret, ClientSecrets
from realtime.edge.connection import Connection
from realtime.edge.handshakes import Handshakes
from realtime.edge.link import Link, send_last
from realtime.edge.metrics import Metrics
from realtime.edge.rate_limits import RateLimits, address_of
from realtime.edge.resumable_link import ResumableLink
from realtime.edge.resumable_sessions import ResumableSessions
from realtime.edge.sessions import AdmittedSession, Sessions, new_id
from realtime.edge.twilio_signature import check_signature
from realtime.errors import ClientError, Forbidden, Overloaded, VoiceError
from realtime.logs import current_session
from realtime.media.decoder_pool import DecoderPool
from realtime.scheduling.priority import ClientId
from realtime.session.generation import ChatNotConfigured
from realtime.settings import Settings
from realtime.wire.codec import (
    Codec,
    Dialect,
    Frames,
    ResumeRequest,
    Resuming,
)
from realtime.wire.dialects import served_paths

logger = logging.getLogger(__name__)


SESSION_HEADER: Final = b"x-session-id"
"""Header of the answer to a handshake, by which balancers bring a client that resumes the session to its replica."""

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods of plain HTTP requests."""


class UnknownEndpoint(ClientError):
    """A websocket at a path that no dialect has."""

    code = "not_found"
    http_status = 404


class RealtimeEndpoint:
    """The ASGI application that admits websockets of all dialects and serves each until it ends."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        decoders: DecoderPool,
        sessions: Sessions,
        handshakes: Handshakes,
        secrets: ClientSecrets,
        rates: RateLimits,
    ) -> None:
        self._decoders = decoders
        self._rates = rates
        self._handshakes = handshakes
        self._secrets = secrets
        self._settings = settings
        self._metrics = metrics
        self._paths = served_paths(settings.dialects)
        self._routes = [WebSocketRoute(path, partial(self._serve, dialect)) for path, dialect in self._paths.items()]
        self.sessions = sessions
        self.resumable = ResumableSessions(settings, metrics)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve a websocket by its path.

        Starlette's router, and its application of a function, would hold six coroutines for each one that is open.
        """
        for route in self._routes:
            match, parameters = route.matches(scope)
            if match is Match.FULL:
                scope.update(parameters)
                return route.endpoint(WebSocket(scope, receive, send))  # type: ignore[no-any-return]
        return self._refuse_path(WebSocket(scope, receive, send))

    def refusals(self) -> list[BaseRoute]:
        """Return the routes that refuse plain HTTP at the paths of websockets, to be tried after all others."""
        paths = [path for path in self._paths if path != "/"]  # where a browser looks for a page
        return [Route(path, _refuse_http, methods=_METHODS) for path in paths]

    async def _refuse_path(self, websocket: WebSocket) -> None:
        served = next(iter(self._paths), None)
        elsewhere = f"; use {served}" if served else ": VIVAVOCE_DIALECTS names no protocol that has one"
        refusal = UnknownEndpoint(f"There is no websocket endpoint at this path{elsewhere}.")
        await self._refuse(websocket, refusal, refusal.body())

    async def _serve(self, dialect: Dialect, websocket: WebSocket) -> None:
        """Serve one websocket until it ends, with a new session or one that goes on, or refuse it."""
        session_id = new_id("sess")
        current_session.set(session_id)
        try:
            account, secret = self._authenticate(dialect, websocket)
            query = websocket.query_params
            if dialect.resuming and (
                request := dialect.resuming.request(query, websocket.headers, websocket.scope["subprotocols"])
            ):
                await self._resume(dialect.resuming, websocket, request, account)
            else:
                await self._open(dialect, websocket, ClientId(account, session_id), secret)
        except VoiceError as refusal:
            await self._refuse(websocket, refusal, dialect.refusal(refusal, session_id))
        except asyncio.CancelledError:
            # The shutdown timeout is over. uvicorn would log the cancellation as an error.
            logger.warning("session cut off: the server is stopping")

    async def _open(
        self, dialect: Dialect, websocket: WebSocket, client_id: ClientId, secret: ClientSecret | None
    ) -> None:
        """Admit a new session and serve it until it ends. Raises a `VoiceError` to refuse it."""
        with spans.span("session", {"session": client_id.session}, headers=websocket.headers):
            with spans.span("handshake"):
                codec, session = self._admit(dialect, websocket, client_id, secret)
            with session:
                greeting = codec.greeting()
                link = self._link(websocket, client_id, codec, greeting)
                hear = partial(self._rates.audio.take, client_id.account or address_of(websocket))
                try:
                    subprotocol = select_subprotocol(websocket.scope["subprotocols"])
                    await websocket.accept(subprotocol, [(SESSION_HEADER, client_id.session.encode())])
                    _forget_handshake(websocket)
                    await Connection(
                        link, codec, session, self._settings, self._decoders, self.sessions.drain, hear
                    ).serve(greeting)
                finally:
                    self.resumable.remove(client_id.session)

    def _link(self, websocket: WebSocket, client_id: ClientId, codec: Codec, greeting: Frames) -> Link | ResumableLink:
        """Return the link of a new session; if it can be resumed, the greeting will say how."""
        if codec.resumption is None or not self.resumable.offered:
            return Link(websocket, self._settings.send_timeout_seconds)
        link = ResumableLink(websocket, codec.resumption, self.resumable, self._settings)
        token = self.resumable.add(client_id.session, client_id.account, link)
        greeting.append(codec.resumption.offer(token, self._settings.resume_timeout_seconds))
        return link

    async def _resume(self, resuming: Resuming, websocket: WebSocket, request: ResumeRequest, account: str) -> None:
        """Give a websocket to the session that its client asks for. Raises a `VoiceError` to refuse it."""
        subprotocol = select_subprotocol(websocket.scope["subprotocols"])
        try:
            self.resumable.find(request, account)
        except VoiceError as refusal:
            if request.reads_refusals:
                raise
            await websocket.accept(subprotocol=subprotocol)
            await send_last(websocket, resuming.refusal(refusal, new_id))
            return
        current_session.set(request.session_id)
        await websocket.accept(subprotocol=subprotocol)
        try:
            attachment = self.resumable.resume(websocket, request, account)
        except VoiceError as refusal:  # it has ended in the meantime
            await send_last(websocket, resuming.refusal(refusal, new_id))
        else:
            await attachment.hold()

    async def _refuse(self, websocket: WebSocket, refusal: VoiceError, body: Mapping[str, object]) -> None:
        """Answer the handshake with the status of an error and this body."""
        self._metrics.count_refusal(refusal.code)
        if isinstance(refusal, Forbidden | ChatNotConfigured):  # which clients do not show
            logger.info("session refused: %s", refusal.message)
        else:  # other messages may quote the client
            logger.debug("session refused: %s", refusal.message if isinstance(refusal, Overloaded) else refusal.code)
        headers = {"retry-after": str(refusal.retry_after)} if isinstance(refusal, Overloaded) else {}
        await websocket.send_denial_response(JSONResponse(body, refusal.http_status, headers))

    def _authenticate(self, dialect: Dialect, websocket: WebSocket) -> tuple[str, ClientSecret | None]:
        """Return the account of a client, and its client secret if it has one. Raises a `VoiceError` to refuse it."""
        headers, subprotocols = websocket.headers, websocket.scope["subprotocols"]
        keys, path_key = presented_keys(headers, subprotocols), websocket.path_params.get("key", "")
        check_host(websocket, self._settings)
        self._rates.handshakes.take(address_of(websocket))
        secret = self._secrets.find(keys, dialect)  # nobody guesses one, so that those that have expired do not count
        with self._rates.authenticating(websocket, presents_key=any((*keys, path_key))):
            if dialect.signed_by_twilio and self._settings.twilio_auth_token:
                check_signature(self._settings.twilio_auth_token, headers, _sent_path(websocket))
            if secret is not None:
                return secret.account, secret
            return authenticate(headers, self._settings, subprotocols, path_key), None

    def _admit(
        self,
        dialect: Dialect,
        websocket: WebSocket,
        client_id: ClientId,
        secret: ClientSecret | None,
    ) -> tuple[Codec, AdmittedSession]:
        """Return the codec and the session, which counts until it is closed. Raises a `VoiceError` to refuse it."""
        query = websocket.query_params
        self.sessions.check_capacity()
        self._rates.audio.check(client_id.account or address_of(websocket))
        codec = dialect.open(
            self._handshakes.build(
                client_id.session,
                query={name: query.getlist(name) for name in query},
                headers=websocket.headers,
                subprotocols=websocket.scope["subprotocols"],
                session=secret.session if secret else b"",
            )
        )
        return codec, self.sessions.admit(client_id, codec.config, only_speaks=codec.only_speaks)


def _forget_handshake(websocket: WebSocket) -> None:
    """Free what the request consisted of, which the server would keep as long as the websocket."""
    websocket.scope["headers"].clear()  # which others hold, too
    websocket.scope.clear()


def _sent_path(websocket: WebSocket) -> str:
    """Return the path and the query of a websocket as the client has sent them."""
    scope = websocket.scope
    query = scope["query_string"]
    return (scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")  # type: ignore[no-any-return]


async def _refuse_http(_: Request) -> Response:
    """Refuse a request that is no handshake, which is what a websocket becomes in a proxy that does not pass it."""
    message = "This is a websocket endpoint. A proxy in between must pass the headers Upgrade and Connection."
    raise HTTPException(HTTPStatus.UPGRADE_REQUIRED, message, {"upgrade": "websocket", "connection": "upgrade"})
