"""Conversations: speech in, spoken answers out, which the user can interrupt by speaking."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from clients.aio import DEFAULT_URL, OPEN_TIMEOUT, Session
from clients.arguments import strings_of
from clients.errors import RequestFailed
from clients.events import (
    AudioChunk,
    Completed,
    Disconnected,
    Event,
    Interrupted,
    Other,
    Reconnected,
    ResponseCreated,
    ResponseDone,
    ResponseText,
    SpeechStarted,
)
from clients.feeding import open_fed
from clients.options import SAMPLE_RATE, SessionOptions
from clients.reconnecting import RECONNECT_SECONDS, ReconnectingSession
from clients.sources import Pcm

BYTES_PER_SECOND: Final = 2 * SAMPLE_RATE

LOOK_SECONDS: Final = 0.1
"""Seconds between two looks at what the loudspeaker has played."""

FINAL_SILENCE_SECONDS: Final = 4.5
"""Seconds of silence after the end of the source, with which the server takes the last turn for ended and answers it.

It waits 4 s for a speaker who does not seem to have finished (`eagerness` `low`). A turn that is committed is not
answered by itself.
"""

MAX_SAID: Final = 200
"""Turns and answers of which another session is told. The server keeps 1,000 items."""

LATE_SECONDS: Final = 2.0
"""Seconds by which a loudspeaker may be late; one that plays nothing any more is not waited for."""


class Loudspeaker(Protocol):
    """What plays the answers: PCM16, mono, 24 kHz. Both methods return at once."""

    @property
    def played_seconds(self) -> float:
        """Seconds of audio that have been heard so far, without what `stop` has dropped."""

    def play(self, pcm: bytes) -> None:
        """Play audio after what is waiting."""

    def stop(self) -> None:
        """Be silent at once, and drop what is waiting."""


@asynccontextmanager
async def converse(
    source: Pcm,
    loudspeaker: Loudspeaker,
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    instructions: str | None = None,
    voice: str | None = None,
    language: str | None = None,
    keywords: str | Iterable[str] = (),
    eagerness: str = "auto",
    reconnect_seconds: float = RECONNECT_SECONDS,
    open_timeout: float = OPEN_TIMEOUT,
) -> AsyncIterator["Conversation"]:
    """Hold a conversation with the chat model of the server; the block ends it.

    Args:
        source: What the user says: PCM16 mono at 24 kHz, at the speed at which it is said.
        loudspeaker: Plays the answers.
        url: Address of the server, `ws`, `wss`, `http` or `https`.
        api_key: Key of the server, if it needs one.
        instructions: What the chat model is told about its part.
        voice: Voice of the answers. Default: the server's.
        language: Language spoken, such as `en`. Default: detected for each turn.
        keywords: Names and words to expect, or one.
        eagerness: How soon a pause ends the user's turn: `low`, `medium`, `high` or `auto`.
        reconnect_seconds: Seconds after a loss in which a session is opened again; 0 for never. The chat model is told
            what was said in lost sessions, the last `MAX_SAID` turns and answers.
        open_timeout: Seconds allowed for connecting, and again for opening a session.

    A server that is full or loading is asked again for 45 s: the events are `Disconnected`, then `Reconnected`, and the
    errors are raised when they are read.

    Raises:
        RequestFailed: The server has no chat model (`backend_not_configured`), does not have the voice
            (`invalid_voice`) or the language (`invalid_value`), or refuses the configuration.
        ConnectionRefused: The server cannot be reached, refuses the client or does not answer in time.
        ProtocolError: The server does not speak the protocol.
    """
    options = SessionOptions(
        transcription=False,
        instructions=instructions,
        voice=voice,
        language=language,
        keywords=strings_of("keywords", keywords),
        eagerness=eagerness,
        partials=True,
        binary=True,
    )
    said: deque[_Said] = deque(maxlen=MAX_SAID)
    async with open_fed(
        source,
        options,
        url,
        api_key=api_key,
        reconnect_seconds=reconnect_seconds,
        open_timeout=open_timeout,
        greet=partial(_begin, said),
        ends=False,
        final_silence=FINAL_SILENCE_SECONDS,
    ) as (session, sending):
        try:
            yield Conversation(session, sending, loudspeaker, said)
        finally:
            loudspeaker.stop()


@dataclass(slots=True)
class _Said:
    """A turn of the user, or what was heard of an answer."""

    role: str
    text: str = ""


async def _begin(said: Iterable[_Said], session: Session) -> None:
    """Tell a session what was said in those before it, and have it answer the user's turn that was not answered.

    Raises `RequestFailed` if the server has no chat model.
    """
    if session.effective("audio", "input", "turn_detection", "create_response") is False:
        raise RequestFailed("backend_not_configured", "the server has no chat model, so it does not answer")
    messages = [each for each in said if each.text]
    for each in messages:
        part = {"type": "output_text" if each.role == "assistant" else "input_text", "text": each.text}
        item = {"type": "message", "role": each.role, "content": [part]}
        await session.send({"type": "conversation.item.create", "item": item})
    if messages and messages[-1].role == "user":
        await session.send({"type": "response.create"})


@dataclass(slots=True)
class _Answer:
    """A response that is spoken, or has been; `begin` is where its audio begins, in seconds of the loudspeaker's."""

    response_id: str
    said: _Said
    item_id: str = ""
    begin: float = 0.0
    seconds: float = 0.0
    texts: list[tuple[float, str]] = field(default_factory=list)
    done: bool = False


