"""The Wyoming listener: TCP connections of Home Assistant, its satellites and other clients of that protocol.

A connection becomes a session with the first request that needs one (`realtime.wire.wyoming.codec.REQUESTS`), so that
`describe` and `ping` are answered by a server that has no room for sessions. From then on two tasks serve it, as they
do a websocket. After an error, which the client is sent, the connection ends: most clients wait for the answer to their
request and would wait for ever.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Final

from realtime import __version__
from realtime.catalogue.table import ModelEntry, Task
from realtime.catalogue.voices import VoiceNames
from realtime.edge.connection import REST_SECONDS
from realtime.edge.drain import CLOSE
from realtime.edge.driver import Driver
from realtime.edge.handshakes import first_words
from realtime.edge.metrics import Metrics
from realtime.edge.outbox import Outbox, SlowReaderError
from realtime.edge.sender import Sender
from realtime.edge.sessions import AdmittedSession, Sessions, new_id
from realtime.edge.tasks import begin, serve_tasks
from realtime.errors import Overloaded, SessionIdle, VoiceError
from realtime.logs import current_session
from realtime.models.models import Models
from realtime.scheduling.priority import ClientId
from realtime.session.commands import Rest
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


class Connection(Sender):
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
        super().__init__(self._outbox)
        self._session: AdmittedSession | None = None
        self._codec: WyomingCodec | None = None
        self._driver: Driver | None = None
        self._delivered = asyncio.Event()
        """Set after every event of the session."""

    async def serve(self) -> None:
        """Serve until either side closes the connection."""
        try:
            drain, ending = self._sessions.drain, [self._settle]
            await serve_tasks(self._run, drain=drain, ending=ending, gone=ConnectionError, close=self.close)
        finally:
            self._end_session()

    async def close(self, error: VoiceError) -> None:
        """End the session, send what still waits and the error, and read on until the client closes.

        A client that is still sending its audio would find the connection broken, and would not see the error.
        """
        self._end_session()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                self._writer.writelines(frame for frame in self.unsent() if isinstance(frame, bytes))
                self._writer.write(error_event(error).frame())
                await self._writer.drain()
                self._writer.write_eof()
                while await self._reader.read(READ_BYTES):
                    pass

    def _run(self, group: asyncio.TaskGroup) -> Coroutine[object, object, None]:
        """Run tasks in the group; return what reads."""
        self.join(group)
        return self._read()

    async def _settle(self) -> None:
        """End the connection as soon as nothing is in progress, because the service comes to its end."""
        if self._driver is not None:  # else there will be none, and nothing is in progress
            await self._sessions.drain.settle(self._driver)
            await self._put(CLOSE)

    async def _put(self, frame: bytes | Close) -> None:
        """Send a message after those before it; see `Outbox.put`."""
        await self._outbox.put(frame)
        self.send_pending()

    def _end_session(self) -> None:
        """Close the session, if there is one."""
        if self._session is not None:
            self._session.close()

    async def _read(self) -> None:
        events = EventReader(self._settings.max_message_bytes)
        while True:
            for event in events.feed(await self._receive()):
                match event.type:
                    case "describe":
                        await self._put((await self._info()).frame())
                    case "ping":
                        await self._put(pong(event).frame())
                    case kind if kind in REQUESTS:
                        await self._request(event)
                    case _:
                        pass

    async def _receive(self) -> bytes:
        """Return the next bytes; have the session rest if none come for `REST_SECONDS`.

        Raises `ConnectionError` when the client has left, and `SessionIdle` when it neither waits nor sends.
        """
        seconds = self._settings.idle_timeout_seconds
        with contextlib.suppress(TimeoutError):
            return await self._read_within(min(REST_SECONDS, seconds))
        if self._driver is not None:
            await self._driver.inbox.put(Rest())
        left = max(0.0, seconds - REST_SECONDS)
        while True:
            try:
                return await self._read_within(left)
            except TimeoutError:
                if not (self._codec and (self._codec.speaking or self._codec.transcribing)):
                    raise SessionIdle(f"Received nothing for {seconds:g} seconds.") from None
                left = seconds

    async def _read_within(self, seconds: float) -> bytes:
        """Return the next bytes. Raises `TimeoutError` if none come in time, and `ConnectionError`."""
        try:
            async with asyncio.timeout(seconds):
                data = await self._reader.read(READ_BYTES)
        except OSError as error:
            if isinstance(error, TimeoutError) and self._reader.exception() is None:
                raise
            raise ConnectionAbortedError from error
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
            driver = self._driver or await self._begin_session(self._codec)
            await driver.inbox.put(command)

    async def _begin_session(self, codec: WyomingCodec) -> Driver:
        """Start the driver. Raises `Overloaded` if there is no room for a session, nor before `ADMISSION_TIMEOUT`."""
        deadline = time.monotonic() + ADMISSION_TIMEOUT
        while True:
            try:
                self._session = self._sessions.admit(ClientId("", self._session_id), codec.config)
                break
            except Overloaded as refusal:
                if time.monotonic() > deadline:
                    self._metrics.count_refusal(refusal.code)
                    raise
                await asyncio.sleep(ADMISSION_INTERVAL)
        self._driver = driver = self._session.driver(self._deliver)
        begin(self.group, driver.run(self.group))
        return driver

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
            await self._put(each.frame())
        self._delivered.set()

    async def _send(self, frame: str | bytes | Close) -> None:
        if isinstance(frame, Close):
            raise ConnectionAbortedError
        assert isinstance(frame, bytes)
        try:
            async with asyncio.timeout(self._settings.send_timeout_seconds):
                self._writer.write(frame)
                await self._writer.drain()
        except TimeoutError:
            raise SlowReaderError("The client does not read its events.") from None
