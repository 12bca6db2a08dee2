"""The Wyoming listener: TCP connections of Home Assistant, its satellites and other clients of that protocol.

A connection becomes a session with the first request that needs one (`realtime.wire.wyoming.codec.REQUESTS`), so that
`describe` and `ping` are answered by a server that has no room for sessions. From then on three tasks serve it, as they
do a websocket. After an error, which the client is sent, the connection ends: most clients wait for the answer to their
request and would wait for ever.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Final

from realtime import __version__
from realtime.catalogue.table import ModelEntry, Task
from realtime.catalogue.voices import VoiceNames
from realtime.edge.drain import CLOSE
from realtime.edge.driver import Driver
from realtime.edge.handshakes import first_words
from realtime.edge.metrics import Metrics
from realtime.edge.outbox import Outbox, SlowReaderError
from realtime.edge.sessions import Sessions, new_id, serve_tasks
from realtime.errors import Overloaded, SessionIdle, VoiceError
from realtime.logs import current_session
from realtime.models.models import Models
from realtime.scheduling.priority import ClientId
from realtime.session.events import Event
from realtime.settings import Settings
from realtime.wire.codec import Close, Handshake
from realtime.wire.wyoming.codec import REQUESTS, WyomingCodec
from realtime.wire.wyoming.framing import EventReader, WyomingEvent
from realtime.wire.wyoming.info import error_event, info, pong

logger = logging.getLogger(__name__)

READ_BYTES: Final = 64 * 1024
"""Bytes that are read from a connection at a time."""

CLOSE_TIMEOUT: Final = 1.0
"""Seconds from the error of a connection that fails to its end, if the client does not close it before."""

ADMISSION_TIMEOUT: Final = 2.0
"""Seconds that a request waits for room for its session.

