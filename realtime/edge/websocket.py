"""The realtime websockets: admission, and one connection with its codec and its driver.

Three tasks serve a connection: one reads and decodes, one runs the session, one writes. When one of them ends, the
others are cancelled. A client is refused before the handshake completes, with an HTTP status (401, 403, 404, 503) and
an error body.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
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

from realtime.backends.backend import ChatBackend
from realtime.catalogue.names import ModelNames
from realtime.catalogue.voices import find_voice
from realtime.edge.access import SUBPROTOCOL, authenticate
from realtime.edge.driver import Driver
from realtime.edge.metrics import Metrics, SessionMetrics
from realtime.edge.outbox import Outbox, SlowReaderError
from realtime.errors import ClientError, Forbidden, Overloaded, UnsupportedAudio, VoiceError
from realtime.logs import current_session
from realtime.media.decoder_pool import DecoderPool
from realtime.media.live_decoder import LiveDecoder
from realtime.models.models import Models
from realtime.models.session_recognizer import SessionRecognizer
from realtime.scheduling.priority import ClientId
from realtime.session.commands import AppendAudio
from realtime.session.events import Event, ResponseFinished, TranscriptRevised
from realtime.settings import Settings
from realtime.tracing.files import Traces
from realtime.tracing.observers import ObservedSession, Observer, SessionLog
from realtime.tracing.writer import SessionTrace
from realtime.wire.codec import Codec, Dialect, Handshake, MediaChunk
from realtime.wire.dialects import DIALECTS

logger = logging.getLogger(__name__)


_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods of plain HTTP requests."""

CLOSE_TIMEOUT: Final = 1.0
"""Seconds allowed for the error and the close frame of a session that fails."""


class IdleError(ClientError):
    """The client has sent nothing for `idle_timeout_seconds`."""

    code = "session_idle"


class UnknownEndpoint(ClientError):
    """A websocket at a path that no dialect has."""

    code = "not_found"
    http_status = 404


class RealtimeEndpoint:
    """Admits websockets of all dialects and serves each until it ends."""

    def __init__(
        self,
        models: Models,
        settings: Settings,
        metrics: Metrics,
        decoders: DecoderPool,
        chat: ChatBackend | None = None,
    ) -> None:
        self._models = models
        self._decoders = decoders
        self._chat = chat
        self._names = ModelNames(settings)
        self._settings = settings
        self._metrics = metrics
        self._traces = Traces(settings)
        self.sessions = 0

    def routes(self) -> list[BaseRoute]:
        """Return one route for each path of `DIALECTS`, and those that refuse all other websockets and plain HTTP."""
        routes = [WebSocketRoute(path, partial(self._serve, dialect)) for path, dialect in DIALECTS.items()]
        refusals = [Route(path, _refuse_http, methods=_METHODS) for path in DIALECTS]
        return [*routes, WebSocketRoute("/{path:path}", self._refuse_path), *refusals]

    async def _refuse_path(self, websocket: WebSocket) -> None:
        refusal = UnknownEndpoint(f"There is no websocket endpoint at this path; use {next(iter(DIALECTS))}.")
        await self._refuse(websocket, refusal)

    async def _serve(self, dialect: Dialect, websocket: WebSocket) -> None:
        """Admit one websocket, or refuse it, and serve it until it ends."""
        session_id = _new_id("sess")
        current_session.set(session_id)
        try:
            client_id, codec, recognizer = self._admit(dialect, websocket, session_id)
        except VoiceError as refusal:
            await self._refuse(websocket, refusal)
            return
        self.sessions += 1
        try:
            subprotocols = websocket.scope["subprotocols"]
            await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in subprotocols else None)
            clock = partial(_seconds_since, time.monotonic())
            with self._metrics.session() as metrics, self._traces.session(session_id, clock) as trace:
                connection = Connection(
                    websocket,
                    codec,
                    self._models,
                    recognizer,
                    self._settings,
                    metrics,
                    client_id,
                    LiveDecoder(self._decoders),
                    chat=self._chat,
                    clock=clock,
                    trace=trace,
                )
                await connection.serve()
        except asyncio.CancelledError:
            # The shutdown timeout is over. uvicorn would log the cancellation as an error.
            logger.warning("session cut off: the server is stopping")
        finally:
            self.sessions -= 1
            recognizer.close()

    async def _refuse(self, websocket: WebSocket, refusal: VoiceError) -> None:
        """Answer the handshake with the status and the body of an error."""
        self._metrics.count_refusal(refusal.code)
        if isinstance(refusal, Forbidden):  # which a browser does not show to the page
            logger.info("session refused: %s", refusal.message)
        else:  # other messages may quote the client
            logger.debug("session refused: %s", refusal.message if isinstance(refusal, Overloaded) else refusal.code)
        headers = {"retry-after": str(refusal.retry_after)} if isinstance(refusal, Overloaded) else {}
        await websocket.send_denial_response(JSONResponse(refusal.body(), refusal.http_status, headers))

    def _admit(
        self, dialect: Dialect, websocket: WebSocket, session_id: str
    ) -> tuple[ClientId, Codec, SessionRecognizer]:
        """Return the client's identity, its codec, and its recognizer. Raises a `VoiceError` if it is refused."""
        account = authenticate(websocket.headers, self._settings, websocket.scope["subprotocols"])
        if self.sessions >= self._settings.max_sessions:
            raise Overloaded("The server has reached its maximum number of sessions.")
        query = websocket.query_params
        codec = dialect(
            Handshake(
                session_id=session_id,
                query={name: query.getlist(name) for name in query},
                new_id=_new_id,
                find_recognizer=self._names.recognizer,
                find_voice=partial(find_voice, voices=self._models.voices),
                max_input_characters=self._settings.max_input_characters,
                chat=self._chat is not None,
                resume_false_interruptions=self._settings.resume_false_interruptions,
                headers=websocket.headers,
                subprotocols=websocket.scope["subprotocols"],
            )
        )
        return ClientId(account, session_id), codec, self._models.admit(session_id, codec.config.recognizer)


