"""Requests that no HTTP client sends, made directly to an ASGI application."""

import asyncio

from starlette.types import ASGIApp, Message, Send


async def post(app: ASGIApp, path: str, content_type: str, body: bytes, send: Send, *, whole: bool = True) -> None:
    """Post `body` and stay connected until the response. Unless it is `whole`, more is announced and never arrives."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": not whole}]

    async def receive() -> Message:
        return messages.pop() if messages else await asyncio.get_running_loop().create_future()

    scope = {
        "type": "http", "method": "POST", "path": path, "query_string": b"", "root_path": "",
        "headers": [(b"content-type", content_type.encode())],
    }  # fmt: skip
    async with asyncio.timeout(10):
        await app(scope, receive, send)
