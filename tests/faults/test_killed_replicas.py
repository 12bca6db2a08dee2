"""Two replicas behind a balancer, of which one after another is killed: a client that goes on loses no word.

Every word that is sent is another one, named by its place in the audio. No replica knows the sessions of another, so
that the client goes on with what it has kept itself.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from websockets.frames import CloseCode
from websockets.sync.client import connect

from clients.captions import caption
from clients.events import Completed, Delta, Disconnected, Event, Reconnected
from clients.playback import FRAME_BYTES, SAMPLE_RATE
from realtime.audio.formats import Encoding, encode
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.realtime_service import SILENT, TIMEOUT, read_to_end, utterance
from tests.support.repetitions import repetitions
from tests.support.replicas import Replica, Replicas, replicas
from tests.support.scripted_engines import transcript_of

SPEED = 6.0
"""How many times as fast as it is spoken the audio is sent. Words are committed while somebody speaks even so."""

KILLS = 3
TURNS = [list(range(start, start + 16)) for start in range(0, repetitions(32, 96), 16)]
AUDIO = encode(np.concatenate([utterance(turn) for turn in TURNS]), Encoding.PCM16)


class Pair:
    """Two replicas behind a balancer. One that is killed is replaced by another."""

    def __init__(self, source: Replicas) -> None:
        self._source = source
        self._running: dict[int, Replica] = {}

    def start(self) -> None:
        replica = self._source.start()
        self._running[replica.port] = replica

    @property
    def ports(self) -> list[int]:
        return list(self._running)

    def kill(self, proxy: FaultProxy) -> None:
        """Kill the replica that has the newest connection; the balancer finds out by itself."""
        self._running.pop(proxy.newest_target).kill()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with replicas() as source:
        pair = Pair(source)
        pair.start()
        pair.start()
        yield pair


async def captions_with_kills(pair: Pair, proxy: FaultProxy, positions: list[int]) -> tuple[list[Event], list[float]]:
    """Return the events, and the seconds from each kill to the next session. Kill where so many bytes were sent."""
    connected = asyncio.Event()
    connected.set()
    killed_at: list[float] = []
    reconnected_at: list[float] = []

    async def source() -> AsyncIterator[bytes]:
        for start in range(0, len(AUDIO), FRAME_BYTES):
            if positions and start >= positions[0]:
                positions.pop(0)
                await connected.wait()
                connected.clear()
                killed_at.append(time.monotonic())
                pair.kill(proxy)
                await asyncio.to_thread(pair.start)
                proxy.targets[:] = pair.ports
            yield AUDIO[start : start + FRAME_BYTES]
            await asyncio.sleep(FRAME_BYTES / 2 / SAMPLE_RATE / SPEED)

    events = []
    async with asyncio.timeout(3 * TIMEOUT), caption(source(), f"ws://127.0.0.1:{proxy.port}") as captions:
        async for event in captions:
            events.append(event)
            if isinstance(event, Reconnected):
                reconnected_at.append(time.monotonic())
                connected.set()
    return events, [after - before for before, after in zip(killed_at, reconnected_at, strict=True)]


@pytest.mark.parametrize("seed", range(repetitions(1, 17)))
def test_words_are_neither_lost_nor_doubled_nor_reordered_by_kills(pair: Pair, seed: int) -> None:
    positions = sorted(random.Random(seed).sample(range(len(AUDIO) // 20, len(AUDIO) * 19 // 20), KILLS))
    with fault_proxy(pair.ports[0]) as proxy:
        proxy.targets[:] = pair.ports
        events, seconds = asyncio.run(captions_with_kills(pair, proxy, positions))
    print(f"{len(seconds)} kills: another session after {', '.join(f'{each:.2f}' for each in seconds)} s")
    completed = [event for event in events if isinstance(event, Completed)]
    committed = {event.item_id: "" for event in completed}
    for event in events:
        if isinstance(event, Delta):
            committed[event.item_id] += event.text
    assert [event.text for event in completed] == [transcript_of(turn) for turn in TURNS]
    assert [text.strip() for text in committed.values()] == [transcript_of(turn) for turn in TURNS]
    assert not any(event.resumed or event.missing for event in events if isinstance(event, Reconnected))
    attempts = [event for event in events if isinstance(event, Disconnected)]
    assert [event.retry_in == 0 for event in attempts if not event.resumes] == [True] * KILLS  # none knows the session
    assert len(seconds) == KILLS


def test_a_client_that_cannot_go_on_is_told_by_the_end_of_its_connection(pair: Pair) -> None:
    with (
        fault_proxy(pair.ports[0]) as proxy,
        connect(f"ws://127.0.0.1:{proxy.port}/v1/realtime", logger=SILENT) as socket,
    ):
        socket.recv(timeout=TIMEOUT)
        pair.kill(proxy)
        assert read_to_end(socket) == CloseCode.ABNORMAL_CLOSURE
    pair.start()
