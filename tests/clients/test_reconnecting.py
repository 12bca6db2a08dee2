"""When sessions are opened again, which audio is kept for them, and what waits for how long."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

import clients.backoff
import clients.first_session
import clients.kept_audio
from clients import (
    Completed,
    ConnectionRefused,
    Disconnected,
    ErrorCode,
    Event,
    ProtocolError,
    RealtimeError,
    Reconnected,
    ServerClosed,
    caption,
)
from clients.aio import open_session
from clients.backoff import FIRST_SECONDS, LONGEST_SECONDS, Attempts, delay_before, is_temporary
from clients.first_session import open_patiently
from clients.kept_audio import KEPT_SECONDS, KeptAudio
from clients.options import SessionOptions
from clients.reconnecting import open_reconnecting
from clients.session import Session
from realtime.errors import VoiceError
from tests.support.markdown import ROOT
from tests.support.realtime_service import RealtimeService, realtime_service
from tests.support.scripted_realtime_server import Peer, committed, completed

RATE = 8_000
BYTES_PER_SECOND = 2 * RATE


@pytest.fixture(scope="module")
def service() -> Iterator[RealtimeService]:
    with realtime_service() as service:
        yield service


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (ServerClosed(1006, ""), True),
        (ServerClosed(1012, ""), True),
        (ServerClosed(1014, ""), True),
        (ServerClosed(1008, ""), False),
        (ServerClosed(1009, ""), False),
        (ConnectionRefused("not there"), True),
        (ConnectionRefused("full", 503), True),
        (ConnectionRefused("key", 401), False),
        (ProtocolError("no protocol"), False),
    ],
)
def test_what_may_pass_is_tried_again(error: RealtimeError, temporary: bool) -> None:
    assert is_temporary(error) is temporary


def test_delays_grow_to_a_bound_and_differ() -> None:
    lost = ServerClosed(1006, "")
    assert {FIRST_SECONDS / 2 <= delay_before(0, lost) <= FIRST_SECONDS * 1.5 for _ in range(100)} == {True}
    assert max(delay_before(100, lost) for _ in range(100)) <= LONGEST_SECONDS * 1.5
    assert len({delay_before(3, lost) for _ in range(10)}) > 1


def test_a_server_is_not_asked_before_it_said() -> None:
    full = ConnectionRefused("full", 503, retry_after=20.0)
    assert all(20.0 <= delay_before(0, full) <= 24.0 for _ in range(100))


def test_attempts_end_when_the_next_would_come_too_late() -> None:
    attempts = Attempts(patience=30.0)
    assert attempts.delay_after(ServerClosed(1006, ""), now=100.0) is not None
    assert attempts.delay_after(ConnectionRefused("not there"), now=125.0) is not None
    assert attempts.delay_after(ConnectionRefused("full", 503, retry_after=20.0), now=126.0) is None
    attempts.succeed()
    assert attempts.delay_after(ServerClosed(1006, ""), now=500.0) is not None


@given(
    st.lists(st.integers(0, 3_000), min_size=1, max_size=30), st.integers(0, 30), st.floats(0.0, 2.0), st.integers(1, 9)
)
def test_audio_is_sent_again_from_where_it_has_no_transcript(
    sizes: list[int], taken: int, answered: float, value: int
) -> None:
    audio, whole = KeptAudio(RATE), b""
    for index, size in enumerate(sizes):
        piece = bytes([(index + value) % 256]) * size
        whole += piece
        audio.add(piece)
    sent = b"".join(audio.take() for _ in range(taken))
    audio.answered(min(answered, len(sent) / BYTES_PER_SECOND))
    begin = audio.again()
    rest = b"".join(iter(audio.take, b""))
    assert rest == whole[round(begin * BYTES_PER_SECOND) : len(whole) // 2 * 2]
    assert begin <= answered


def test_what_is_kept_has_a_bound() -> None:
    audio = KeptAudio(RATE)
    for _ in range(100):
        audio.add(bytes(BYTES_PER_SECOND))
        assert audio.take()
    assert audio.again() == 100 - KEPT_SECONDS


def test_whoever_adds_more_than_may_wait_is_told() -> None:
    audio = KeptAudio(RATE)
    while not audio.full:
        audio.add(bytes(BYTES_PER_SECOND))
    assert audio.take()


def test_a_busy_server_is_asked_again_after_as_long_as_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []

    def delay(_attempt: int, error: ConnectionRefused) -> float:
        waits.append(error.retry_after)
        return 0.0

    monkeypatch.setattr(clients.backoff, "delay_before", delay)

    def refuse_once(connection: ServerConnection, _: Request) -> Response | None:
        if waits:
            return None
        response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        response.headers["Retry-After"] = "7"
        return response

    async def script(peer: Peer) -> None:
        await peer.greet()
        while not isinstance(message := await peer.connection.recv(), str):
            pass  # audio
        commit = json.loads(message)
        await peer.send(committed("item_1"), completed("item_1", "Hello."))
        await peer.refuse_commit(commit)
        await peer.connection.wait_closed()

    async def client() -> list[Event]:
        async with played(script, refuse_once) as url, caption(iter([bytes(4_800)]), url) as captions:
            return [event async for event in captions]

    events = asyncio.run(client())
    assert waits == [7.0]
    assert [type(event) for event in events[:2]] == [Disconnected, Reconnected]
    assert [event.text for event in events if isinstance(event, Completed)] == ["Hello."]


def test_a_server_that_asks_for_more_patience_than_a_user_has_is_told_at_once() -> None:
    def refuse(connection: ServerConnection, _: Request) -> Response:
        response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        response.headers["Retry-After"] = "60"
        return response

    async def client() -> None:
        async with played(lambda _: asyncio.sleep(0), refuse) as url, caption(iter([bytes(4_800)]), url):
            pass

    with pytest.raises(ConnectionRefused) as refusal:
        asyncio.run(client())
    assert refusal.value.retry_after == 60


@asynccontextmanager
async def starting() -> AsyncIterator[tuple[str, Callable[[Callable[[Peer], Any]], None]]]:
    """Open a port at which nobody answers, and yield its address and what serves a script there."""
    ended = asyncio.Event()
    servers: list[asyncio.Task[None]] = []
    async with asyncio.timeout(20):
        with socket.create_server(("127.0.0.1", 0)) as listening:

            async def run(script: Callable[[Peer], Any]) -> None:
                async with serve(lambda connection: script(Peer(connection)), sock=listening.dup()):
                    await ended.wait()

            def begin(script: Callable[[Peer], Any]) -> None:
                servers.append(asyncio.create_task(run(script)))

            yield f"ws://127.0.0.1:{listening.getsockname()[1]}", begin
        ended.set()
        await asyncio.gather(*servers)


async def greeting(peer: Peer) -> None:
    await peer.greet()
    await peer.connection.wait_closed()


def test_a_server_that_does_not_answer_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)
    told: list[str] = []

    async def client() -> None:
        async with starting() as (url, begin):

            def waiting(reason: str) -> None:
                told.append(reason)
                begin(greeting)

            opening = partial(open_session, url, SessionOptions(), resume_seconds=0, open_timeout=0.5)
            async with open_patiently(opening, waiting):
                pass

    asyncio.run(client())
    assert len(told) == 1
    assert re.fullmatch(r"the server at 127\.0\.0\.1:\d+ has not answered within 0\.5 s; it may be starting", told[0])


def test_captions_begin_before_a_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)

    async def client() -> None:
        async with starting() as (url, begin), caption(iter([bytes(4_800)]), url, open_timeout=0.5) as captions:
            assert isinstance(await anext(captions), Disconnected)
            begin(greeting)
            events = [await anext(captions)]
            while not isinstance(events[-1], Reconnected):
                assert isinstance(events[-1], Disconnected)
                events.append(await anext(captions))

    asyncio.run(client())


class NoAnswers:
    """Opens no session: the first attempt has no answer in time, the second never ends."""

    def __init__(self) -> None:
        self.attempts = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Session]:
        self.attempts += 1
        if self.attempts > 1:
            await asyncio.Event().wait()
        raise ConnectionRefused("no answer", retry_after=0.0)
        yield


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)
    for module in (clients.first_session, clients.reconnecting):
        monkeypatch.setattr(module, "FULL_SECONDS", 0.2)

    async def speech() -> None:
        async with asyncio.timeout(20), open_patiently(opening):
            pass

    async def captions() -> None:
        async with asyncio.timeout(20), open_reconnecting(opening, KeptAudio(RATE)) as session:
            async for event in session:
                assert isinstance(event, Disconnected)

    for client in (speech, captions):
        opening = NoAnswers()
        with pytest.raises(ConnectionRefused, match="no answer"):
            asyncio.run(client())
        assert opening.attempts == 2


def test_a_server_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.reconnecting, "RESULT_SECONDS", 0.1)

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.connection.wait_closed()

    async def client() -> None:
        async with played(script) as url, caption(iter([bytes(4_800)]), url) as captions:
            async for _ in captions:
                pass

    with pytest.raises(ProtocolError, match="sent nothing"):
        asyncio.run(client())


def test_audio_is_dropped_once_there_will_be_no_session() -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.connection.close(1001)

    async def client() -> None:
        audio = KeptAudio(RATE)
        async with played(script) as url:
            opening = partial(open_session, url, SessionOptions(rate=RATE), resume_seconds=0)
            async with open_reconnecting(opening, audio, reconnect_seconds=0) as session:
                with pytest.raises(ServerClosed):
                    async for _ in session:
                        pass
                for _ in range(100):
                    audio.add(bytes(BYTES_PER_SECOND))
                    await session.send_audio()
                assert audio.take() == b""

    asyncio.run(client())


@asynccontextmanager
async def played(
    script: Callable[[Peer], Any], answer: Callable[[ServerConnection, Request], Response | None] | None = None
) -> AsyncIterator[str]:
    """Serve a script on the loopback interface, and yield its address."""

    async def handle(connection: ServerConnection) -> None:
        await script(Peer(connection))

    async with asyncio.timeout(20), serve(handle, "127.0.0.1", 0, process_request=answer) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


def test_the_codes_of_errors_are_those_of_the_server() -> None:
    def codes(kind: type[VoiceError]) -> set[str]:
        return {kind.code}.union(*(codes(each) for each in kind.__subclasses__()))

    assert {"server_overloaded", "engine_failed", "internal_error"} <= codes(VoiceError) & set(ErrorCode)


WAITING = """
import threading
from clients.blocking import caption

def source():
    yield bytes(4_800)
    threading.Event().wait()  # a device that never answers

with caption(source(), "{url}") as captions:
    for event in captions:
        print(event, flush=True)
"""


def test_ctrl_c_ends_a_program_that_waits(service: RealtimeService) -> None:
    command = [sys.executable, "-c", WAITING.format(url=service.url)]
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline().startswith("Other")
            program.send_signal(signal.SIGINT)
            _, errors = program.communicate(timeout=20)
        finally:
            program.kill()
    assert program.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert "Task was destroyed" not in errors