class Connection:
    """One accepted websocket."""

    def __init__(
        self,
        websocket: WebSocket,
        codec: Codec,
        models: Models,
        recognizer: SessionRecognizer,
        settings: Settings,
        metrics: SessionMetrics,
        client_id: ClientId,
        media: LiveDecoder,
        *,
        chat: ChatBackend | None,
        clock: Callable[[], float],
        trace: SessionTrace | None,
    ) -> None:
        self._websocket = websocket
        self._codec = codec
        self._settings = settings
        self._metrics = metrics
        self._media = media
        self._session_id = client_id.session
        self._outbox = Outbox(settings.send_timeout_seconds)
        observers: list[Observer] = [SessionLog(self._session_id)] if logger.isEnabledFor(logging.DEBUG) else []
        new_id: Callable[[str], str] = _new_id
        buffer = None
        if trace is not None:
            trace.header(self._session_id, codec.config)
            observers.append(trace)
            new_id, buffer = trace.identify(_new_id), trace.buffer
        session = ObservedSession(codec.config, new_id, observers, clock, buffer)
        self._driver = Driver(
            session,
            models,
            recognizer,
            self._deliver,
            chat=chat,
            client_id=client_id,
            clock=clock,
            on_progress=None if trace is None else trace.progressed,
        )

    async def serve(self) -> None:
        """Serve until either side closes the connection."""
        config = self._codec.config
        logger.info("session opened")
        logger.debug("recognizer %s, voice %s", config.recognizer.name, config.voice)
        try:
            for frame in self._codec.greeting():
                await self._outbox.put(frame)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write())
                group.create_task(self._driver.run())
                group.create_task(self._read())
        except* WebSocketDisconnect:
            pass
        except* VoiceError as errors:
            await self._close(_first(errors))
        except* Exception:  # a bug ends only its own session, and its details stay in the log
            logger.exception("session failed")
            await self._close(VoiceError("Internal error."))
        finally:
            self._media.close()
        logger.info("session closed")

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            try:
                commands = self._codec.decode(message["text"] if message.get("text") is not None else message["bytes"])
            except UnsupportedAudio:
                raise
            except ClientError as error:
                await self._outbox.put(self._codec.encode_error(error))
                continue
            for command in commands:
                if isinstance(command, MediaChunk):
                    await self._append_media(command.data)
                else:
                    await self._driver.inbox.put(command)

    async def _append_media(self, data: bytes) -> None:
        """Decode a chunk. The commands after it wait, so that they find its audio in the session."""
        async with aclosing(self._media.decode(data)) as parts:
            async for part in parts:
                if isinstance(part, ClientError):
                    await self._outbox.put(self._codec.encode_error(part))
                else:
                    await self._driver.inbox.put(AppendAudio(part))

    async def _receive(self) -> Message:
        """Return the next message. Raises `IdleError` after a timeout, unless a response is being played."""
        while True:
            try:
                async with asyncio.timeout(self._settings.idle_timeout_seconds):
                    return await self._websocket.receive()
            except TimeoutError:
                if not self._driver.responding:
                    raise IdleError(f"Received nothing for {self._settings.idle_timeout_seconds:g} seconds.") from None

    async def _deliver(self, event: Event) -> None:
        if isinstance(event, ResponseFinished) and event.error is not None:
            logger.warning("response failed: %s", event.error.code)
        self._metrics.delivered(event)
        revises = event.item_id if isinstance(event, TranscriptRevised) else None
        for frame in self._codec.encode(event):
            await self._outbox.put(frame, revises)

    async def _write(self) -> None:
        while True:
            frame = await self._outbox.get()
            try:
                async with asyncio.timeout(self._settings.send_timeout_seconds):
                    if isinstance(frame, str):
                        await self._websocket.send_text(frame)
                    else:
                        await self._websocket.send_bytes(frame)
            except TimeoutError:
                raise SlowReaderError("The client does not read its messages.") from None

    async def _close(self, error: VoiceError) -> None:
        """Send the error, if the client still reads, and close."""
        logger.warning("session ends: %s", error.code)
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._websocket.send_text(self._codec.encode_error(error))
                await self._websocket.close(error.close_code, error.code)


async def _refuse_http(_: Request) -> Response:
    """Refuse a request that is no handshake, which is what a websocket becomes in a proxy that does not pass it."""
    message = "This is a websocket endpoint. A proxy in between must pass the headers Upgrade and Connection."
    raise HTTPException(HTTPStatus.UPGRADE_REQUIRED, message, {"upgrade": "websocket", "connection": "upgrade"})


def _first(errors: BaseExceptionGroup[VoiceError]) -> VoiceError:
    """Return the error to report if several tasks failed at once."""
    leaves = errors.exceptions
    while isinstance(leaves[0], BaseExceptionGroup):
        leaves = leaves[0].exceptions
    first = leaves[0]
    assert isinstance(first, VoiceError)
    return first


def _seconds_since(start: float) -> float:
    return time.monotonic() - start


def _new_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:21]}"
