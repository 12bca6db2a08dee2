"""`WS /v1/realtime`: one websocket, its codec and its driver.

Three tasks serve a connection: one reads and decodes, one runs the session, one writes. Whoever ends first ends the
others. A client is refused before the socket is accepted (HTTP 401, 403, 503), so that it sees why.
"""

import asyncio
import contextlib
import logging
import uuid
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime.catalogue.names import can_translate
from realtime.edge.access import SUBPROTOCOL, authenticate
from realtime.edge.driver import Driver
from realtime.edge.metrics import Metrics, SessionMetrics
from realtime.edge.outbox import Outbox, SlowReaderError
from realtime.errors import ClientError, Overloaded, UnsupportedAudio, VoiceError
from realtime.models.models import Models
from realtime.scheduling.priority import ClientId
from realtime.session.commands import WireRequest
from realtime.session.config import SessionConfig, SessionKind
from realtime.session.events import Event, TranscriptRevised
from realtime.session.responses import ReplyState
from realtime.session.session import Session
from realtime.settings import Settings
from realtime.wire.openai.codec import OpenAICodec

logger = logging.getLogger(__name__)


CLOSE_TIMEOUT: Final = 1.0
"""Seconds in which a client that reads learns why its session ends."""


class IdleError(ClientError):
    """The client has sent nothing for too long."""

    code = "session_idle"


class RealtimeEndpoint:
    """Admits websockets and serves each until it ends."""

    def __init__(self, models: Models, settings: Settings, metrics: Metrics) -> None:
        self._models = models
        self._settings = settings
        self._metrics = metrics
        self.sessions = 0

    async def __call__(self, websocket: WebSocket) -> None:
        """Serve one websocket; the endpoint of a Starlette `WebSocketRoute`."""
        session_id = _new_id("sess")
        try:
            client_id = self._admit(websocket, session_id)
        except VoiceError as refusal:
            self._metrics.count_refusal(refusal.code)
            headers = {"retry-after": str(refusal.retry_after)} if isinstance(refusal, Overloaded) else {}
            await websocket.send_denial_response(JSONResponse(refusal.body(), refusal.http_status, headers))
            return
        self.sessions += 1
        try:
            offered = websocket.scope["subprotocols"]
            await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
            with self._metrics.session() as metrics:
                await Connection(websocket, self._models, self._settings, metrics, client_id).serve()
        except asyncio.CancelledError:
            # The server is stopping and has waited long enough; uvicorn would log this as a bug.
            logger.warning("A session had to be cut off.")
        finally:
            self.sessions -= 1
            self._models.dismiss(session_id)

    def _admit(self, websocket: WebSocket, session_id: str) -> ClientId:
        """Whose session it is. Raises the `VoiceError` that says why a client may not come in."""
        account = authenticate(websocket.headers, self._settings, websocket.scope["subprotocols"])
        if self.sessions >= self._settings.max_sessions:
            raise Overloaded("The server has as many sessions as it can serve.")
        self._models.admit(session_id, websocket.query_params.get("model") or "")
        return ClientId(account, session_id)


class Connection:
    """One accepted websocket."""

    def __init__(
        self, websocket: WebSocket, models: Models, settings: Settings, metrics: SessionMetrics, client_id: ClientId
    ) -> None:
        query = websocket.query_params
        extensions = {name for value in query.getlist("ext") for name in value.split(",")}
        transcription = query.get("intent") == "transcription"
        recognizer = models.recognizer_name((query.get("model") or "") if transcription else "")
        recognizer = recognizer or models.recognizer_name("")
        voice = models.voice_name("")
        assert recognizer is not None  # the defaults were there when the session was admitted
        assert voice is not None
        config = SessionConfig(
            kind=SessionKind.TRANSCRIPTION if transcription else SessionKind.CONVERSATION,
            transcribe=transcription,
            recognizer=recognizer,
            voice=voice,
            include_partials="partials" in extensions,
        )
        self._websocket = websocket
        self._settings = settings
        self._metrics = metrics
        self._session_id = client_id.session
        self._codec = OpenAICodec(
            self._session_id,
            _new_id,
            config,
            model=query.get("model") or config.recognizer,
            find_recognizer=models.recognizer_name,
            find_voice=models.voice_name,
            can_translate=can_translate,
            max_input_characters=settings.max_input_characters,
            partials="partials" in extensions,
            binary="binary" in extensions,
        )
        self._outbox = Outbox(settings.send_timeout_seconds)
        self._driver = Driver(Session(config, _new_id), models, self._deliver, client_id=client_id)

    async def serve(self) -> None:
        """Serve until either side ends it."""
        logger.info("%s opened", self._session_id)
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
        except* Exception:  # a bug ends its own session only, and reveals nothing
            logger.exception("%s failed", self._session_id)
            await self._close(VoiceError("Internal error."))
        logger.info("%s closed", self._session_id)

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
                await self._driver.inbox.put(command)

    async def _receive(self) -> Message:
        """The next message of the socket. Raises `IdleError`; who listens to an answer is not idle."""
        while True:
            try:
                async with asyncio.timeout(self._settings.idle_timeout_seconds):
                    return await self._websocket.receive()
            except TimeoutError:
                if self._driver.reply_state is ReplyState.IDLE:
                    raise IdleError(f"Nothing was sent for {self._settings.idle_timeout_seconds:g} seconds.") from None

    async def _deliver(self, event: Event) -> None:
        if isinstance(event, WireRequest) and (speak := self._codec.speech(event)) is not None:
            self._driver.inbox.put_next(speak)
            return
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
                raise SlowReaderError("The client does not read.") from None

    async def _close(self, error: VoiceError) -> None:
        """Say why, if the client still listens, and close."""
        logger.warning("%s ends: %s", self._session_id, error.code)
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._websocket.send_text(self._codec.encode_error(error))
                await self._websocket.close(error.close_code, error.code)


def _first(errors: BaseExceptionGroup[VoiceError]) -> VoiceError:
    """The error a client is told when several tasks failed at once."""
    leaves = errors.exceptions
    while isinstance(leaves[0], BaseExceptionGroup):
        leaves = leaves[0].exceptions
    first = leaves[0]
    assert isinstance(first, VoiceError)
    return first


def _new_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:21]}"
