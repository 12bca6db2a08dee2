"""The link of a session that ends: what still waits is sent before the last messages."""

import asyncio
from typing import cast

from starlette.websockets import WebSocket

from realtime.edge.driver import Driver
from realtime.edge.link import Link
from realtime.errors import SessionIdle
from realtime.wire.codec import Close


class Socket:
    """A websocket that notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[str | int] = []

    async def send_text(self, text: str) -> None:
        self.sent.append(text)

    async def close(self, code: int, _: str) -> None:
        self.sent.append(code)


def test_a_message_of_the_moment_in_which_a_session_ends_is_sent_before_the_error() -> None:
    socket = Socket()

    async def end() -> None:
        link = Link(cast("WebSocket", socket), send_timeout=1.0)

        async def speak_and_fail(group: asyncio.TaskGroup) -> None:
            link.serve(cast("Driver", None), group)
            await link.put("response.done")
            raise SessionIdle("Received nothing.")  # before the task that sends has begun

        try:
            async with asyncio.TaskGroup() as group:
                await speak_and_fail(group)
        except* SessionIdle:
            await link.close(["error", Close(1001, "session_idle")])

    asyncio.run(end())
    assert socket.sent == ["response.done", "error", 1001]
