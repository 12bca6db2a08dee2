"""A session that is sent the audio of a source, and opened again when it is lost."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

from clients.aio import Session, open_session
from clients.kept_audio import KeptAudio
from clients.loop_thread import iterate_in_thread
from clients.options import SessionOptions
from clients.reconnecting import ReconnectingSession, open_reconnecting

Pcm: TypeAlias = "bytes | bytearray | AsyncIterable[bytes] | Iterable[bytes]"
"""PCM16, whole or in pieces of any length. A plain iterable may block; it runs in a thread."""


@asynccontextmanager
async def open_fed(
    source: Pcm,
    options: SessionOptions,
    url: str,
    *,
    api_key: str | None,
    reconnect_seconds: float,
    open_timeout: float,
    greet: Callable[[Session], Awaitable[None]] | None = None,
    ends: bool = True,
    final_silence: float = 0.0,
) -> AsyncIterator[tuple[ReconnectingSession, asyncio.Task[None]]]:
    """Open a session and send it a source; yield it, and the task that sends.

    `greet` and `ends` are those of `open_reconnecting`, whose errors this raises, `final_silence` that of `feed`.
    """
    audio = KeptAudio(options.rate)
    opening = partial(
        open_session, url, options, api_key=api_key, resume_seconds=reconnect_seconds, open_timeout=open_timeout
    )
    async with open_reconnecting(
        opening, audio, reconnect_seconds=reconnect_seconds, greet=greet, ends=ends
    ) as session:
        sending = asyncio.create_task(feed(session, audio, source, final_silence))
        try:
            yield session, sending
        finally:
            await cancel(sending)


async def feed(session: ReconnectingSession, audio: KeptAudio, source: Pcm, final_silence: float = 0.0) -> None:
    """Send a source to its end, or to where it fails, then seconds of silence, and finish the session.

    Raises what the source raises, and `TypeError` if it yields anything but bytes.
    """
    if isinstance(source, bytes | bytearray):
        source = [bytes(source)]
    pieces = aiter(source) if isinstance(source, AsyncIterable) else iterate_in_thread(source)
    try:
        async for pcm in pieces:
            if not isinstance(pcm, bytes | bytearray | memoryview):
                raise TypeError(f"a source yields PCM16 as bytes, not {type(pcm).__name__}")
            audio.add(pcm)
            await session.send_audio()
    finally:
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            audio.add_silence(final_silence)
            await session.finish()
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


async def cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it has ended."""
    task.cancel()
    await asyncio.wait([task])
