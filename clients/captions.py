"""Captions of a microphone, a file, or anything that yields PCM, over any number of connections."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from clients.aio import DEFAULT_URL, OPEN_TIMEOUT, open_session
from clients.errors import RequestFailed
from clients.events import Event, ServerError
from clients.kept_audio import KeptFile, KeptPcm
from clients.loop_thread import iterate_in_thread
from clients.options import SAMPLE_RATE, SessionOptions
from clients.reconnecting import RECONNECT_SECONDS, ReconnectingSession, open_reconnecting

Source: TypeAlias = "str | Path | AsyncIterable[bytes] | Iterable[bytes]"
"""A file in a container, or PCM16 in pieces of any length. A plain iterable may block; it runs in a thread."""


@asynccontextmanager
async def caption(
    source: Source,
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    model: str | None = None,
    language: str | None = None,
    prompt: str | None = None,
    keywords: Iterable[str] = (),
    translate: bool = False,
    silence_ms: int | None = None,
    rate: int = SAMPLE_RATE,
    reconnect_seconds: float = RECONNECT_SECONDS,
    open_timeout: float = OPEN_TIMEOUT,
) -> AsyncIterator["Captions"]:
    """Caption a source; the block ends it.

    Args:
        source: A path, or PCM16 mono at `rate` Hz in pieces of any length, as `open_microphone` and `play` yield it. A
            file is sent as it is, and as fast as the server takes it.
        url: Address of the server, `ws`, `wss`, `http` or `https`.
        api_key: Key of the server, if it needs one.
        model: Recognizer. Default: the server's.
        language: Language spoken, such as `en`. Default: detected for each turn.
        prompt: What the recording is about.
        keywords: Names and words to expect.
        translate: Caption in English, whatever language is spoken.
        silence_ms: Silence in milliseconds that ends a turn. Default: the server's.
        rate: Sample rate in Hz: 8000, 16000, 24000 or 48000.
        reconnect_seconds: Seconds after a loss in which a session is opened again; 0 for never.
        open_timeout: Seconds allowed for connecting, and again for opening a session.

    Raises:
        OSError: The file cannot be read.
        RequestFailed: The file is in no container that the server takes live (`invalid_file_format`), or the server
            refuses the configuration.
        ConnectionRefused: The server cannot be reached, refuses the client or does not answer in time.
        ProtocolError: The server does not speak the protocol.
    """
    options = SessionOptions(
        model=model,
        language=language,
        prompt=prompt,
        keywords=tuple(keywords),
        translate=translate,
        rate=rate,
        silence_ms=silence_ms,
        partials=True,
        binary=True,
    )
    async with AsyncExitStack() as stack:
        file = _open(stack, Path(source)) if isinstance(source, str | Path) else None
        audio: KeptFile | KeptPcm = file or KeptPcm(rate)
        options = replace(options, container=file.media_type if file else None)
        opening = partial(
            open_session, url, options, api_key=api_key, resume_seconds=reconnect_seconds, open_timeout=open_timeout
        )
        session = await stack.enter_async_context(
            open_reconnecting(opening, audio, reconnect_seconds=reconnect_seconds)
        )
        if isinstance(source, str | Path) or isinstance(audio, KeptFile):
            sending = asyncio.create_task(_finish(session))
        else:
            sending = asyncio.create_task(feed(session, audio, source))
        stack.push_async_callback(cancel, sending)
        yield Captions(session, sending, is_file=file is not None)


def _open(stack: AsyncExitStack, path: Path) -> KeptFile:
    file = KeptFile(path)
    stack.callback(file.close)
    if file.media_type is None:
        raise RequestFailed("invalid_file_format", f"{path} is in no container that the server captions as it comes")
    return file


class Captions:
    """The events of a captioned source; the iteration ends when its last turn has its transcript.

    It raises what the source raised, and `RealtimeError` when there is no session any more.
    """

    def __init__(self, session: ReconnectingSession, sending: asyncio.Task[None], *, is_file: bool) -> None:
        self._session = session
        self._sending = sending
        self._is_file = is_file

    def __aiter__(self) -> "Captions":
        return self

    async def __anext__(self) -> Event:
        try:
            event = await anext(self._session)
        except StopAsyncIteration:
            if self._sending.done():
                self._sending.result()
            raise
        match event:
            case ServerError(code="invalid_file_format" as code, message=message) if self._is_file:
                raise RequestFailed(code, message)
            case _:
                return event


async def feed(
    session: ReconnectingSession,
    audio: KeptPcm,
    source: AsyncIterable[bytes] | Iterable[bytes],
    final_silence: float = 0.0,
) -> None:
    """Send a source to its end, or to where it fails, then seconds of silence, and finish the session."""
    pieces = aiter(source) if isinstance(source, AsyncIterable) else iterate_in_thread(source)
    try:
        async for pcm in pieces:
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


async def _finish(session: ReconnectingSession) -> None:
    await session.finish()
