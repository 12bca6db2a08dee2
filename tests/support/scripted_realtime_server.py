"""A websocket server on the loopback interface that plays a script of the realtime protocol, to test clients."""

import asyncio
import base64
import itertools
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

Result = TypeVar("Result")
Message: TypeAlias = dict[str, Any]
TRANSCRIPTION = "conversation.item.input_audio_transcription"


class Peer:
    """The server's end of a connection."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    @property
    def request(self) -> Request:
        assert self.connection.request is not None
        return self.connection.request

    async def receive(self, event_type: str) -> Message:
        """Return the next message of this type; skip those before it."""
        while True:
            message = json.loads(await self.connection.recv())
            if message["type"] == event_type:
                assert isinstance(message, dict)
                return message

    async def send(self, *messages: Message) -> None:
        for message in messages:
            await self.connection.send(json.dumps({"event_id": "event_s", **message}))

    async def greet(self, effective: Message | None = None) -> Message:
        """Open the session and return the requested configuration; confirm `effective` or else the requested one."""
        await self.send({"type": "session.created", "session": {"id": "sess_1"}})
        update = await self.receive("session.update")
        session = update["session"]
        assert isinstance(session, dict)
        await self.send({"type": "session.updated", "session": effective or session})
        return session

    async def refuse_commit(self, commit: Message) -> None:
        await self.send(error("input_audio_buffer_commit_empty", "buffer too small", commit["event_id"]))


Script: TypeAlias = Callable[[Peer], Awaitable[None]]


def meet(
    script: Script,
    client: Callable[[str], Awaitable[Result]],
    *,
    refusal: tuple[HTTPStatus, str] | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    refusals: float = math.inf,
) -> Result:
    """Run a client against a script and return the client's result; an error on either side is raised.

    The first `refusals` connections get `refusal`, if there is one, with these `headers`.
    """
    refused = itertools.count()

    async def play() -> Result:
        played: list[asyncio.Future[None]] = []

        async def handle(connection: ServerConnection) -> None:
            playing = asyncio.ensure_future(script(Peer(connection)))
            played.append(playing)
            await asyncio.wait([playing])
            if playing.exception() is None:
                await connection.wait_closed()

        def answer(connection: ServerConnection, _request: Request) -> Response | None:
            if refusal is None or next(refused) >= refusals:
                return None
            response = connection.respond(*refusal)
            response.headers.update(headers)
            return response

        async with asyncio.timeout(20), serve(handle, "127.0.0.1", 0, process_request=answer) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            result = await client(f"ws://127.0.0.1:{port}/v1/realtime")
            await asyncio.gather(*played)
        return result

    return asyncio.run(play())


def error(code: str, message: str, event_id: str | None = None) -> Message:
    body = {"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id, "param": None}
    return {"type": "error", "error": body}


def started(item: str) -> Message:
    return {"type": "input_audio_buffer.speech_started", "item_id": item, "audio_start_ms": 180}


def stopped(item: str) -> Message:
    return {"type": "input_audio_buffer.speech_stopped", "item_id": item, "audio_end_ms": 1980}


def committed(item: str, previous: str | None = None) -> Message:
    return {"type": "input_audio_buffer.committed", "item_id": item, "previous_item_id": previous}


def delta(item: str, text: str) -> Message:
    return {"type": f"{TRANSCRIPTION}.delta", "item_id": item, "content_index": 0, "delta": text}


def partial(item: str, stable: str, tentative: str) -> Message:
    return {
        "type": "x.transcription.partial",
        "item_id": item,
        "stable": stable,
        "text": tentative,
        "audio_end_ms": 900,
    }


def completed(item: str, transcript: str, **more: object) -> Message:
    usage = {"type": "duration", "seconds": 1.8}
    transcribed = {"item_id": item, "content_index": 0, "transcript": transcript, "usage": usage}
    return {"type": f"{TRANSCRIPTION}.completed", **transcribed, **more}


def failed(item: str, message: str) -> Message:
    body = {"type": "transcription_error", "code": "engine_failed", "message": message}
    return {"type": f"{TRANSCRIPTION}.failed", "item_id": item, "content_index": 0, "error": body}


def response_created(request: Message) -> Message:
    body = {"id": "resp_1", "status": "in_progress", "metadata": request["response"]["metadata"]}
    return {"type": "response.created", "response": body}


def audio(pcm: bytes, response: str = "resp_1") -> Message:
    return {"type": "response.output_audio.delta", "response_id": response, "delta": base64.b64encode(pcm).decode()}


def response_done(status: str = "completed", details: Message | None = None) -> Message:
    return {"type": "response.done", "response": {"id": "resp_1", "status": status, "status_details": details}}


def response_failed(code: str, message: str) -> Message:
    body = {"type": "server_error", "code": code, "message": message}
    return response_done("failed", {"type": "failed", "error": body})
