"""The realtime websockets: admission, and one connection with its codec and its driver.

Four tasks serve a connection: one reads and decodes, one runs the session, one writes, and one closes it when the
service comes to its end. When one of them fails, the others are cancelled. A client is refused before the handshake
completes, with an HTTP status (401, 403, 404, 503) and an error body.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime.edge.access import authenticate, presented_keys, select_subprotocol
from realtime.edge.client_secrets import ClientSecrets
from realtime.edge.drain import CLOSE, Drain
from realtime.edge.driver import Driver
from realtime.edge.handshakes import Handshakes
from realtime.edge.metrics import Metrics
from realtime.edge.outbox import Outbox, SlowReaderError
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
from realtime.wire.codec import Answer, Close, Codec, Decoded, Dialect, MediaChunk, Outgoing, VoiceRecording
from realtime.wire.dialects import served_paths

logger = logging.getLogger(__name__)


_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods of plain HTTP requests."""

CLOSE_TIMEOUT: Final = 1.0
"""Seconds allowed for the error and the close frame of a session that fails."""


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
    ) -> None:
        self._decoders = decoders
        self._handshakes = handshakes
        self._secrets = secrets
        self._settings = settings
        self._metrics = metrics
        self._paths = served_paths(settings.dialects)
        self.sessions = sessions

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
        """Admit one websocket, or refuse it, and serve it until it ends."""
        session_id = new_id("sess")
        current_session.set(session_id)
        async with AsyncExitStack() as admission:
            try:
                codec, session = self._admit(dialect, websocket, session_id, admission)
            except VoiceError as refusal:
                await self._refuse(websocket, refusal, dialect.refusal(refusal, session_id))
                return
            try:
                await websocket.accept(subprotocol=select_subprotocol(websocket.scope["subprotocols"]))
                with self.sessions.drain.connected():
                    await Connection(websocket, codec, self._settings, self._decoders, self.sessions.drain).serve(
                        session
                    )
            except asyncio.CancelledError:
                # The shutdown timeout is over. uvicorn would log the cancellation as an error.
                logger.warning("session cut off: the server is stopping")

    async def _refuse(self, websocket: WebSocket, refusal: VoiceError, body: Mapping[str, object]) -> None:
        """Answer the handshake with the status of an error and this body."""
        self._metrics.count_refusal(refusal.code)
        if isinstance(refusal, Forbidden | ChatNotConfigured):  # which clients do not show
            logger.info("session refused: %s", refusal.message)
        else:  # other messages may quote the client
            logger.debug("session refused: %s", refusal.message if isinstance(refusal, Overloaded) else refusal.code)
        headers = {"retry-after": str(refusal.retry_after)} if isinstance(refusal, Overloaded) else {}
        await websocket.send_denial_response(JSONResponse(body, refusal.http_status, headers))

    def _admit(
        self, dialect: Dialect, websocket: WebSocket, session_id: str, admission: AsyncExitStack
    ) -> tuple[Codec, AdmittedSession]:
        """Return the codec and the session, which counts until `admission` ends. Raises a `VoiceError` to refuse it."""
        headers, subprotocols, query = websocket.headers, websocket.scope["subprotocols"], websocket.query_params
        secret = self._secrets.find(presented_keys(headers, subprotocols), dialect)
        path_key = websocket.path_params.get("key", "")
        if dialect.signed_by_twilio and self._settings.twilio_auth_token:
            check_signature(self._settings.twilio_auth_token, headers, _sent_path(websocket))
        account = secret.account if secret else authenticate(headers, self._settings, subprotocols, path_key)
        self.sessions.check_capacity()
        codec = dialect.open(
            self._handshakes.build(
                session_id,
                query={name: query.getlist(name) for name in query},
                headers=headers,
                subprotocols=subprotocols,
                session=secret.session if secret else b"",
            )
        )
        return codec, admission.enter_context(self.sessions.admitted(ClientId(account, session_id), codec.config))


def _sent_path(websocket: WebSocket) -> str:
    """Return the path and the query of a websocket as the client has sent them."""
    scope = websocket.scope
    query = scope["query_string"]
    return (scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")  # type: ignore[no-any-return]


class Connection:
    """One accepted websocket."""

    def __init__(
        self, websocket: WebSocket, codec: Codec, settings: Settings, decoders: DecoderPool, drain: Drain
    ) -> None:
        self._websocket = websocket
        self._codec = codec
        self._settings = settings
        self._decoders = decoders
        self._drain = drain
        self._media = LiveDecoder(decoders)
        self._outbox = Outbox(settings.send_timeout_seconds)

    async def serve(self, session: AdmittedSession) -> None:
        """Serve the session until either side closes the connection."""
        with session.driver(self._deliver) as driver, contextlib.closing(self._media):
            await serve_tasks(
                self._write(),
                driver.run(),
                self._read(driver),
                self._follow_drain(driver),
                gone=WebSocketDisconnect,
                close=self._close,
            )

    async def _follow_drain(self, driver: Driver) -> None:
        """When the service comes to its end, tell the client, and close when nothing is in progress."""
        await self._drain.beginning()
        await self._put(self._codec.encode_draining(self._drain.seconds_left))
        await self._drain.settle(driver)
        await self._put([CLOSE])

    async def _read(self, driver: Driver) -> None:
        for frame in self._codec.greeting():
            await self._outbox.put(frame)
        while True:
            message = await self._receive(driver)
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
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
                    await driver.inbox.put(AppendAudio(part))

    async def _receive(self, driver: Driver) -> Message:
        """Return the next message. Raises `SessionIdle` after a timeout, unless a response is being played."""
        seconds = self._codec.idle_timeout_seconds or self._settings.idle_timeout_seconds
        while True:
            try:
                async with asyncio.timeout(seconds):
                    return await self._websocket.receive()
            except TimeoutError:
                if not driver.responding:
                    raise SessionIdle(f"Received nothing for {seconds:g} seconds.") from None

    async def _deliver(self, event: Event) -> None:
        await self._put(self._codec.encode(event), event.item_id if isinstance(event, TranscriptRevised) else None)

    async def _put(self, frames: Outgoing, revises: str | None = None) -> None:
        for frame in frames:
            await self._outbox.put(frame, revises)

    async def _write(self) -> None:
        """Send what is in the outbox. Raises `WebSocketDisconnect` after a `Close`."""
        while True:
            frame = await self._outbox.get()
            try:
                async with asyncio.timeout(self._settings.send_timeout_seconds):
                    await self._send(frame)
            except TimeoutError:
                raise SlowReaderError("The client does not read its messages.") from None
            if isinstance(frame, Close):
                raise WebSocketDisconnect(frame.code)

    async def _send(self, frame: str | bytes | Close) -> None:
        match frame:
            case str():
                await self._websocket.send_text(frame)
            case bytes():
                await self._websocket.send_bytes(frame)
            case Close(code, reason):
                await self._websocket.close(code, reason)

    async def _close(self, error: VoiceError) -> None:
        """Send the error, if the client still reads, and close."""
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                for frame in self._codec.encode_error(error, final=True):
                    await self._send(frame)


async def _refuse_http(_: Request) -> Response:
    """Refuse a request that is no handshake, which is what a websocket becomes in a proxy that does not pass it."""
    message = "This is a websocket endpoint. A proxy in between must pass the headers Upgrade and Connection."
    raise HTTPException(HTTPStatus.UPGRADE_REQUIRED, message, {"upgrade": "websocket", "connection": "upgrade"})
