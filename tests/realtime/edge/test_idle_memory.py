"""The memory of sessions whose clients say nothing. `tests.bench.hard_cases.session_costs` measures it."""

import asyncio

import psutil
from websockets.asyncio.client import connect

from tests.support.replicas import replicas

SESSIONS = 150
MOST = 55_000
"""Bytes for each. It was 88,000 when each session began with a resampler and a second of audio."""


def test_a_session_that_says_nothing_takes_little_memory() -> None:
    async def open_all(url: str, service: psutil.Process) -> int:
        warming = [await connect(url, compression=None) for _ in range(50)]
        before = service.memory_info().rss
        sockets = [await connect(url, compression=None) for _ in range(SESSIONS)]
        for socket in sockets:
            await socket.recv()
        added = service.memory_info().rss - before
        await asyncio.gather(*(socket.close() for socket in [*warming, *sockets]))
        return int(added)

    with replicas(max_sessions="300", load_limit="1000") as source:
        replica = source.start()
        added = asyncio.run(open_all(f"ws://127.0.0.1:{replica.port}/v1/realtime", psutil.Process(replica.process_id)))
    assert added / SESSIONS < MOST