Clients open a connection for each request. One request after the other, eight recordings of 2 to 3 s by wyoming-bench
on a busy machine, found no room in 2 of 8 cases: the session before had not ended yet, and its cost was recent.
"""

ADMISSION_INTERVAL: Final = 0.1
"""Seconds between two looks for room."""

SPARE_CONNECTIONS: Final = 32
"""Connections besides those of `max_sessions` sessions, which ask what the service offers."""


class WyomingListener:
    """Serves the Wyoming clients of one service."""

    def __init__(self, models: Models, settings: Settings, metrics: Metrics, sessions: Sessions) -> None:
        self._models = models
        self._settings = settings
        self._metrics = metrics
        self._sessions = sessions
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, listener: socket.socket) -> AsyncIterator[None]:
        """Accept connections from `listener` until the block ends, and then end all of them."""
        server = await asyncio.start_server(self._accept, sock=listener, limit=READ_BYTES)
        leaving = asyncio.create_task(self._sessions.drain.left_to_successor())
        leaving.add_done_callback(lambda _: server.close())
        try:
            yield
        finally:
            leaving.cancel()
            server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        session_id = new_id("sess")
        current_session.set(session_id)
        connection = Connection(reader, writer, session_id, self._models, self._settings, self._metrics, self._sessions)
        try:
            if len(self._connections) > self._settings.max_sessions + SPARE_CONNECTIONS:
                await connection.close(Overloaded("The server has reached its maximum number of connections."))
            else:
                await connection.serve()
        except asyncio.CancelledError:
            logger.warning("connection cut off: the server is stopping")
        finally:
            self._connections.discard(task)
            writer.close()


class Connection:
    """One connection; see the module."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session_id: str,
        models: Models,
        settings: Settings,
        metrics: Metrics,
        sessions: Sessions,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._session_id = session_id
        self._models = models
        self._settings = settings
        self._metrics = metrics
        self._sessions = sessions
        self._outbox = Outbox(settings.send_timeout_seconds)
        self._resources = ExitStack()
        """What ends with the connection: the session and its driver."""
        self._codec: WyomingCodec | None = None
        self._driver: asyncio.Future[Driver] = asyncio.get_running_loop().create_future()
        """The driver of the session, as soon as there is one."""
        self._delivered = asyncio.Event()
        """Set after every event of the session."""

    async def serve(self) -> None:
        """Serve until either side closes the connection."""
        with self._resources:
            await serve_tasks(
                self._read(),
                self._write(),
                self._run(),
                drain=self._sessions.drain,
                ending=[self._settle],
                gone=ConnectionError,
                close=self.close,
            )

    async def close(self, error: VoiceError) -> None:
        """End the session, send the error, and read on until the client closes.

        A client that is still sending its audio would find the connection broken, and would not see the error.
        """
        self._resources.close()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                self._writer.write(error_event(error).frame())
                await self._writer.drain()
                self._writer.write_eof()
                while await self._reader.read(READ_BYTES):
                    pass

    async def _run(self) -> None:
        driver = await self._driver
        await driver.run()

    async def _settle(self) -> None:
        """End the connection as soon as nothing is in progress, because the service comes to its end."""
        driver = await self._driver
        await self._sessions.drain.settle(driver)
        await self._outbox.put(CLOSE)

    async def _read(self) -> None:
        events = EventReader(self._settings.max_message_bytes)
        while True:
            for event in events.feed(await self._receive()):
                match event.type:
                    case "describe":
                        await self._outbox.put((await self._info()).frame())
                    case "ping":
                        await self._outbox.put(pong(event).frame())
                    case kind if kind in REQUESTS:
                        await self._request(event)
                    case _:
                        pass

    async def _receive(self) -> bytes:
        """Return the next bytes.

        Raises `ConnectionError` when the client has left, and `SessionIdle` when it neither waits nor sends.
        """
        while True:
            try:
                async with asyncio.timeout(self._settings.idle_timeout_seconds):
                    data = await self._reader.read(READ_BYTES)
            except TimeoutError:
                if (
                    self._reader.exception() is None
                    and self._codec
                    and (self._codec.speaking or self._codec.transcribing)
                ):
                    continue
                raise SessionIdle(f"Received nothing for {self._settings.idle_timeout_seconds:g} seconds.") from None
            except OSError as error:
                raise ConnectionAbortedError from error
            else:
                if not data:
                    raise ConnectionAbortedError
                return data

    async def _request(self, event: WyomingEvent) -> None:
        """Pass the commands of an event to the session, which begins with the first of them."""
        if self._codec is None:
            self._codec = await self._open_codec()
        while not self._codec.ready_for(event):
            self._delivered.clear()
            await self._delivered.wait()
        for command in self._codec.decode(event):
            if not self._driver.done():
                await self._begin_session(self._codec)
            await self._driver.result().inbox.put(command)

    async def _begin_session(self, codec: WyomingCodec) -> None:
        """Start the driver. Raises `Overloaded` if there is no room for a session, nor before `ADMISSION_TIMEOUT`."""
        deadline = time.monotonic() + ADMISSION_TIMEOUT
        while True:
            try:
                admission = self._sessions.admitted(ClientId("", self._session_id), codec.config)
                session = self._resources.enter_context(admission)
                break
            except Overloaded as refusal:
                if time.monotonic() > deadline:
                    self._metrics.count_refusal(refusal.code)
                    raise
                await asyncio.sleep(ADMISSION_INTERVAL)
        self._resources.enter_context(self._sessions.drain.connected())
        self._driver.set_result(self._resources.enter_context(session.driver(self._deliver)))

    async def _open_codec(self) -> WyomingCodec:
        voices = await self._voices()
        return WyomingCodec(
            Handshake(
                session_id=self._session_id,
                query={},
                new_id=new_id,
                find_recognizer=self._sessions.names.recognizer,
                find_voice=voices.find,
                voice_of_language=voices.of_language,
                first_words=first_words(self._sessions.names),
                max_input_characters=self._settings.max_input_characters,
            )
        )

    async def _info(self) -> WyomingEvent:
        await self._voices()
        speakers = self._models.defaults[Task.SPEECH], *self._sessions.names.voices_by_language.values()
        voices = (await self._models.voices_at_hand()).voices
        spoken = [(entry, voices[entry.name]) for entry in dict.fromkeys(speakers)]
        return info(self._recognizers(), spoken, __version__)

    async def _voices(self) -> VoiceNames:
        """Return the voices; raise `Overloaded` if the models are still loading after the time that requests wait."""
        if not self._models.ready:
            await asyncio.wait([self._models.open()], timeout=self._settings.model_load_timeout_seconds)
        return self._models.voice_names

    def _recognizers(self) -> list[ModelEntry]:
        """Return the recognizers that answer at once, the default one first."""
        loaded = [entry for entry in self._models.loaded() if entry.task is Task.TRANSCRIPTION]
        return list(dict.fromkeys([self._models.defaults[Task.TRANSCRIPTION], *loaded]))

    async def _deliver(self, event: Event) -> None:
        assert self._codec is not None
        for each in self._codec.encode(event):
            await self._outbox.put(each.frame())
        self._delivered.set()

    async def _write(self) -> None:
        while True:
            frame = await self._outbox.get()
            if isinstance(frame, Close):
                raise ConnectionAbortedError
            assert isinstance(frame, bytes)
            try:
                async with asyncio.timeout(self._settings.send_timeout_seconds):
                    self._writer.write(frame)
                    await self._writer.drain()
            except TimeoutError:
                raise SlowReaderError("The client does not read its events.") from None
