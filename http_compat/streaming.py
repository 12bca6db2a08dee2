"""Answers that are sent while they are made, among them server-sent events (WHATWG HTML, 9.2)."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from typing import Any, Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from http_compat.disconnect import while_connected
from http_compat.errors import error_body, request_id
from realtime.errors import VoiceError

EVENTS: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 15.0
"""Events that stay out for longer are bridged with comments: proxies cut connections on which nothing moves."""

HEARTBEAT: Final = b": keep-alive\n\n"

_HEADERS: Final = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def event(body: Mapping[str, Any]) -> bytes:
    """One event: a line of JSON and an empty one. Bytes become base64."""
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


async def streamed(
    request: Request, pieces: AsyncGenerator[bytes, None], holds: AsyncExitStack, *, media_type: str
) -> Response:
    """The answer made of `pieces`, for no longer than somebody listens; it takes with it what the request `holds`.

    The first piece is awaited here, and what befalls it is raised: it can still be an ordinary error. A later failure
    is the last of `EVENTS`. Anything else it breaks off, with the connection: a clean end would pass for the whole.
    """
    await holds.enter_async_context(aclosing(pieces))
    first = await while_connected(request, _next(pieces))
    held = holds.pop_all()
    body = _resumed(first, pieces, held)
    if media_type == EVENTS:
        body = _ending_with_failures(_alive(body, HEARTBEAT_SECONDS), request_id(request))
    return _Streamed(body, held, media_type)


async def _next(pieces: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(pieces, b"")


async def _resumed(
    first: bytes, pieces: AsyncGenerator[bytes, None], held: AsyncExitStack
) -> AsyncGenerator[bytes, None]:
    """Nothing is held any more when the client learns that this was all: it may come again at once."""
    async with held:
        yield first
        async for piece in pieces:
            yield piece


async def _alive(events: AsyncGenerator[bytes, None], seconds: float) -> AsyncGenerator[bytes, None]:
    """The events, and a heartbeat whenever nothing else has come for so many seconds."""
    async with aclosing(events):
        coming = asyncio.create_task(_next(events))
        try:
            while True:
                done, _ = await asyncio.wait({coming}, timeout=seconds)
                if not done:
                    yield HEARTBEAT
                elif each := coming.result():
                    yield each
                    coming = asyncio.create_task(_next(events))
                else:
                    return
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _ending_with_failures(events: AsyncGenerator[bytes, None], identity: str) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(events):
            async for each in events:
                yield each
    except VoiceError as error:
        yield event(error_body(error, identity))


class _Streamed(StreamingResponse):
    def __init__(self, body: AsyncGenerator[bytes, None], held: AsyncExitStack, media_type: str) -> None:
        super().__init__(body, media_type=media_type, headers=_HEADERS)
        self._body = body
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held, aclosing(self._body):
            with suppress(ClientDisconnect):
                await while_connected(Request(scope, receive), self.stream_response(send))
