"""An asyncio client of `WS /v1/realtime`: the OpenAI Realtime protocol and its extensions `partials` and `binary`.

    async with connect("ws://127.0.0.1:8000/v1/realtime", partials=True) as session:
        await session.send_audio(frame)
        async for event in session:
            ...

One task reads the socket for as long as the session is open and hands every event to whoever waits for it: the events
of a response that `speak` asked for to that call, all others to the iteration over the session. Nobody who is slow
therefore holds up anybody else; `MAX_WAITING` says how far an unread session may fall behind.
"""

import asyncio
import base64
import itertools
import json
import struct
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Response

from clients.errors import ConnectionRefused, ProtocolError, RealtimeError, RequestFailed, ServerClosed
from clients.events import (
    AudioChunk,
    Committed,
    Completed,
    Delta,
    Event,
    Failed,
    Other,
    Partial,
    Payload,
    ResponseCreated,
    ResponseDone,
    ServerError,
    SpeechStarted,
    SpeechStopped,
    Word,
    parse_event,
)

__all__ = [
    "DEFAULT_URL",
    "MAX_MESSAGE",
    "MAX_WAITING",
    "PATH",
    "SAMPLE_RATE",
    "AudioChunk",
    "Committed",
    "Completed",
    "ConnectionRefused",
    "Delta",
    "Event",
    "Failed",
    "Other",
    "Partial",
    "ProtocolError",
    "RealtimeError",
    "RequestFailed",
    "ResponseCreated",
    "ResponseDone",
    "ServerClosed",
    "ServerError",
    "Session",
    "SpeechStarted",
    "SpeechStopped",
    "Word",
    "connect",
]

PATH: Final = "/v1/realtime"


DEFAULT_URL: Final = f"ws://127.0.0.1:8000{PATH}"


SAMPLE_RATE: Final = 24_000
"""The protocol's rate: PCM16, little-endian, mono, both ways."""


MAX_WAITING: Final = 10_000
"""Events that may wait for a program that does not read them; one more ends the session with `ProtocolError`."""


MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes of the longest message a server may send."""


_BINARY_HEADER: Final = struct.Struct("<II")


@asynccontextmanager
async def connect(
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    transcription: bool = True,
    model: str | None = None,
    language: str | None = None,
    prompt: str | None = None,
    translate: bool = False,
    voice: str | None = None,
    rate: int = SAMPLE_RATE,
    turn_detection: bool = True,
    silence_ms: int | None = None,
    partials: bool = False,
    binary: bool = False,
    open_timeout: float = 10.0,
) -> AsyncIterator["Session"]:
    """Open a session, configured as asked; it is closed when the block ends. A `url` without a path means `PATH`.

    With `transcription` it only listens, and `model` names the recognizer; without, it speaks too, with this `voice`,
    and `model` names the conversation's model. With `translate` transcripts are in English, whatever is spoken. `rate`
    is that of the audio to be sent. Without `turn_detection` utterances end where `commit` says; with it, after
    `silence_ms` of silence. `partials` asks for `Partial` events, `binary` sends audio as it is instead of in base64.
    Raises `ConnectionRefused`, `ProtocolError`, `RequestFailed` or `ServerClosed`.
    """
    named = {
        "language": language,
        "prompt": prompt,
        "model": model if transcription else None,
        "task": "translate" if translate else None,
    }
    audio: Payload = {
        "format": {"type": "audio/pcm", "rate": rate},
        "transcription": {name: value for name, value in named.items() if value},
    }
    if transcription and not audio["transcription"]:
        del audio["transcription"]  # such a session transcribes anyway
    if not turn_detection:
        audio["turn_detection"] = None
    elif silence_ms is not None:
        audio["turn_detection"] = {"type": "server_vad", "silence_duration_ms": silence_ms}
    config: Payload = {"type": "transcription" if transcription else "realtime", "audio": {"input": audio}}
    if voice and not transcription:
        config["audio"]["output"] = {"voice": voice}

    query = {"intent": "transcription"} if transcription else {"model": model} if model else {}
    if extensions := [name for name, wanted in (("partials", partials), ("binary", binary)) if wanted]:
        query["ext"] = ",".join(extensions)
    socket = await _open(_with_query(url, query), api_key, open_timeout)
    try:
        session = Session(socket, binary=binary)
        try:
            async with asyncio.timeout(open_timeout):
                await session._configure(config)
        except TimeoutError:
            raise ConnectionRefused(f"the server opened no session within {open_timeout:g} s") from None
        reader = asyncio.create_task(session._read())
        try:
            yield session
        finally:
            await session.close()
            await asyncio.wait([reader])
            for cancellation in session._cancellations:
                cancellation.cancel()
        reader.result()
    finally:
        await socket.close()


class Session:
    """An open session; iterate over it for its events.

    The iteration ends when the session is closed from this side, or from the other with code 1000; it raises
    `ServerClosed` or `ProtocolError` when the connection ends otherwise.
    """

    def __init__(self, socket: ClientConnection, *, binary: bool) -> None:
        self._socket = socket
        self._binary = binary
        self._shown: Payload = {}
        self._numbers = itertools.count(1)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()  # bounded by `MAX_WAITING`
        # What each `speak` waits for, by the id of its request, then of its response. A response is as long as its
        # text, and that bounds the queue.
        self._speeches: dict[str, asyncio.Queue[Event | None]] = {}
        self._cancellations: set[asyncio.Task[None]] = set()  # of requests given up before their response had an id
        self._responses: dict[int, str] = {}  # those not over, by their order of creation: binary audio names that
        self._ordinals = itertools.count()
        self._closing = False
        self._end: RealtimeError | None = None

    def effective(self, *path: str) -> object:
        """What stands at this path of the session object, as the server took it from `connect`; None for nothing."""
        shown: object = self._shown
        for name in path:
            shown = shown.get(name) if isinstance(shown, dict) else None
        return shown

    async def send(self, event: Payload) -> str:
        """Send any client event and return its `event_id`, which `ServerError` repeats if the server refuses it."""
        message = {"event_id": f"event_{next(self._numbers)}", **event}
        await self._transmit(json.dumps(message))
        return str(message["event_id"])

    async def send_audio(self, pcm: bytes) -> None:
        """Send audio, PCM16, of any length below the server's limit for one message."""
        if self._binary:
            await self._transmit(pcm)
        else:
            await self.send({"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()})

    async def commit(self) -> str:
        """End the utterance here. The server refuses where there is none, naming the event id returned."""
        return await self.send({"type": "input_audio_buffer.commit"})

    async def speak(
        self, text: str, *, voice: str | None = None, speed: float | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Speak `text` verbatim, outside the conversation: its audio, PCM16 at 24 kHz, as it comes.

        Closing the generator cancels the response. Raises `RequestFailed` unless all of the text was spoken.
        """
        output = {"format": {"type": "audio/pcm", "rate": SAMPLE_RATE}, "voice": voice, "speed": speed}
        request_id = f"speak_{next(self._numbers)}"
        response = {
            "conversation": "none",
            "output_modalities": ["audio"],
            "input": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}],
            "audio": {"output": {name: value for name, value in output.items() if value is not None}},
            "metadata": {"client_event_id": request_id},
        }
        mailbox = self._speeches[request_id] = asyncio.Queue()
        speaking: str | None = None
        try:
            await self.send({"type": "response.create", "event_id": request_id, "response": response})
            while True:
                match await mailbox.get():
                    case ResponseCreated(response_id=speaking):
                        pass
                    case AudioChunk(data=data):
                        yield data
                    case ResponseDone(status="completed"):
                        return
                    case ResponseDone(code=code, message=message) | ServerError(code=code, message=message):
                        raise RequestFailed(code, message)
                    case None:
                        raise self._end or ServerClosed(1000, "")
        except (GeneratorExit, asyncio.CancelledError):
            if speaking is not None:
                await self._cancel(speaking)
            else:
                cancellation = asyncio.create_task(self._cancel_once_created(mailbox))
                self._cancellations.add(cancellation)
                cancellation.add_done_callback(self._cancellations.discard)
            raise

    async def _cancel(self, response_id: str) -> None:
        with suppress(RealtimeError):
            await self.send({"type": "response.cancel", "response_id": response_id})

    async def _cancel_once_created(self, mailbox: asyncio.Queue[Event | None]) -> None:
        """Cancel a response nobody wants any more as soon as it has an id, unless it never gets one."""
        match await mailbox.get():
            case ResponseCreated(response_id=response_id):
                await self._cancel(response_id)
            case _:
                pass

    async def close(self) -> None:
        """Close the session. What was not answered yet is lost."""
        self._closing = True
        await self._socket.close()

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
            await self._socket.send(message)
        except ConnectionClosed as closed:
            raise self._end or _server_closed(closed) from None

    async def _configure(self, config: Payload) -> None:
        """Exchange greetings before anything else is read."""
        try:
            await self._expect("session.created")
            await self.send({"type": "session.update", "session": config})
            self._shown = (await self._expect("session.updated")).get("session") or {}
        except ConnectionClosed as closed:
            raise _server_closed(closed) from None

    async def _expect(self, event_type: str) -> Payload:
        while True:
            event = self._parse(await self._socket.recv())
            if isinstance(event, ServerError):
                raise RequestFailed(event.code, event.message)
            self._events.put_nowait(event)
            if event.raw.get("type") == event_type:
                return event.raw
            if event_type == "session.created":
                raise ProtocolError(f"the server began with {event.raw.get('type')} instead of {event_type}")

    async def _read(self) -> None:
        """Deliver what arrives until the connection ends, then tell everybody who waits."""
        try:
            while True:
                self._deliver(self._parse(await self._socket.recv()))
        except ConnectionClosed as closed:
            if closed.rcvd is None or closed.rcvd.code != 1000:
                self._end = _server_closed(closed)
        except ProtocolError as error:
            self._end = error
            await self._socket.close(1002)
        finally:
            for mailbox in (self._events, *self._speeches.values()):
                mailbox.put_nowait(None)

    def _parse(self, message: str | bytes) -> Event:
        try:
            if isinstance(message, bytes):
                number, offset = _BINARY_HEADER.unpack_from(message)
                return AudioChunk(self._responses[number], message[_BINARY_HEADER.size :], offset)
            return parse_event(json.loads(message))
        except (LookupError, TypeError, ValueError, AttributeError, struct.error) as error:
            raise ProtocolError(f"the server sent a message that cannot be understood: {error!r}") from error

    def _deliver(self, event: Event) -> None:
        owner: str | None
        match event:
            case ResponseCreated(response_id=owner, metadata=metadata):
                self._responses[next(self._ordinals)] = owner
                if (asked := self._speeches.pop(metadata.get("client_event_id", ""), None)) is not None:
                    self._speeches[owner] = asked
            case AudioChunk(response_id=owner) | ResponseDone(response_id=owner) | ServerError(event_id=owner):
                pass
            case _:
                owner = event.raw.get("response_id")
        mailbox = self._speeches.get(owner or "", self._events)
        if mailbox is self._events and mailbox.qsize() >= MAX_WAITING:
            raise ProtocolError(f"{MAX_WAITING} events wait and nobody reads them")
        mailbox.put_nowait(event)
        if isinstance(event, ResponseDone | ServerError):
            self._speeches.pop(owner or "", None)
            self._responses = {ordinal: each for ordinal, each in self._responses.items() if each != owner}


async def _open(url: str, api_key: str | None, timeout: float) -> ClientConnection:
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        return await open_socket(
            url,
            additional_headers=headers,
            compression=None,
            open_timeout=timeout,
            ping_timeout=None,  # a server that holds back a fast sender does not read for a while, not even pings
            max_size=MAX_MESSAGE,
        )
    except InvalidStatus as refusal:
        raise ConnectionRefused(_refusal_message(refusal.response), refusal.response.status_code) from None
    except TimeoutError:
        raise ConnectionRefused(f"no answer from {url} within {timeout:g} s") from None
    except (OSError, WebSocketException) as error:
        raise ConnectionRefused(f"cannot connect to {url}: {error}") from error


def _refusal_message(response: Response) -> str:
    """The message of an OpenAI error body, or else what HTTP itself says."""
    try:
        return str(json.loads(response.body)["error"]["message"])
    except (LookupError, TypeError, ValueError):
        return f"HTTP {response.status_code} {response.reason_phrase}"


def _server_closed(closed: ConnectionClosed) -> ServerClosed:
    if closed.rcvd is None:
        return ServerClosed(1006, "the connection broke")
    return ServerClosed(closed.rcvd.code, closed.rcvd.reason)


def _with_query(url: str, query: dict[str, str]) -> str:
    parts = urlsplit(url)
    path = PATH if parts.path in {"", "/"} else parts.path
    return urlunsplit(parts._replace(path=path, query=urlencode(parse_qsl(parts.query) + list(query.items()))))
