"""asyncio client of `WS /v1/realtime`: the OpenAI Realtime protocol with the extensions `partials` and `binary`.

    async with connect("ws://127.0.0.1:8000/v1/realtime", partials=True) as session:
        await session.send_audio(frame)
        async for event in session:
            ...

`clients.session` is the session.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from websockets.asyncio.client import ClientConnection

from clients.arguments import check_numbers
from clients.connection import PATH, open_connection
from clients.errors import ConnectionRefused
from clients.options import SAMPLE_RATE, SessionOptions
from clients.resuming import RESUME_SECONDS, ResumableConnection
from clients.session import Session

__all__ = ["DEFAULT_URL", "PATH", "SAMPLE_RATE", "Session", "connect", "open_session"]

DEFAULT_URL: Final = f"ws://127.0.0.1:8000{PATH}"

OPEN_TIMEOUT: Final = 10.0
"""Seconds allowed by default for connecting, and again for opening the session."""


@asynccontextmanager
async def connect(
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    transcription: bool = True,
    model: str | None = None,
    language: str | None = None,
    prompt: str | None = None,
    translate: bool = False,
    voice: str | None = None,
    rate: int = SAMPLE_RATE,
    turn_detection: bool = True,
    silence_ms: int | None = None,
    partials: bool = False,
    finals_only: bool = False,
    binary: bool = False,
    resume_seconds: float = RESUME_SECONDS,
    open_timeout: float = OPEN_TIMEOUT,
) -> AsyncIterator[Session]:
    """Open a session, which is closed when the block ends.

    Args:
        url: Address of the server, `ws`, `wss`, `http` or `https`; one without a path, or up to `/v1`, gets `PATH`.
        api_key: Key sent as `Authorization: Bearer`.
        transcription: Open a transcription session; otherwise a conversation, which can also `speak`.
        model: Recognizer of a transcription session, or model of a conversation. Default: the server's.
        language: Language spoken, such as `en`. Default: detected.
        prompt: Names and words to expect.
        translate: Transcribe into English, whatever language is spoken.
        voice: Voice of a conversation, which `transcription` is not. Default: the server's.
        rate: Sample rate in Hz of the audio that will be sent.
        turn_detection: Let the server detect the end of a turn; otherwise `commit` ends it.
        silence_ms: Silence in milliseconds that ends a turn. Default: the server's.
        partials: Receive `Partial` events, and words with times in `Completed`.
        finals_only: Transcribe each part of a turn as a whole: `Delta` events come in pauses only, the server has less
            work, and the same audio has the same words unless the server is busy.
        binary: Exchange audio in binary messages instead of base64.
        resume_seconds: Seconds after a lost connection in which the session is resumed, if the server can; 0 for never.
        open_timeout: Seconds allowed for connecting, and again for opening the session.

    Raises:
        ConnectionRefused: The server cannot be reached, refuses the client or does not answer in time.
        ProtocolError: The server does not speak the protocol.
        RequestFailed: The server refuses the configuration, or does not have the model, the language or the voice.
        ServerClosed: The server closed the connection before the session was open.
        TypeError: An argument has the wrong type, which the message names.
        ValueError: A number is negative, there is a `voice` for a session that does not speak, or `partials` are
            wanted beside `finals_only`.
    """
    options = SessionOptions(
        transcription=transcription,
        model=model,
        language=language,
        prompt=prompt,
        translate=translate,
        voice=voice,
        rate=rate,
        turn_detection=turn_detection,
        silence_ms=silence_ms,
        partials=partials,
        finals_only=finals_only,
        binary=binary,
    )
    check_numbers(resume_seconds=resume_seconds, open_timeout=open_timeout)
    async with open_session(
        url, options, api_key=api_key, resume_seconds=resume_seconds, open_timeout=open_timeout
    ) as session:
        yield session


@asynccontextmanager
async def open_session(
    url: str,
    options: SessionOptions,
    *,
    api_key: str | None = None,
    resume_seconds: float = RESUME_SECONDS,
    open_timeout: float = OPEN_TIMEOUT,
) -> AsyncIterator[Session]:
    """Open a session with these options; arguments and errors are those of `connect`."""

    async def reopen(query: dict[str, str], token: str) -> ClientConnection:
        return await open_connection(url, query, api_key, open_timeout, token=token)

    query = replace(options, resume=resume_seconds > 0).query()
    socket = await open_connection(url, query, api_key, open_timeout)
    connection = ResumableConnection(socket, reopen, seconds=resume_seconds, open_timeout=open_timeout)
    try:
        session = Session(connection, binary=options.binary)
        try:
            async with asyncio.timeout(open_timeout):
                await session._configure(options)
        except TimeoutError:
            raise ConnectionRefused(f"the server did not open a session within {open_timeout:g} s") from None
        reader = asyncio.create_task(session._read())
        try:
            yield session
        finally:
            await session.close()
            await asyncio.wait([reader])
            for cancellation in session._cancellations:
                cancellation.cancel()
        reader.result()
    finally:
        await connection.close()
