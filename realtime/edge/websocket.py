"""The realtime websockets: admission, and one connection with its codec and its driver.

Four tasks serve a connection: one reads and decodes, one runs the session, one writes, and one closes it when the
service comes to its end. When one of them fails, the others are cancelled. A client is refused before the handshake
completes, with an HTTP status (401, 403, 404, 503) and an error body.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime.edge.access import authenticate, check_host, presented_keys, select_subprotocol
from realtime.edge.client_secrets import ClientSecret, ClientSecrets
from realtime.edge.drain import CLOSE, Drain
from realtime.edge.driver import Driver
from realtime.edge.handshakes import Handshakes
from realtime.edge.link import Link, send_last
from realtime.edge.metrics import Metrics
from realtime.edge.rate_limits import RateLimits, address_of
from realtime.edge.resumable_link import ResumableLink
from realtime.edge.resumable_sessions import ResumableSessions
from realtime.edge.sessions import AdmittedSession, Sessions, new_id, serve_tasks
from realtime.edge.twilio_signature import check_signature
from realtime.errors import ClientError, Forbidden, Overloaded, SessionIdle, UnsupportedAudio, VoiceError
from realtime.logs import current_session
from realtime.media.decoder_pool import DecoderPool
from realtime.media.live_decoder import LiveDecoder
from realtime.models.voice_clips import decoded_clip
from realtime.scheduling.priority import ClientId
from realtime.session.commands import AppendAudio, Command
from realtime.session.events import Event, TranscriptRevised
from realtime.session.generation import ChatNotConfigured
from realtime.settings import Settings
from realtime.wire.codec import (
    Answer,
    Codec,
    Decoded,
    Dialect,
    Frames,
    MediaChunk,
    Outgoing,
    ResumeRequest,
    Resuming,
    VoiceRecording,
)
from realtime.wire.dialects import served_paths

logger = logging.getLogger(__name__)


_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods of plain HTTP requests."""


class UnknownEndpoint(ClientError):
    """A websocket at a path that no dialect has."""

    code = "not_found"
    http_status = 404


class RealtimeEndpoint:
    """Admits websockets of all dialects and serves each until it ends."""

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
        self.sessions = sessions
        self.resumable = ResumableSessions(settings, metrics)

    def routes(self) -> list[BaseRoute]:
        """Return one route for each path of a dialect, and one that refuses all other websockets."""
        routes = [WebSocketRoute(path, partial(self._serve, dialect)) for path, dialect in self._paths.items()]
        return [*routes, WebSocketRoute("/{path:path}", self._refuse_path)]

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
        with contextlib.ExitStack() as admission:
            codec, session = self._admit(dialect, websocket, client_id, secret, admission)
            greeting = codec.greeting()
            link: Link | ResumableLink = Link(websocket, self._settings.send_timeout_seconds)
            if codec.resumption is not None and self.resumable.offered:
                link = ResumableLink(websocket, codec.resumption, self.resumable, self._settings)
                token = admission.enter_context(self.resumable.listed(client_id.session, client_id.account, link))
                greeting.append(codec.resumption.offer(token, self._settings.resume_timeout_seconds))
            await websocket.accept(subprotocol=select_subprotocol(websocket.scope["subprotocols"]))
            drain = self.sessions.drain
            with drain.connected():
                hear = partial(self._rates.audio.take, client_id.account or address_of(websocket))
                await Connection(link, codec, self._settings, self._decoders, drain, hear).serve(session, greeting)

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
        with self._rates.authenticating(websocket, presents_key=bool(keys or path_key)):
            secret = self._secrets.find(keys, dialect)
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
        admission: contextlib.ExitStack,
    ) -> tuple[Codec, AdmittedSession]:
        """Return the codec and the session, which counts until `admission` ends. Raises a `VoiceError` to refuse it."""
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
        return codec, admission.enter_context(self.sessions.admitted(client_id, codec.config))