class Conversation:
    """The events of a conversation. The audio of its answers is played; their text comes as `ResponseText`.

    When the user begins to speak, the loudspeaker stops, the server is told how much was heard, and `Interrupted` says
    so. The iteration ends when the source has ended, its last turn has its transcript, and the answer to it has been
    received; then `wait_until_heard` waits until that has been played.
    """

    def __init__(
        self,
        session: ReconnectingSession,
        sending: asyncio.Task[None],
        loudspeaker: Loudspeaker,
        history: deque[_Said],
    ) -> None:
        self._session = session
        self._sending = sending
        self._loudspeaker = loudspeaker
        self._history = history
        self._answers: dict[str, _Answer] = {}  # those of which something may still be heard
        self._queued = 0.0
        self._asked = self._over = False  # whether an answer is still to come
        self._said: deque[Event] = deque()

    @property
    def playing_seconds(self) -> float:
        """Seconds of answers that have been received and not been heard."""
        return max(0.0, round(self._queued - self._loudspeaker.played_seconds, 3))

    async def wait_until_heard(self) -> None:
        """Wait until everything that has been received is played."""
        clock = asyncio.get_running_loop().time
        latest = clock() + self.playing_seconds + LATE_SECONDS
        while self.playing_seconds > 0 and clock() < latest:  # noqa: ASYNC110 - a loudspeaker does not notify
            await asyncio.sleep(LOOK_SECONDS)

    def __aiter__(self) -> "Conversation":
        return self

    async def __anext__(self) -> Event:
        while not self._said:
            try:
                event = await anext(self._session)
            except StopAsyncIteration:
                if self._sending.done():
                    self._sending.result()
                raise
            self._said += await self._receive(event)
        return self._said.popleft()

    async def _receive(self, event: Event) -> list[Event]:
        """Follow the answers; return what the program is told."""
        shown: list[Event] = [event]
        match event:
            case SpeechStarted():
                shown = [*(await self._interrupt()), event]
            case Completed(text=text):
                self._history.append(_Said("user", text))
            case ResponseCreated(response_id=name):
                self._history.append(said := _Said("assistant"))
                self._answers[name] = _Answer(name, said, begin=self._queued)
            case ResponseText(response_id=name, item_id=item, text=text, start=start):
                if (answer := self._answers.get(name)) is None:
                    return []  # it was interrupted
                answer.item_id = item
                answer.texts.append((start or 0.0, text))
                answer.said.text += text
            case AudioChunk(response_id=name, data=data):
                self._play(name, data)
                shown = []
            case ResponseDone(response_id=name):
                self._forget_heard()
                if (answer := self._answers.get(name)) is not None:
                    answer.done = True
            case Disconnected(resumes=False):
                for answer in self._answers.values():
                    answer.done, answer.item_id = True, ""  # another session knows no item of this one
            case Reconnected():
                self._asked = self._over = False
            case Other(raw={"type": "session.updated"}) if self._asked:
                self._over = True
            case _ if self._session.ends_audio(event):
                shown = []
        await self._end_if_over()
        return shown

    def _play(self, name: str, data: bytes) -> None:
        if (answer := self._answers.get(name)) is None:
            return
        now = self._loudspeaker.played_seconds
        self._queued = max(self._queued, now)
        if not answer.seconds:
            answer.begin = self._queued
        answer.seconds += len(data) / BYTES_PER_SECOND
        self._queued += len(data) / BYTES_PER_SECOND
        self._loudspeaker.play(data)

    async def _interrupt(self) -> list[Event]:
        """Silence the answers, and tell the server what was heard of each."""
        self._forget_heard()
        if not self._answers:
            return []
        self._loudspeaker.stop()
        played = self._queued = self._loudspeaker.played_seconds
        interruptions: list[Event] = []
        for answer in self._answers.values():
            heard = min(max(0.0, played - answer.begin), answer.seconds)
            if answer.item_id:
                await self._session.send(
                    {
                        "type": "conversation.item.truncate",
                        "item_id": answer.item_id,
                        "content_index": 0,
                        "audio_end_ms": int(heard * 1000),
                    }
                )
            answer.said.text = text = "".join(text for start, text in answer.texts if start < heard)
            interruptions.append(Interrupted(answer.response_id, text, heard))
        self._answers.clear()
        return interruptions

    def _forget_heard(self) -> None:
        played = self._loudspeaker.played_seconds
        self._answers = {
            name: answer
            for name, answer in self._answers.items()
            if not answer.done or answer.begin + answer.seconds > played
        }

    async def _end_if_over(self) -> None:
        """End the iteration when no answer follows.

        An answer begins with the transcript of its turn, so none is to come if the server has answered a request that
        was sent after the last transcript.
        """
        if not self._session.is_transcribed or any(not answer.done for answer in self._answers.values()):
            return
        if self._over:
            self._session.end()
        elif not self._asked:
            self._asked = True
            await self._session.send({"type": "session.update", "session": {"type": "realtime"}})
