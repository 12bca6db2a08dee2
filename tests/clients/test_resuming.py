"""Sessions of the client library that are resumed over connections that are cut."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection

import clients.aio
import clients.backoff
import clients.resuming
from clients import Completed, Delta, Disconnected, Event, Reconnected, ServerClosed, caption
from clients.aio import Session, connect
from clients.connection import open_connection
from clients.options import SAMPLE_RATE
from realtime.audio.formats import Encoding, encode
from tests.support.cutting_proxy import cutting_proxy
from tests.support.fault_proxy import fault_proxy
from tests.support.realtime_service import RealtimeService, realtime_service, utterance
from tests.support.scripted_engines import transcript_of
from tests.support.scripted_realtime_server import Peer, delta, meet

Kind = TypeVar("Kind", bound=Event)

GREETING_BYTES = 1_000
TURNS = [list(range(start, start + 10)) for start in range(0, 100, 10)]
FRAME_BYTES = SAMPLE_RATE // 10 * 2


@pytest.fixture(scope="module")
def service() -> Iterator[RealtimeService]:
    """Run a service that keeps less than sockets hold, and than the speech of these tests takes."""
    with realtime_service(resume_buffer_bytes=200_000) as service:
        yield service


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open lost connections again at once."""
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario, and fail it after a minute: with thirty connections it takes long on a busy machine."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario

    asyncio.run(bounded())


def cuts(seed: int, number: int, longest: int) -> list[int]:
    """Return bytes after which connections are cut, the first of them after the greeting and the configuration."""
    chosen = random.Random(seed)
    return [GREETING_BYTES + chosen.randrange(longest), *(chosen.randrange(longest) for _ in range(number - 1))]


def frames() -> Iterator[bytes]:
    pcm = encode(np.concatenate([utterance(turn) for turn in TURNS]), Encoding.PCM16)
    for start in range(0, len(pcm), FRAME_BYTES):
        yield pcm[start : start + FRAME_BYTES]


async def paced() -> AsyncIterator[bytes]:
    """Yield frames, and let the server answer in between."""
    for frame in frames():
        yield frame
        await asyncio.sleep(0)


def test_captions_are_those_of_a_connection_that_was_not_cut(service: RealtimeService) -> None:
    events: list[Event] = []

    async def scenario() -> None:
        async with (
            cutting_proxy(service.port, *cuts(1, 30, 80_000)) as proxy,
            caption(paced(), proxy.url) as captions,
        ):
            events.extend([event async for event in captions])

    run(scenario())
    assert [event.text for event in events if isinstance(event, Completed)] == [transcript_of(turn) for turn in TURNS]
    shown: dict[str, str] = {}
    for event in events:
        if isinstance(event, Delta):
            shown[event.item_id] = shown.get(event.item_id, "") + event.text
    assert [text.strip() for text in shown.values()] == [transcript_of(turn) for turn in TURNS]
    assert {event.resumed for event in events if isinstance(event, Reconnected)} == {True}


async def spoken(session: Session) -> bytes:
    return b"".join([chunk async for chunk in session.speak("It goes on where it was heard. " * 5)])


@pytest.mark.parametrize("binary", [True, False])
def test_speech_goes_on_where_it_was_heard(service: RealtimeService, binary: bool) -> None:
    heard: list[bytes] = []

    async def scenario() -> None:
        async with connect(service.url, transcription=False, binary=binary) as session:
            heard.append(await spoken(session))
        lifetimes = [10_000, *cuts(2, 10, 80_000)]
        with fault_proxy(service.port, lifetimes) as proxy:
            url = f"ws://127.0.0.1:{proxy.port}/v1/realtime"
            async with connect(url, transcription=False, binary=binary) as session:
                heard.append(await spoken(session))
            assert proxy.resets > 5

    run(scenario())
    assert heard[0] == heard[1]


