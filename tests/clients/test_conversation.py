"""Conversations of the client library with the whole service, its chat backend scripted."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

import clients.backoff
from clients import (
    Completed,
    Conversation,
    Disconnected,
    Event,
    Interrupted,
    Reconnected,
    RequestFailed,
    ResponseDone,
    ResponseText,
    ServerError,
    converse,
)
from clients.options import SAMPLE_RATE
from realtime.audio.formats import Encoding, encode
from realtime.backends.scripted_server import scripted_app
from tests.support.chat_server import answer as chat_answer
from tests.support.cutting_proxy import cutting_proxy
from tests.support.http_service import listening
from tests.support.realtime_service import TIMEOUT, RealtimeService, realtime_service, utterance

Result = TypeVar("Result")
FRAME_BYTES = SAMPLE_RATE // 10 * 2


class HeldSpeaker:
    """A loudspeaker that has played the first `heard` seconds of what it was given since it was silent."""

    def __init__(self, heard: float = 0.0) -> None:
        self.heard = heard
        self.given = b""
        self.before = 0.0
        self.stops = 0

    @property
    def played_seconds(self) -> float:
        return self.before + min(self.heard, len(self.given) / (2 * SAMPLE_RATE))

    def play(self, pcm: bytes) -> None:
        self.given += pcm

    def stop(self) -> None:
        self.before, self.given = self.played_seconds, b""
        self.stops += 1


class Microphone:
    """A source of utterances, each of which waits until it is `said`."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()

    def say(self, numbers: Sequence[int]) -> None:
        pcm = encode(utterance(numbers), Encoding.PCM16) + bytes(2 * SAMPLE_RATE)  # a second that ends the turn
        for start in range(0, len(pcm), FRAME_BYTES):
            self._frames.put_nowait(pcm[start : start + FRAME_BYTES])

    def stop(self) -> None:
        self._frames.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (frame := await self._frames.get()) is not None:
            yield frame


@pytest.fixture(scope="module")
def service() -> Iterator[RealtimeService]:
    with listening(scripted_app()) as backend, realtime_service(chat_base_url=backend) as service:
        yield service


async def until(conversation: Conversation, kind: type[Event]) -> list[Event]:
    events = [await anext(conversation)]
    while not isinstance(events[-1], kind):
        events.append(await anext(conversation))
    return events


def run(client: Coroutine[Any, Any, Result]) -> Result:
    async def bounded() -> Result:
        async with asyncio.timeout(20):
            return await client

    return asyncio.run(bounded())


def answer(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ResponseText))


def test_what_is_said_is_answered_aloud(service: RealtimeService) -> None:
    async def client() -> tuple[list[Event], float]:
        speaker, microphone = HeldSpeaker(heard=60.0), Microphone()
        microphone.say([1, 2])
        microphone.stop()
        async with converse(microphone, speaker, service.url) as conversation:
            events = [event async for event in conversation]
            await conversation.wait_until_heard()
            return events, speaker.played_seconds

    events, played = run(client())
    assert [event.text for event in events if isinstance(event, Completed)] == ["word1 word2"]
    assert answer(events) == "You said: word1 word2"
    assert played > 1.0


def test_the_user_interrupts_an_answer_and_the_server_is_told_what_was_heard(service: RealtimeService) -> None:
    async def client() -> tuple[Interrupted, float, float, str]:
        speaker, microphone = HeldSpeaker(heard=0.5), Microphone()
        async with converse(microphone, speaker, service.url) as conversation:
            microphone.say([1, 2])
            await until(conversation, ResponseText)
            microphone.say([4])
            *_, interrupted = await until(conversation, Interrupted)
            silent_after, speaker.heard = speaker.played_seconds, 60.0
            microphone.stop()
            rest = [event async for event in conversation]
            assert isinstance(interrupted, Interrupted)
            return interrupted, silent_after, speaker.played_seconds, answer(rest)

    interrupted, silent_after, played, said = run(client())
    assert interrupted.seconds == silent_after
    assert interrupted.seconds <= 0.5
    assert interrupted.text in "You said: word1 word2"
    assert played > silent_after
    assert said.startswith("You said: word4")


