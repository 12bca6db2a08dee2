"""Requests put to an application without a client, for what no client would do."""

import asyncio

from starlette.types import ASGIApp, Message, Send


async def post(app: ASGIApp, path: str, content_type: str, body: bytes, send: Send, *, whole: bool = True) -> None:
    """Post `body`; unless it is `whole`, more is promised and never comes. The client stays until it is answered."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": not whole}]

    async def receive() -> Message:
        return messages.pop() if messages else await asyncio.get_running_loop().create_future()

    scope = {
        "type": "http", "method": "POST", "path": path, "query_string": b"", "root_path": "",
        "headers": [(b"content-type", content_type.encode())],
    }  # fmt: skip
    async with asyncio.timeout(10):
        await app(scope, receive, send)