def test_audio_that_comes_while_there_is_no_connection_is_kept(service: RealtimeService) -> None:
    async def scenario() -> None:
        async with cutting_proxy(service.port) as proxy, connect(proxy.url) as session:
            await session.send_audio(encode(utterance([1]), Encoding.PCM16))
            await proxy.close()
            lost = await until(session, Disconnected)
            assert lost.resumes
            await session.send_audio(encode(utterance([2]), Encoding.PCM16))
            await proxy.open()
            texts = [(await until(session, Completed)).text for _ in range(2)]
        assert texts == ["word1", "word2"]

    run(scenario())


async def send_everything(session: Session) -> None:
    for frame in frames():
        await session.send_audio(frame)


async def until(session: Session, kind: type[Kind]) -> Kind:
    while not isinstance(event := await anext(session), kind):
        pass
    return event


def test_a_session_that_has_expired_is_opened_anew_and_loses_no_word() -> None:
    events: list[Event] = []

    async def scenario(port: int) -> None:
        async with cutting_proxy(port, 60_000, 0, 0, 0, 0, 0, 0) as proxy, caption(paced(), proxy.url) as captions:
            events.extend([event async for event in captions])

    with realtime_service(resume_timeout_seconds=0.02) as service:
        run(scenario(service.port))
    assert [event.text for event in events if isinstance(event, Completed)] == [transcript_of(turn) for turn in TURNS]
    assert [event.resumed for event in events if isinstance(event, Reconnected)] == [False]
    *_, lost = (event for event in events if isinstance(event, Disconnected))
    assert not lost.resumes
    assert "connection lost" not in lost.reason  # but why the session cannot be resumed


def test_a_server_that_is_gone_for_good_ends_the_session(service: RealtimeService) -> None:
    async def scenario() -> None:
        async with cutting_proxy(service.port) as proxy, connect(proxy.url, resume_seconds=0.2) as session:
            await proxy.close()
            with pytest.raises(ServerClosed):
                await until(session, Completed)
            with pytest.raises(ServerClosed):
                await session.send_audio(bytes(10))

    run(scenario())


def test_a_session_is_closed_while_its_connection_is_lost(service: RealtimeService) -> None:
    async def scenario() -> None:
        async with cutting_proxy(service.port) as proxy, connect(proxy.url) as session:
            await proxy.close()
            await until(session, Disconnected)

    run(scenario())


def test_a_session_is_closed_just_when_it_is_resumed(service: RealtimeService, monkeypatch: pytest.MonkeyPatch) -> None:
    closing: list[asyncio.Task[None]] = []

    async def scenario() -> None:
        async with cutting_proxy(service.port) as proxy, connect(proxy.url) as session:

            async def resume(*arguments: Any, **options: Any) -> ClientConnection:
                socket = await open_connection(*arguments, **options)
                while not socket.recv_messages.frames:  # noqa: ASYNC110 - the attempt then succeeds at once
                    await asyncio.sleep(0)
                closing.append(asyncio.create_task(session.close()))
                return socket

            monkeypatch.setattr(clients.aio, "open_connection", resume)
            await proxy.close()
            await until(session, Disconnected)
            await proxy.open()
            with pytest.raises(StopAsyncIteration):
                await until(session, Completed)
        await asyncio.gather(*closing)

    run(scenario())
    assert len(closing) == 1


def test_a_server_without_the_extension_is_served_as_before() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send(delta("item_1", "Hello"))
        await peer.connection.close(1001)

    async def client(url: str) -> int:
        async with connect(url) as session:
            assert (await until(session, Delta)).text == "Hello"
            with pytest.raises(ServerClosed) as closed:
                await anext(session)
            assert not session._connection._kept
        return closed.value.code

    assert meet(script, client) == 1001


def test_what_is_kept_has_a_bound(service: RealtimeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.resuming, "MAX_KEPT_BYTES", 100_000)

    async def scenario() -> None:
        async with cutting_proxy(service.port) as proxy, connect(proxy.url, binary=True) as session:
            await send_everything(session)
            assert session._connection._kept_bytes <= 100_000
            await proxy.close()
            await until(session, Disconnected)
            with pytest.raises(TimeoutError):  # so the source waits
                await asyncio.wait_for(send_everything(session), 0.2)
            assert session._connection._kept_bytes < 100_000 + FRAME_BYTES

    run(scenario())
