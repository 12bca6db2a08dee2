"""A session that is sent the audio of a source, and opened again when it is lost."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial

from clients.aio import Session, open_session
from clients.arguments import check_numbers
from clients.kept_audio import KeptAudio
from clients.loop_thread import iterate_in_thread
from clients.options import SessionOptions
from clients.reconnecting import ReconnectingSession, open_reconnecting
from clients.sources import PcmReader, Piece, Source, pieces_of


@asynccontextmanager
async def open_fed(
    source: Source,
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
    Raises `TypeError` or `ValueError` for arguments of another type, before anything is opened.
    """
    pieces = pieces_of(source)
    check_numbers(reconnect_seconds=reconnect_seconds, open_timeout=open_timeout)
    audio = KeptAudio(options.rate)
    opening = partial(
        open_session, url, options, api_key=api_key, resume_seconds=reconnect_seconds, open_timeout=open_timeout
    )
    async with open_reconnecting(
        opening, audio, reconnect_seconds=reconnect_seconds, greet=greet, ends=ends
    ) as session:
        sending = asyncio.create_task(feed(session, audio, pieces, final_silence))
        try:
            yield session, sending
        finally:
            await cancel(sending)


async def feed(
    session: ReconnectingSession,
    audio: KeptAudio,
    source: AsyncIterable[Piece] | Iterable[Piece],
    final_silence: float = 0.0,
) -> None:
    """Send a source to its end, or to where it fails, then seconds of silence, and finish the session.

    Raises what the source raises, and `TypeError` or `ValueError` if it yields anything but PCM16.
    """
    reader = PcmReader()
    pieces = aiter(source) if isinstance(source, AsyncIterable) else iterate_in_thread(source)
    try:
        async for piece in pieces:
            audio.add(reader.read(piece))
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
