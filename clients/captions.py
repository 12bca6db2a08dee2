"""Captions of a microphone, a file, or anything that yields PCM, over any number of connections."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from functools import partial

from clients.aio import DEFAULT_URL, OPEN_TIMEOUT
from clients.arguments import check_numbers, strings_of
from clients.backoff import Attempts
from clients.errors import ConnectionRefused, ServerClosed
from clients.events import Completed, Disconnected, Event, Reconnected
from clients.feeding import open_fed
from clients.loop_thread import iterate_in_thread
from clients.options import SAMPLE_RATE, SessionOptions
from clients.reconnecting import RECONNECT_SECONDS, ReconnectingSession
from clients.recordings import DEFAULT_MODEL, stream
from clients.sources import Source, is_recording


@asynccontextmanager
async def caption(
    source: Source,
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    model: str | None = None,
    language: str | None = None,
    prompt: str | None = None,
    keywords: str | Iterable[str] = (),
    translate: bool = False,
    silence_ms: int | None = None,
    rate: int = SAMPLE_RATE,
    reconnect_seconds: float = RECONNECT_SECONDS,
    open_timeout: float = OPEN_TIMEOUT,
) -> AsyncIterator[AsyncIterator[Event]]:
    """Caption a source; the block ends it.

    Args:
        source: PCM16 mono at `rate` Hz, whole or in pieces of any length, as `open_microphone` and `play` yield it:
            bytes, or samples of 16 bits. Or a recording, which is uploaded as it is, and whose segments come as
            `Completed` as they are transcribed: the path of a file, or bytes or a file object that begin as a file of
            audio does.
        url: Address of the server, `ws`, `wss`, `http` or `https`.
        api_key: Key of the server, if it needs one.
        model: Recognizer. Default: the server's.
        language: Language spoken, such as `en`. Default: detected for each turn.
        prompt: What the recording is about.
        keywords: Names and words to expect, or one.
        translate: Caption in English, whatever language is spoken.
        silence_ms: Silence in milliseconds that ends a turn of live audio. Default: the server's.
        rate: Sample rate in Hz: 8000, 16000, 24000 or 48000.
        reconnect_seconds: Seconds after a loss in which a session is opened again; 0 for never.
        open_timeout: Seconds allowed for connecting, and again for opening a session.

    For a file, errors are raised when its events are read; so are those of a server that is full or loading, which is
    asked again for 45 s (`Disconnected`, then `Reconnected`).

    Raises:
        OSError: The file cannot be read.
        TypeError: An argument has the wrong type, which the message names; or, when the events are read, the source
            yields something else than PCM16.
        ValueError: A number is negative; or, when the events are read, the source yields an encoded file in pieces.
        RequestFailed: The server does not have the model (`model_not_found`) or the language (`invalid_value`), refuses
            the configuration, or cannot read the file (`invalid_file_format`).
        ConnectionRefused: The server cannot be reached, refuses the client or does not answer in time.
        ProtocolError: The server does not speak the protocol.
    """
    check_numbers(reconnect_seconds=reconnect_seconds, open_timeout=open_timeout)
    options = SessionOptions(
        model=model,
        language=language,
        prompt=prompt,
        keywords=strings_of("keywords", keywords),
        translate=translate,
        rate=rate,
        silence_ms=silence_ms,
        partials=True,
        binary=True,
    )
    if is_recording(source):
        fields = {"model": model or DEFAULT_MODEL, "language": language, "prompt": prompt}
        given = [*fields.items(), *(("keywords[]", each) for each in options.keywords)]
        request = partial(stream, source, url, api_key=api_key, translate=translate, fields=given)
        async with aclosing(caption_file(request, reconnect_seconds)) as events:
            yield events
        return
    async with open_fed(
        source, options, url, api_key=api_key, reconnect_seconds=reconnect_seconds, open_timeout=open_timeout
    ) as (session, sending):
        yield _Captions(session, sending)


async def caption_file(
    request: Callable[[], Iterator[Completed | None]], patience: float
) -> AsyncGenerator[Event, None]:
    """Yield the segments of a recording as `Completed`; ask again when the answer breaks off, and yield the others.

    A recording is cut into the same segments each time, so that those before the end of the last one are known.
    """
    clock = asyncio.get_running_loop().time
    attempts = Attempts(patience)
    given, is_lost = 0, False
    while True:
        try:
            async with aclosing(iterate_in_thread(request())) as segments:
                number = 0
                async for segment in segments:
                    if is_lost:
                        is_lost = False
                        yield Reconnected()
                    if segment is not None:
                        number += 1
                    if segment is not None and number > given:
                        given = number
                        attempts.succeed()
                        yield segment
        except (ConnectionRefused, ServerClosed) as error:
            asked = isinstance(error, ConnectionRefused) and error.retry_after is not None
            delay = attempts.delay_after(error, clock()) if given or is_lost or asked else None
            if delay is None:
                raise
            is_lost = True
            yield Disconnected(str(error), delay)
            await asyncio.sleep(delay)
        else:
            return


class _Captions:
    """The events of a captioned source; the iteration ends when its last turn has its transcript.

    It raises what the source raised, and `RealtimeError` when there is no session any more.
    """

    def __init__(self, session: ReconnectingSession, sending: asyncio.Task[None]) -> None:
        self._session = session
        self._sending = sending

    def __aiter__(self) -> "_Captions":
        return self

    async def __anext__(self) -> Event:
        try:
            return await anext(self._session)
        except StopAsyncIteration:
            if self._sending.done():
                self._sending.result()
            raise
