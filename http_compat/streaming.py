"""Responses that are sent while they are created, among them server-sent events (WHATWG HTML, 9.2)."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
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
"""Media type of server-sent events."""

HEARTBEAT_SECONDS: Final = 15.0
"""Seconds without an event after which a comment is sent: proxies close idle connections, often after 30 s or 60 s."""

HEARTBEAT: Final = b": keep-alive\n\n"
"""A comment, which clients ignore."""

_HEADERS: Final = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def event(body: Mapping[str, Any]) -> bytes:
    """Encode one event with a JSON body, in which bytes become base64."""
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


async def streamed(
    request: Request, chunks: AsyncGenerator[bytes, None], resources: AsyncExitStack, *, media_type: str
) -> Response:
    """Return a response made of `chunks`, which ends when the client disconnects.

    The response takes over `resources` and releases them before its last chunk is sent, so a client that has read the
    whole response can send the next request at once. The first chunk is awaited here, so an error before it is an
    ordinary error response. A later error is the last of `EVENTS`; a response of another type is cut off together with
    the connection, because a regular end would pass for a complete response.
    """
    await resources.enter_async_context(aclosing(chunks))
    first = await while_connected(request, _next(chunks))
    owned = resources.pop_all()
    body = _releasing(first, chunks, owned)
    if media_type == EVENTS:
        body = _with_final_error(interspersed(body, HEARTBEAT_SECONDS, lambda: HEARTBEAT), request_id(request))
    return _StreamedResponse(body, owned, media_type)


async def _next(chunks: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(chunks, b"")


async def _releasing(
    first: bytes, chunks: AsyncGenerator[bytes, None], resources: AsyncExitStack
) -> AsyncGenerator[bytes, None]:
    """Yield all chunks and release the resources, before the consumer learns that there are no more."""
    async with resources:
        yield first
        async for chunk in chunks:
            yield chunk


async def interspersed(
    chunks: AsyncGenerator[bytes, None], seconds: float, between: Callable[[], bytes]
) -> AsyncGenerator[bytes, None]:
    """Yield the chunks, and what `between` returns whenever there is none for `seconds`, unless that is empty."""
    async with aclosing(chunks):
        pending = asyncio.create_task(_next(chunks))
        try:
            while True:
                done, _ = await asyncio.wait({pending}, timeout=seconds)
                if not done:
                    if each := between():
                        yield each
                elif each := pending.result():
                    yield each
                    pending = asyncio.create_task(_next(chunks))
                else:
                    return
        finally:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)


async def _with_final_error(events: AsyncGenerator[bytes, None], identity: str) -> AsyncGenerator[bytes, None]:
    """Yield the events, and an error as the last one."""
    try:
        async with aclosing(events):
            async for each in events:
                yield each
    except VoiceError as error:
        yield event(error_body(error, identity))


class _StreamedResponse(StreamingResponse):
    def __init__(self, body: AsyncGenerator[bytes, None], resources: AsyncExitStack, media_type: str) -> None:
        super().__init__(body, media_type=media_type, headers=_HEADERS)
        self._body = body
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._resources, aclosing(self._body):
            with suppress(ClientDisconnect):
                await while_connected(Request(scope, receive), self.stream_response(send))
