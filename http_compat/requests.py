"""What every endpoint needs of its request: a body with bounds, and an end to the work when the client goes away."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from http_compat.errors import BodyTimeout
from realtime.errors import TooLarge

T = TypeVar("T")


def limited(request: Request, max_bytes: int, idle_seconds: float) -> Request:
    """The same request, with a body of at most `max_bytes` whose every piece comes within `idle_seconds`.

    Reading the body raises `TooLarge` or `BodyTimeout` where it is otherwise. The bytes are counted because a
    `Content-Length` may be absent. The connection stays open: with `Connection: close` Node's client reports a network
    error instead of the 413.
    """
    received = 0

    async def receive() -> Message:
        nonlocal received
        try:
            async with asyncio.timeout(idle_seconds):
                message = await request.receive()
        except TimeoutError:
            raise BodyTimeout(f"Nothing more of the body has come for {idle_seconds:g} seconds.") from None
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise TooLarge(f"Maximum content size limit ({max_bytes}) exceeded.")
        return message

    return Request(request.scope, receive)


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do `work` unless the client goes away first: then cancel it and raise `ClientDisconnect`.

    The request's body must have been read.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_departure(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
