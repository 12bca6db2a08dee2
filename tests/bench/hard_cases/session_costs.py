"""What resuming and processes cost a session: `python -m tests.bench.hard_cases.session_costs`.

The first table has 1,000 idle sessions of a service with whisper-base: the CPUs that the service and its processes take
and the memory of the service for each, with the recognizer in threads and in processes, with sessions that can be
resumed and without. The line below it is the memory of sessions with scripted engines that have spoken once, one after
the other, and have said nothing for longer than `REST_SECONDS` since. Then follows the processor time of two services
with scripted engines for each second of audio that sessions of our client send, with resuming to the one and without to
the other at the same time, by turns: other programs that share caches and cores double it, for both.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator
from typing import Final

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect as connect_websocket

from clients.aio import connect
from realtime.audio.formats import Encoding, encode
from realtime.edge.connection import REST_SECONDS
from tests.support.pending_transcripts import PendingTranscripts
from tests.support.realtime_service import RATE, utterance
from tests.support.recordings import silence
from tests.support.replicas import Replica, replicas
from tests.support.running_service import running_service

IDLE: Final = 1_000
IDLE_SECONDS: Final = 20.0
SETTLING_SECONDS: Final = 3.0

SPOKEN: Final = 100

TALKERS: Final = 10
ROUNDS: Final = 4

SPEED: Final = 4.0
"""How many times as fast as it is spoken the audio is sent."""

FRAME_BYTES: Final = 2 * RATE // 25
AUDIO: Final = encode(
    np.concatenate([utterance(range(start, start + 10)) for start in range(0, 100, 10)]), Encoding.PCM16
)
SECONDS: Final = len(AUDIO) / RATE / 2

ONCE: Final = encode(np.concatenate([utterance(range(5)), silence(2.0, RATE)]), Encoding.PCM16)
"""What sessions say that are idle after that."""


def cpu_seconds(process_id: int) -> float:
    """Return the processor time of a process (Linux only)."""
    return time.clock_gettime((~process_id << 3) | 2)  # the clock of a process, see clock_getcpuclockid(3)


async def idle(url: str, process_id: int) -> tuple[float, float]:
    """Return the CPUs that idle sessions take, and the kB of memory of the service for each."""
    await asyncio.sleep(SETTLING_SECONDS)  # until the second process of the recognizer has loaded it, too
    service = psutil.Process(process_id)
    processes, memory = [service, *service.children(recursive=True)], service.memory_info().rss
    sockets = [await connect_websocket(url, compression=None) for _ in range(IDLE)]
    await asyncio.sleep(SETTLING_SECONDS)
    used, began = sum(cpu_seconds(each.pid) for each in processes), time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    used, seconds = sum(cpu_seconds(each.pid) for each in processes) - used, time.monotonic() - began
    memory = service.memory_info().rss - memory
    await asyncio.gather(*(socket.close() for socket in sockets))
    return used / seconds, memory / IDLE / 1e3


async def spoken(replica: Replica) -> float:
    """Return the kB of memory for each session that has spoken once, at 24 kHz, and rests."""
    url = f"ws://127.0.0.1:{replica.port}/v1/realtime?intent=transcription&ext=binary"
    service, sockets = psutil.Process(replica.process_id), []

    async def speak() -> None:
        sockets.append(socket := await connect_websocket(url, compression=None))
        for start in range(0, len(ONCE), FRAME_BYTES):
            await socket.send(ONCE[start : start + FRAME_BYTES])
        while "transcription.completed" not in str(await socket.recv()):
            pass

    await speak()
    before = service.memory_info().rss
    for _ in range(SPOKEN):
        await speak()
    await asyncio.sleep(REST_SECONDS + SETTLING_SECONDS)
    memory = service.memory_info().rss - before
    await asyncio.gather(*(socket.close() for socket in sockets))
    return memory / SPOKEN / 1e3


async def talk(url: str, *, resume: bool) -> None:
    """Send the audio, and receive all transcripts."""
    pending = PendingTranscripts()
    async with connect(url, partials=True, binary=True, resume_seconds=60.0 if resume else 0.0) as session:

        async def send() -> None:
            began = time.monotonic()
            for start in range(0, len(AUDIO), FRAME_BYTES):
                await asyncio.sleep(began + start / 2 / RATE / SPEED - time.monotonic())
                await session.send_audio(AUDIO[start : start + FRAME_BYTES])
            pending.final_commits.extend([await session.commit(), await session.commit()])

        sending = asyncio.create_task(send())
        while not pending.done:
            pending.receive(await anext(session))
        await sending


async def streaming(replica: Replica, *, resume: bool) -> float:
    """Return the milliseconds of processor time for each second of audio."""
    before, url = cpu_seconds(replica.process_id), f"ws://127.0.0.1:{replica.port}"
    await asyncio.gather(*(talk(url, resume=resume) for _ in range(TALKERS)))
    return 1e3 * (cpu_seconds(replica.process_id) - before) / TALKERS / SECONDS


async def side_by_side(plain: Replica, resumable: Replica) -> tuple[float, float]:
    """Return the milliseconds without resuming and with it."""
    return await asyncio.gather(streaming(plain, resume=False), streaming(resumable, resume=True))


def idle_rows() -> Iterator[tuple[str, str, str, str]]:
    """Measure each way in a service of its own, whose memory no other sessions have touched."""
    for processes, resume in itertools.product(("false", "true"), (False, True)):
        with running_service(
            decoders_in_processes=processes, max_sessions=str(IDLE + 100), load_limit="1000", log_level="error"
        ) as service:
            url = service.realtime_url + ("?ext=resume" if resume else "")
            cpus, kilobytes = asyncio.run(idle(url, service.process_id))
        where = "processes" if processes == "true" else "threads"
        yield where, "yes" if resume else "no", f"{cpus:.4f}", f"{kilobytes:.1f} kB"


def main() -> None:
    table = Table("recognizer in", "resumable", "CPUs", "memory for each", title=f"{IDLE:,} idle sessions")
    for row in idle_rows():
        table.add_row(*row)
    with replicas(max_sessions=str(SPOKEN + 100), load_limit="1000") as source:
        rested = asyncio.run(spoken(source.start()))
    with replicas() as source:
        one, other = source.start(), source.start()
        asyncio.run(side_by_side(one, other))  # what is made once, is made now
        costs = []
        for _ in range(ROUNDS):
            costs.append(asyncio.run(side_by_side(one, other)))
            one, other = other, one
    added = [resumable / plain - 1 for plain, resumable in costs]
    console = Console()
    console.print(table)
    console.print(f"{rested:.1f} kB for each that has spoken once and rests")
    console.print("ms for 1 s of audio:", ", ".join(f"{plain:.2f} and {resumable:.2f}" for plain, resumable in costs))
    console.print(f"resuming adds {statistics.median(added):.1%} (median)")


if __name__ == "__main__":
    main()