def _sent_path(websocket: WebSocket) -> str:
    """Return the path and the query of a websocket as the client has sent them."""
    scope = websocket.scope
    query = scope["query_string"]
    return (scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")  # type: ignore[no-any-return]


class Connection:
    """One accepted websocket."""

    def __init__(
        self,
        link: Link | ResumableLink,
        codec: Codec,
        settings: Settings,
        decoders: DecoderPool,
        drain: Drain,
        hear: Callable[[float], None],
    ) -> None:
        """Serve over `link`; `hear` counts minutes of audio, and raises `RateLimited` when there are too many."""
        self._link = link
        self._codec = codec
        self._settings = settings
        self._decoders = decoders
        self._drain = drain
        self._hear = hear
        self._media = LiveDecoder(decoders)

    async def serve(self, session: AdmittedSession, greeting: Frames) -> None:
        """Serve the session, which begins with these messages, until either side closes the connection."""
        with session.driver(self._deliver) as driver, contextlib.closing(self._media):
            tasks = [*self._link.tasks(driver), driver.run(), self._read(driver, greeting), self._follow_drain(driver)]
            await serve_tasks(*tasks, gone=WebSocketDisconnect, close=self._close)

    async def _follow_drain(self, driver: Driver) -> None:
        """When the service comes to its end, tell the client, and close when nothing is in progress."""
        await self._drain.beginning()
        await self._put(self._codec.encode_draining(self._drain.seconds_left))
        await self._drain.settle(driver)
        await self._put([CLOSE])

    async def _read(self, driver: Driver, greeting: Frames) -> None:
        await self._put(greeting)
        while True:
            message = await self._receive(driver)
            try:
                commands = self._codec.decode(message["text"] if message.get("text") is not None else message["bytes"])
            except UnsupportedAudio:
                raise
            except ClientError as error:
                await self._put(self._codec.encode_error(error))
                continue
            for command in commands:
                await self._pass_on(command, driver)

    async def _pass_on(self, command: Decoded, driver: Driver) -> None:
        match command:
            case MediaChunk(data):
                await self._append_media(data, driver)
            case VoiceRecording():
                for following in await self._with_recording(command):
                    await self._pass_on(following, driver)
            case Answer(frames):
                await self._put(frames)
            case _:
                if isinstance(command, AppendAudio):
                    self._hear(self._codec.config.input_format.seconds(command.data) / 60)
                await driver.inbox.put(command)

    async def _with_recording(self, recording: VoiceRecording) -> Sequence[Command | MediaChunk]:
        """Decode the recording of a voice; return the commands of its message, none if it is refused."""
        try:
            try:
                clip = await decoded_clip(self._decoders, recording.data, recording.transcript)
            except (ClientError, Overloaded) as error:
                raise recording.refusal(error) from error
            return recording.accept(clip)
        except VoiceError as error:
            await self._put(self._codec.encode_error(error))
            return ()

    async def _append_media(self, data: bytes, driver: Driver) -> None:
        """Decode a chunk. The commands after it wait, so that they find its audio in the session."""
        async with aclosing(self._media.decode(data)) as parts:
            async for part in parts:
                if isinstance(part, ClientError):
                    await self._put(self._codec.encode_error(part))
                else:
                    self._hear(self._codec.config.input_format.seconds(part) / 60)
                    await driver.inbox.put(AppendAudio(part))

    async def _receive(self, driver: Driver) -> Message:
        """Return the next message. Raises `SessionIdle` after a timeout, unless a response is being played."""
        seconds = self._codec.idle_timeout_seconds or self._settings.idle_timeout_seconds
        while True:
            try:
                return await self._link.receive(seconds)
            except TimeoutError:
                if not driver.responding:
                    raise SessionIdle(f"Received nothing for {seconds:g} seconds.") from None

    async def _deliver(self, event: Event) -> None:
        await self._put(self._codec.encode(event), event.item_id if isinstance(event, TranscriptRevised) else None)

    async def _put(self, frames: Outgoing, revises: str | None = None) -> None:
        for frame in frames:
            await self._link.outbox.put(frame, revises)

    async def _close(self, error: VoiceError) -> None:
        """Send the error, if the client still reads, and close."""
        await self._link.close(self._codec.encode_error(error, final=True))


async def _refuse_http(_: Request) -> Response:
    """Refuse a request that is no handshake, which is what a websocket becomes in a proxy that does not pass it."""
    message = "This is a websocket endpoint. A proxy in between must pass the headers Upgrade and Connection."
    raise HTTPException(HTTPStatus.UPGRADE_REQUIRED, message, {"upgrade": "websocket", "connection": "upgrade"})
