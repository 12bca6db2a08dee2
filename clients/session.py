"""An open session: its events as typed values, its consumers, and `speak`.

A background task reads the socket while the session is open and queues each event for its consumer: events of a
response started by `speak` for that call, all others for the iteration over the session. So a slow consumer does not
delay the others; `MAX_WAITING` limits how many events wait for an iteration.
"""

import asyncio
import base64
import itertools
import json
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Final

from websockets.exceptions import ConnectionClosed

from clients.arguments import check_numbers, check_strings, request_failed
from clients.connection import server_closed
from clients.errors import ProtocolError, RealtimeError, RequestFailed, ServerClosed
from clients.events import (
    AudioChunk,
    Event,
    Payload,
    ResponseCreated,
    ResponseDone,
    ServerError,
    parse_event,
)
from clients.options import SAMPLE_RATE, SessionOptions, unknown_voice
from clients.resuming import ResumableConnection
from clients.sources import Piece, pcm_of

MAX_WAITING: Final = 10_000
"""Events that may wait for the iteration over the session; one more ends the session with `ProtocolError`."""

_BINARY_HEADER: Final = struct.Struct("<II")
"""Header of a binary audio message: number of the response, from 0, and offset in samples."""


class Session:
    """An open session; iterate over it to receive its events.

    A session that can be resumed outlives its connection: `Disconnected` and `Reconnected` say so. The iteration ends
    when this side closes the session or the server closes it with code 1000. It raises `ServerClosed` or
    `ProtocolError` when the session ends in any other way.
    """

    def __init__(self, connection: ResumableConnection, *, binary: bool) -> None:
        self._connection = connection
        self._binary = binary
        self._session_object: Payload = {}
        self._numbers = itertools.count(1)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()  # bounded by `MAX_WAITING`
        connection.notify = self._events.put_nowait
        # Queues of `speak` by the id of the request, then of the response. The text of the response bounds them.
        self._speeches: dict[str, asyncio.Queue[Event | None]] = {}
        self._cancellations: set[asyncio.Task[None]] = set()  # of `speak` calls that ended before `response.created`
        self._responses: dict[int, str] = {}  # ids of responses in progress by number, as in binary messages
        self._response_numbers = itertools.count()
        self._closing = False
        self._end: RealtimeError | None = None

    @property
    def lost_at(self) -> float | None:
        """When the connection was lost, in the time of the event loop; None while there is one."""
        return self._connection.lost_at

    @property
    def forgotten(self) -> bool:
        """Whether a server has said that it does not have this session, so that another one may be opened at once."""
        return self._connection.forgotten

    def effective(self, *path: str) -> object:
        """Return the value at this path of the session object that the server confirmed to `connect`, or None."""
        value: object = self._session_object
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    async def send(self, event: Payload) -> str:
        """Send any client event and return its `event_id`, which a `ServerError` about it repeats.

        Raises `TypeError` or `ValueError` if it cannot be JSON.
        """
        message = {"event_id": f"event_{next(self._numbers)}", **event}
        await self._transmit(json.dumps(message, allow_nan=False))  # the server could not say what it refuses
        return str(message["event_id"])

    async def send_audio(self, pcm: Piece) -> None:
        """Send PCM16 audio, as bytes or samples of 16 bits, of any length below the server's limit for one message.

        Raises `TypeError` for anything else.
        """
        pcm = pcm_of(pcm)
        if self._binary:
            await self._transmit(pcm)
        else:
            await self.send({"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()})

    async def commit(self) -> str:
        """End the turn here; return the event id.

        The server answers with `ServerError` if there is less than 100 ms of audio, or with turn detection no speech.
        """
        return await self.send({"type": "input_audio_buffer.commit"})

    async def speak(
        self,
        text: str,
        *,
        voice: str | None = None,
        speed: float | None = None,
        on_done: Callable[[ResponseDone], None] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Speak `text` verbatim, outside the conversation, and yield its audio, PCM16 at 24 kHz, as it arrives.

        `on_done` is called when all of it has been spoken. Closing the generator cancels the response. Raises
        `RequestFailed` if the server does not have the voice (`invalid_voice`), or the text has no letter or digit
        (`invalid_value`) or was not spoken to its end, and `ServerClosed` or `ProtocolError` if the connection ends.
        Raises `TypeError` or `ValueError` for arguments of another type.
        """
        if not isinstance(text, str):
            raise TypeError(f"text is a string, not {type(text).__name__}")
        check_strings(voice=voice)
        check_numbers(speed=speed)
        output = {"format": {"type": "audio/pcm", "rate": SAMPLE_RATE}, "voice": voice, "speed": speed}
        request_id = f"speak_{next(self._numbers)}"
        response = {
            "conversation": "none",
            "output_modalities": ["audio"],
            "input": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}],
            "audio": {"output": {name: value for name, value in output.items() if value is not None}},
            "metadata": {"client_event_id": request_id},
        }
        queue = self._speeches[request_id] = asyncio.Queue()
        created: str | None = None
        try:
            await self.send({"type": "response.create", "event_id": request_id, "response": response})
            while True:
                match await queue.get():
                    case ResponseCreated(response_id=created, voice_unknown=True):
                        await self._cancel(created)
                        raise unknown_voice(voice or "")
                    case ResponseCreated(response_id=created):
                        pass
                    case AudioChunk(data=data):
                        yield data
                    case ResponseDone(status="completed") as done:
                        if on_done is not None:
                            on_done(done)
                        return
                    case ResponseDone(code=code, message=message):
                        raise RequestFailed(code, message)
                    case ServerError() as error:
                        raise _failed(error)
                    case None:
                        raise self._end or ServerClosed(1000, "")
        except (GeneratorExit, asyncio.CancelledError):
            if created is not None:
                await self._cancel(created)
            else:
                cancellation = asyncio.create_task(self._cancel_once_created(queue))
                self._cancellations.add(cancellation)
                cancellation.add_done_callback(self._cancellations.discard)
            raise

    async def _cancel(self, response_id: str) -> None:
        with suppress(RealtimeError):
            await self.send({"type": "response.cancel", "response_id": response_id})

    async def _cancel_once_created(self, queue: asyncio.Queue[Event | None]) -> None:
        """Cancel an abandoned response as soon as its id is known."""
        match await queue.get():
            case ResponseCreated(response_id=response_id):
                await self._cancel(response_id)
            case _:
                pass

    async def close(self) -> None:
        """Close the session; answers that have not arrived yet are lost."""
        self._closing = True
        await self._connection.close()

    def __aiter__(self) -> "Session":
        return self

    async def __anext__(self) -> Event:
        event = await self._events.get()
        if event is not None:
            return event
        self._events.put_nowait(None)
        if self._end is None or self._closing:
            raise StopAsyncIteration
        raise self._end

    async def _transmit(self, message: str | bytes) -> None:
        try:
            await self._connection.send(message)
        except ConnectionClosed as closed:
            raise self._end or server_closed(closed) from None

    async def _configure(self, options: SessionOptions) -> None:
        """Wait for the greeting, configure the session and check the confirmation."""
        try:
            await self._expect("session.created")
            await self.send({"type": "session.update", "session": options.configuration()})
            self._session_object = (await self._expect("session.updated")).get("session") or {}
        except ConnectionClosed as closed:
            raise server_closed(closed) from None
        options.check(self._session_object)

    async def _expect(self, event_type: str) -> Payload:
        while True:
            event = self._parse(await self._connection.recv())
            if isinstance(event, ServerError):
                raise _failed(event)
            self._events.put_nowait(event)
            if event.raw.get("type") == event_type:
                return event.raw
            if event_type == "session.created":
                raise ProtocolError(f"the server sent {event.raw.get('type')} instead of {event_type}")

    async def _read(self) -> None:
        """Deliver events until the connection ends, then wake all consumers."""
        try:
            while True:
                self._deliver(self._parse(await self._connection.recv()))
        except ConnectionClosed as closed:
            if closed.rcvd is None or closed.rcvd.code != 1000:
                self._end = server_closed(closed)
                self._end.__cause__ = self._connection.refusal
        except ProtocolError as error:
            self._end = error
            await self._connection.close(1002)
        finally:
            for queue in (self._events, *self._speeches.values()):
                queue.put_nowait(None)

    def _parse(self, message: str | bytes) -> Event:
        try:
            if isinstance(message, bytes):
                number, offset = _BINARY_HEADER.unpack_from(message)
                return AudioChunk(self._responses[number], message[_BINARY_HEADER.size :], offset)
            return parse_event(json.loads(message))
        except (LookupError, TypeError, ValueError, AttributeError, struct.error) as error:
            raise ProtocolError(f"the server sent an invalid message: {error!r}") from error

    def _deliver(self, event: Event) -> None:
        """Queue an event for the `speak` call it belongs to, or else for the iteration over the session."""
        key: str | None
        match event:
            case ResponseCreated(response_id=key, metadata=metadata):
                self._responses[next(self._response_numbers)] = key
                if (requested := self._speeches.pop(metadata.get("client_event_id", ""), None)) is not None:
                    self._speeches[key] = requested
            case AudioChunk(response_id=key) | ResponseDone(response_id=key) | ServerError(event_id=key):
                pass
            case _:
                key = event.raw.get("response_id")
        queue = self._speeches.get(key or "", self._events)
        if queue is self._events and queue.qsize() >= MAX_WAITING:
            raise ProtocolError(f"{MAX_WAITING} events are waiting to be read")
        queue.put_nowait(event)
        if isinstance(event, ResponseDone | ServerError):
            self._speeches.pop(key or "", None)
            self._responses = {number: each for number, each in self._responses.items() if each != key}


def _failed(error: ServerError) -> RequestFailed:
    """Return the error of the library for one of the server, which may name an argument."""
    return request_failed(error.code, error.message, (error.raw.get("error") or {}).get("param"))