def test_a_server_without_a_chat_model_is_refused_by_name() -> None:
    async def client(url: str) -> None:
        async with converse(Microphone(), HeldSpeaker(), url):
            pass

    with realtime_service() as service, pytest.raises(RequestFailed) as refusal:
        run(client(service.url))
    assert refusal.value.code == "backend_not_configured"


def test_a_conversation_goes_on_after_the_connection_was_lost(
    service: RealtimeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.02)

    async def client() -> list[Event]:
        speaker, microphone = HeldSpeaker(heard=60.0), Microphone()
        async with cutting_proxy(service.port) as proxy, converse(microphone, speaker, proxy.url) as conversation:
            microphone.say([1, 2])
            events = await until(conversation, ResponseText)
            proxy.cut()
            events += await until(conversation, Reconnected)
            microphone.say([6])
            microphone.stop()
            return [*events, *[event async for event in conversation]]

    events = run(client())
    assert [event.text for event in events if isinstance(event, Completed)] == ["word1 word2", "word6"]
    assert any(isinstance(event, Disconnected) for event in events)
    assert "You said: word6" in answer(events)


class Chat:
    """A chat server that counts its answers, and says nothing while it is `silent`."""

    def __init__(self) -> None:
        self.silent = False
        self.asked = threading.Event()
        self.messages: list[tuple[str, str]] = []
        self._answers = 0

    async def complete(self, request: Request) -> Response:
        messages = (await request.json())["messages"]
        self.messages = [(each["role"], each["content"]) for each in messages if each["role"] != "system"]
        self.asked.set()
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[bytes]:
        if self.silent:
            await asyncio.Event().wait()  # until the client is gone
        self._answers += 1
        yield chat_answer(f"Answer {self._answers}.")

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/chat/completions", self.complete, methods=["POST"])])


@pytest.fixture
def chat() -> Chat:
    return Chat()


@pytest.fixture
def forgetful(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealtimeService]:
    """Run a service whose sessions cannot be resumed."""
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.02)
    with listening(chat.app) as backend, realtime_service(chat_base_url=backend, max_parked_sessions=0) as service:
        yield service


def test_the_chat_model_knows_what_was_said_in_a_lost_session(chat: Chat, forgetful: RealtimeService) -> None:
    async def client() -> tuple[str, list[Event]]:
        speaker, microphone = HeldSpeaker(heard=0.1), Microphone()  # the answer is still heard when there is a session
        async with cutting_proxy(forgetful.port) as proxy, converse(microphone, speaker, proxy.url) as conversation:
            microphone.say([1, 2])
            first = answer(await until(conversation, ResponseDone))
            proxy.cut()
            await until(conversation, Reconnected)
            microphone.say([6])
            microphone.stop()
            return first, [event async for event in conversation]

    first, events = run(client())
    assert chat.messages == [("user", "word1 word2"), ("assistant", first), ("user", "word6")]
    assert answer(events) not in {"", first}
    assert [type(event) for event in events if isinstance(event, Interrupted | ServerError)] == [Interrupted]


def test_a_turn_whose_answer_was_lost_with_its_session_is_answered_by_the_next(
    chat: Chat, forgetful: RealtimeService
) -> None:
    chat.silent = True

    async def client() -> list[Event]:
        speaker, microphone = HeldSpeaker(heard=60.0), Microphone()
        async with cutting_proxy(forgetful.port) as proxy, converse(microphone, speaker, proxy.url) as conversation:
            microphone.say([1, 2])
            await until(conversation, Completed)
            assert await asyncio.to_thread(chat.asked.wait, TIMEOUT)
            chat.silent = False
            proxy.cut()
            await until(conversation, Reconnected)
            microphone.stop()
            return [event async for event in conversation]

    assert answer(run(client())).startswith("Answer")
    assert chat.messages == [("user", "word1 word2")]
