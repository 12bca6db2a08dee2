"""Captions of the client library with the whole service, over connections that are cut."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import pytest

import clients.backoff
from clients import (
    Completed,
    ConnectionRefused,
    Delta,
    Disconnected,
    Event,
    Reconnected,
    RequestFailed,
    caption,
    connect,
)
from clients.connection import DEAD_PEER_MS
from clients.options import SAMPLE_RATE
from realtime.audio.formats import Encoding, encode
from tests.support.cutting_proxy import cutting_proxy
from tests.support.realtime_service import RealtimeService, realtime_service, utterance
from tests.support.scripted_engines import transcript_of

Result = TypeVar("Result")

SAID = ([1, 2, 3], [4, 5], [6], [7, 8, 9, 10, 11, 12], [13, 14])
TRANSCRIPTS = [transcript_of(numbers) for numbers in SAID]
FRAME_BYTES = SAMPLE_RATE // 25 * 2


def audio(*turns: Sequence[int]) -> bytes:
    return encode(np.concatenate([utterance(numbers) for numbers in turns]), Encoding.PCM16)


def frames(pcm: bytes) -> Iterator[bytes]:
    for start in range(0, len(pcm), FRAME_BYTES):
        yield pcm[start : start + FRAME_BYTES]


async def paced(pcm: bytes) -> AsyncIterator[bytes]:
    """Yield frames at a pace that lets the server answer in between."""
    for frame in frames(pcm):
        yield frame
        await asyncio.sleep(0.002)


def run(client: Coroutine[Any, Any, Result]) -> Result:
    async def bounded() -> Result:
        async with asyncio.timeout(20):
            return await client

    return asyncio.run(bounded())


async def everything(captions: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in captions]


def texts(events: Sequence[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Completed)]


@pytest.fixture(scope="module")
def service() -> Iterator[RealtimeService]:
    """Run a service whose sessions cannot be resumed: lost ones are opened again (`test_resuming.py` resumes them)."""
    with realtime_service(max_parked_sessions=0) as service:
        yield service


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open lost sessions again at once."""
    monkeypatch.setattr(clients.backoff, "FIRST_SECONDS", 0.01)


def test_frames_of_an_asynchronous_source_are_captioned(service: RealtimeService) -> None:
    async def client() -> list[Event]:
        async with caption(paced(audio([1, 2], [3])), service.url) as captions:
            return await everything(captions)

    assert texts(run(client())) == ["word1 word2", "word3"]


def test_frames_of_a_blocking_source_are_captioned(service: RealtimeService) -> None:
    async def client() -> list[Event]:
        async with caption(frames(audio([1, 2], [3])), service.url.replace("ws", "http", 1)) as captions:
            return await everything(captions)

    assert texts(run(client())) == ["word1 word2", "word3"]


def test_audio_that_is_there_as_a_whole_is_captioned(service: RealtimeService) -> None:
    async def client() -> list[Event]:
        async with caption(audio([1, 2], [3]), service.url) as captions:
            return await everything(captions)

    assert texts(run(client())) == ["word1 word2", "word3"]


def test_a_source_of_anything_but_bytes_is_named(service: RealtimeService) -> None:
    async def client() -> None:
        async with caption([0.5, -0.5], service.url) as captions:  # type: ignore[list-item]
            await everything(captions)

    with pytest.raises(TypeError, match="a source yields PCM16 as bytes or samples of 16 bits, not float"):
        run(client())


def test_a_source_that_can_be_none_is_refused_before_a_session_is_opened() -> None:
    async def client() -> None:
        async with caption(5, "127.0.0.1:9"):  # type: ignore[arg-type]
            pass

    with pytest.raises(TypeError, match=r"a source is PCM16 as bytes .* not int"):
        run(client())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"rate": 24000.0}, "rate is an int, not float"),
        ({"silence_ms": "x"}, "silence_ms is an int, not str"),
        ({"language": 5}, "language is a string, not int"),
        ({"keywords": 5}, "keywords is a string, or strings, not int"),
        ({"keywords": [5]}, "keywords are strings, not int"),
        ({"keywords": b"Kim"}, "keywords is a string, or strings, not bytes"),
        ({"open_timeout": "x"}, "open_timeout is a number, not str"),
        ({"reconnect_seconds": float("nan")}, "reconnect_seconds is a number of at least 0, not nan"),
    ],
)
@pytest.mark.parametrize("source", [b"", "talk.mp3"], ids=["live", "file"])
def test_an_argument_of_another_type_is_named(source: Any, arguments: dict[str, Any], error: str) -> None:
    async def client() -> None:
        async with caption(source, "127.0.0.1:9", **arguments):
            pass

    with pytest.raises((TypeError, ValueError), match=error):
        run(client())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"silence_ms": -1}, "Invalid 'silence_ms': integer below minimum value"),
        ({"rate": 12345}, "rate: Invalid value: 12345"),
    ],
)
def test_the_server_refuses_arguments_by_their_names_here(
    service: RealtimeService, arguments: dict[str, Any], error: str
) -> None:
    async def client() -> None:
        async with caption(b"", service.url, **arguments):
            pass

    with pytest.raises(RequestFailed, match=error) as refusal:
        run(client())
    assert refusal.value.param == next(iter(arguments))


