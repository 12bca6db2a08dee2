"""A session that is opened again by itself after its connection was lost.

Three parts decide what a lost connection means, and nothing else does: `clients.backoff` when another session is
opened, `clients.kept_audio` which audio it is sent again, and `clients.turns` what of its transcripts is new.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from clients.backoff import Attempts
from clients.errors import ConnectionRefused, ProtocolError, RealtimeError
from clients.events import Disconnected, Event, Payload, Reconnected, ServerError
from clients.first_session import FULL_SECONDS, Opening
from clients.kept_audio import KeptAudio
from clients.session import Session
from clients.turns import Turns

RECONNECT_SECONDS: Final = 60.0
"""Seconds after a loss in which a session is opened again by default."""

STABLE_SECONDS: Final = 10.0
"""Seconds after which a session counts as stable: a loss after that is a new one, with all the time again."""

RESULT_SECONDS: Final = 60.0
"""Seconds without any event, once all audio has been sent, after which outstanding transcripts are given up."""


@asynccontextmanager
async def open_reconnecting(
    opening: Opening,
    audio: KeptAudio,
    *,
    reconnect_seconds: float = RECONNECT_SECONDS,
    greet: Callable[[Session], Awaitable[None]] | None = None,
    ends: bool = True,
) -> AsyncIterator["ReconnectingSession"]:
    """Open a session that `opening` opens again when it is lost; it is closed when the block ends.

    `greet` is called with each new session before it is sent audio. Unless the iteration `ends` when everything has its
    transcript, it goes on until `end`, and yields what `ends_audio`. If the server is full or loading (`Retry-After`),
    or does not answer yet, the block begins without a session, and the iteration says so and asks again, for
    `FULL_SECONDS` at most; any other refusal of the first session raises at once.

    Raises:
        ConnectionRefused: The first session cannot be opened.
    """
    session = ReconnectingSession(opening, audio, reconnect_seconds, greet, ends=ends)
    try:
        await session._open_first(min(FULL_SECONDS, reconnect_seconds))
        yield session
    finally:
        await session.close()


class ReconnectingSession:
    """A session over any number of connections; iterate over it to receive its events.

    The times of turns are those of all audio. The iteration also opens lost sessions again: it yields `Disconnected`
    for each failed attempt, then `Reconnected`. It ends after `finish` when every turn has its transcript, or when the
    server ends the session with code 1000. It raises `RealtimeError` when no other session can be opened, after the
    text of unfinished turns as `Completed`.
    """

    def __init__(
        self,
        opening: Opening,
        audio: KeptAudio,
        reconnect_seconds: float,
        greet: Callable[[Session], Awaitable[None]] | None,
        *,
        ends: bool,
    ) -> None:
        self._opening = opening
        self._audio = audio
        self._patience = reconnect_seconds
        self._attempts = Attempts(reconnect_seconds)
        self._greet = greet
        self._ends = ends
        self._turns = Turns()
        self._stack = AsyncExitStack()
        self._session: Session | None = None
        self._opened = asyncio.Event()
        self._sending = asyncio.Lock()
        self._flushing: asyncio.Task[None] | None = None
        self._said: deque[Event] = deque()  # a few events for each of the server's
        self._failure: RealtimeError | None = None
        self._refusal: RealtimeError | None = None  # the last one
        self._retry_at = self._opened_at = self._first_until = 0.0
        self._finishing = False
        self._final_commits: list[str] = []
        self._commits_answered = False
        self._finished = False
        self._untranscribed = 0
        self._deadline: asyncio.Timeout | None = None

    @property
    def session(self) -> Session | None:
        """The session of the moment, None while there is none."""
        return self._session

    @property
    def is_transcribed(self) -> bool:
        """Whether all audio has been sent, and every turn has its transcript."""
        return self._commits_answered and self._turns.are_complete

    @property
    def untranscribed(self) -> int:
        """How many turns ended with the text that they had, because the iteration ended before their transcripts."""
        return self._untranscribed

    def ends_audio(self, event: Event) -> bool:
        """Say whether an event only tells that no turn follows: the refusal of a commit after all audio."""
        return isinstance(event, ServerError) and event.event_id in self._final_commits

    async def send_audio(self) -> None:
        """Send the audio that was added to `audio`. Waits while it is full, and there is no session.

        After the iteration has ended, audio is dropped.
        """
        await self._flush()
        while self._audio.full and not self._finished:
            await self._opened.wait()
            await self._flush()
        while self._finished and self._audio.take():
            pass

    async def send(self, event: Payload) -> None:
        """Send an event, or drop it if there is no session."""
        if self._session is not None:
            with suppress(RealtimeError):  # the receiving side gets the same error and opens another session
                await self._session.send(event)

    async def finish(self) -> None:
        """End the last turn after all audio has been sent; the iteration ends when its transcript is there."""
        self._finishing = True
        await self._flush()
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(_now() + RESULT_SECONDS)

    async def close(self) -> None:
        """Close the session; transcripts that have not arrived yet are lost."""
        self._session, self._finished = None, True
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.wait([self._flushing])
        await self._stack.aclose()

    def __aiter__(self) -> "ReconnectingSession":
        return self

    async def __anext__(self) -> Event:
        while not self._said:
            if self._finished and self._failure is not None:
                raise self._failure
            if self._finished:
                raise StopAsyncIteration
            if self._session is None:
                await self._open_again()
            else:
                await self._receive(self._session)
        return self._said.popleft()

    async def _receive(self, session: Session) -> None:
        try:
            event = await self._next(session)
        except StopAsyncIteration:
            self.end()
        except TimeoutError:
            self.end(ProtocolError(f"the server sent nothing for {RESULT_SECONDS:g} s"))
        except RealtimeError as error:
            await self._lose(error)
        else:
            self._take(event)

    async def _next(self, session: Session) -> Event:
        try:
            async with asyncio.timeout(RESULT_SECONDS if self._finishing else None) as self._deadline:
                return await anext(session)
        finally:
            self._deadline = None

    def _take(self, event: Event) -> None:
        if self.ends_audio(event):
            self._commits_answered = True
        if not (self._ends and self.ends_audio(event)):
            self._said += self._turns.receive(event)
            self._audio.answered(self._turns.answered)
        if self._ends and self.is_transcribed:
            self.end()

    def end(self, failure: RealtimeError | None = None) -> None:
        """End the iteration, after what is known of unfinished turns; with a failure, it is raised then."""
        unfinished = self._turns.settle()
        self._untranscribed = len(unfinished)
        self._said += unfinished
        self._failure, self._finished = failure, True
        self._opened.set()

    async def _lose(self, error: RealtimeError) -> None:
        """Close a session whose connection has ended, and say when there will be another."""
        now = _now()
        lost_at = (self._session and self._session.lost_at) or now
        forgotten = self._session is not None and self._session.forgotten
        self._session = None
        self._opened.clear()
        await self._stack.aclose()
        if now - self._opened_at > STABLE_SECONDS:
            self._attempts.succeed()
        self._attempts.lose(lost_at)
        self._retry(error, str(error.__cause__ or error), at_once=forgotten)

    def _retry(self, error: RealtimeError, reason: str = "", *, at_once: bool = False) -> None:
        """Plan the next attempt after an error, and say why there is no session; end if there should be none."""
        delay = self._attempts.delay_after(error, _now())
        if delay is None:
            self.end(error)
        else:
            delay = 0.0 if at_once else delay
            self._retry_at = _now() + delay
            self._said.append(Disconnected(reason or str(error), delay))

    async def _open_first(self, patience: float) -> None:
        """Open the first session, or plan the next attempt. Raises `ConnectionRefused` if there should be none."""
        begun = _now()
        try:
            await self._open()
        except ConnectionRefused as refusal:
            self._attempts = Attempts(patience if refusal.retry_after is not None else 0.0)
            self._attempts.lose(begun)
            self._first_until, self._refusal = begun + patience, refusal
            self._retry(refusal)
            if self._failure is not None:
                raise

    async def _open_again(self) -> None:
        await asyncio.sleep(self._retry_at - _now())
        try:
            async with asyncio.timeout_at(None if self._opened_at else self._first_until):
                missing = await self._open()
        except TimeoutError:
            self.end(self._refusal)
        except RealtimeError as error:
            self._refusal = error
            self._retry(error)
        else:
            self._said.append(Reconnected(missing))

    async def _open(self) -> float:
        """Open a session, and send it again what is kept; return how many seconds of a turn are missing."""
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(self._opening())
            if self._greet is not None:
                await self._greet(session)
            async with self._sending:
                missing = self._turns.restart(self._audio.again())
                self._final_commits.clear()
                self._commits_answered = False
                self._session = session
            self._stack = stack.pop_all()
        if not self._opened_at:  # the first session
            self._attempts = Attempts(self._patience)
        self._opened_at = _now()
        self._opened.set()
        self._flushing = asyncio.create_task(self._flush())
        return missing

    async def _flush(self) -> None:
        """Send what waits, and after the last of it two commits.

        The first `committed` event may answer the first commit or report an earlier turn; but answers keep their order,
        and nothing is left for the second commit, so the refusal of either means that no further turn follows.
        """
        async with self._sending:
            with suppress(RealtimeError):  # the receiving side gets the same error and opens another session
                while self._session is not None and (chunk := self._audio.take()):
                    await self._session.send_audio(chunk)
                if self._finishing and self._session is not None and not self._final_commits:
                    self._final_commits += [await self._session.commit(), await self._session.commit()]


def _now() -> float:
    return asyncio.get_running_loop().time()
