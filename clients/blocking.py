"""The library for programs without asyncio: the same functions and events, as iterators and blocks that wait.

    with caption("talk.mp3") as captions:
        for event in captions:
            ...

Each block runs an event loop in a thread of its own. It belongs to the thread that has opened it; others may open
blocks of their own.
"""

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    aclosing,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from typing import Final, Generic, ParamSpec, TypeVar

import clients.captions
import clients.conversation
import clients.microphone
import clients.speech
from clients.events import Event
from clients.loop_thread import LoopThread
from clients.recordings import models, subtitles, transcribe, voices

__all__ = [
    "Events",
    "Microphone",
    "caption",
    "converse",
    "models",
    "open_microphone",
    "speak",
    "subtitles",
    "transcribe",
    "voices",
]

CLOSE_SECONDS: Final = 15.0
"""Seconds in which a session is closed at the end of a block; it is left behind after that."""

Arguments = ParamSpec("Arguments")
Item = TypeVar("Item")


class Events(Generic[Item]):
    """What an asynchronous iterator yields, for a program that waits."""

    def __init__(self, thread: LoopThread, items: AsyncIterator[Item]) -> None:
        self._thread = thread
        self._items = items

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        waiting = self._thread.submit(self._next())
        try:
            return waiting.result()
        except StopAsyncIteration:
            raise StopIteration from None
        finally:
            waiting.cancel()  # after Ctrl-C

    async def _next(self) -> Item:
        return await anext(self._items)


class Microphone(Events[bytes]):
    """Recorded frames; the iteration ends after `stop`, which any thread may call."""

    def __init__(self, thread: LoopThread, microphone: clients.microphone.Microphone) -> None:
        super().__init__(thread, microphone)
        self._microphone = microphone

    def stop(self) -> None:
        """End the recording; what has been recorded can still be read."""
        self._thread.call(self._microphone.stop)


@contextmanager
def open_microphone(device: str | None = None) -> Iterator[Microphone]:
    """Record while the block runs.

    Args:
        device: Number or name of the device, or a part of its name. Default: the system's default device.

    Raises:
        UnknownDevice: There is no such device, or there are several.
        SoundUnavailable: Nothing can be recorded.
    """

    @asynccontextmanager
    async def opening() -> AsyncIterator[clients.microphone.Microphone]:
        with clients.microphone.open_microphone(device) as microphone:
            yield microphone

    with _opened(opening()) as (thread, microphone):
        yield Microphone(thread, microphone)


def _block(
    opening: Callable[Arguments, AbstractAsyncContextManager[AsyncIterator[Event]]],
) -> Callable[Arguments, AbstractContextManager[Events[Event]]]:
    """Make a block that waits of one that does not."""

    @functools.wraps(opening)
    @contextmanager
    def block(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Iterator[Events[Event]]:
        with _opened(opening(*args, **kwargs)) as (thread, events):
            yield Events(thread, events)

    return block


def _iterator(
    function: Callable[Arguments, AsyncGenerator[bytes, None]],
) -> Callable[Arguments, Generator[bytes, None, None]]:
    """Make a generator that waits of one that does not."""

    @functools.wraps(function)
    def generator(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Generator[bytes, None, None]:
        with _opened(aclosing(function(*args, **kwargs))) as (thread, chunks):
            yield from Events(thread, chunks)

    return generator


@contextmanager
def _opened(context: AbstractAsyncContextManager[Item]) -> Iterator[tuple[LoopThread, Item]]:
    """Run an asynchronous block in a thread of its own."""

    async def enter() -> Item:
        return await context.__aenter__()

    async def leave() -> None:
        await context.__aexit__(None, None, None)

    thread = LoopThread("vivavoce client")
    try:
        entering = thread.submit(enter())
        try:
            item = entering.result()
        finally:
            entering.cancel()  # after Ctrl-C
        try:
            yield thread, item
        finally:
            with suppress(TimeoutError):
                thread.submit(leave()).result(CLOSE_SECONDS)
    finally:
        thread.stop()
        thread.join(CLOSE_SECONDS)


caption = _block(clients.captions.caption)
converse = _block(clients.conversation.converse)
speak = _iterator(clients.speech.speak)