def test_samples_of_numpy_and_open_files_of_samples_are_captioned(service: RealtimeService) -> None:
    pcm = audio(*SAID[:2])

    async def client() -> list[Any]:
        found = []
        for source in (np.frombuffer(pcm, np.int16), io.BytesIO(pcm)):
            async with caption(source, service.url) as captions:
                found.append(texts(await everything(captions)))
        return found

    assert run(client()) == [TRANSCRIPTS[:2]] * 2


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("cuts", [(150_000,), (40_000, 90_000, 20_000), (400, 330_000, 800)])
def test_words_are_neither_lost_nor_doubled_when_connections_are_cut(
    service: RealtimeService, cuts: tuple[int, ...]
) -> None:
    shown: dict[str, str] = {}

    async def client() -> list[Event]:
        async with (
            cutting_proxy(service.port, *(cut + 400 for cut in cuts)) as proxy,
            caption(paced(audio(*SAID)), proxy.url) as captions,
        ):
            return await everything(captions)

    events = run(client())
    for event in events:
        if isinstance(event, Delta):
            shown[event.item_id] = shown.get(event.item_id, "") + event.text
    assert texts(events) == TRANSCRIPTS
    assert [text.strip() for text in shown.values()] == TRANSCRIPTS
    starts = [word.start for event in events if isinstance(event, Completed) for word in event.words]
    assert starts == sorted(starts)
    assert sum(isinstance(event, Reconnected) for event in events) == len(cuts)


@pytest.mark.usefixtures("soon")
def test_a_server_that_is_gone_for_good_ends_the_captions_after_what_was_said(service: RealtimeService) -> None:
    async def client() -> tuple[list[Event], ConnectionRefused]:
        async def never_ending() -> AsyncIterator[bytes]:
            async for frame in paced(audio([1, 2])):
                yield frame
            await asyncio.Event().wait()

        events: list[Event] = []
        async with (
            cutting_proxy(service.port) as proxy,
            caption(never_ending(), proxy.url, reconnect_seconds=0.3) as captions,
        ):
            while not texts(events):
                events.append(await anext(captions))
            await proxy.close()
            with pytest.raises(ConnectionRefused) as refusal:
                events += await everything(captions)
            with pytest.raises(ConnectionRefused):
                await anext(captions)
            return events, refusal.value

    events, refusal = run(client())
    assert texts(events) == ["word1 word2"]
    assert "no server answers" in str(refusal)


def test_a_wrong_key_is_refused_at_once() -> None:
    async def client(url: str) -> None:
        async with caption(paced(audio([1])), url, api_key="wrong"):
            pass

    with realtime_service(api_keys=frozenset({"right"})) as service, pytest.raises(ConnectionRefused) as refusal:
        run(client(service.url))
    assert (refusal.value.status, refusal.value.code) == (401, "invalid_api_key")


def test_a_source_that_fails_fails_the_captions_after_what_it_gave(service: RealtimeService) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for frame in paced(audio([1, 2])):
            yield frame
        raise OSError("unplugged")

    async def client() -> list[Event]:
        events: list[Event] = []

        async def read(captions: AsyncIterator[Event]) -> None:
            while True:
                events.append(await anext(captions))

        async with caption(broken(), service.url) as captions:
            with pytest.raises(OSError, match="unplugged"):
                await read(captions)
        return events

    assert texts(run(client())) == ["word1 word2"]


@pytest.mark.usefixtures("soon")
def test_lost_connections_are_reported_with_the_time_of_the_next_attempt(service: RealtimeService) -> None:
    async def client() -> list[Event]:
        async with (
            cutting_proxy(service.port, 60_000) as proxy,
            caption(paced(audio([1, 2])), proxy.url) as captions,
        ):
            return await everything(captions)

    lost = [event for event in run(client()) if isinstance(event, Disconnected)]
    assert lost == [Disconnected("the server closed the connection (1006: connection lost)", lost[0].retry_in)]
    assert 0 < lost[0].retry_in < 0.1


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs Linux")
def test_a_peer_that_has_vanished_is_noticed(service: RealtimeService) -> None:
    async def client() -> int:
        async with connect(service.url) as session:
            connection = session._connection.socket.transport.get_extra_info("socket")
            return int(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))

    assert run(client()) == DEAD_PEER_MS
