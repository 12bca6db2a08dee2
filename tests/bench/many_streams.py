"""Many streams in real time through one process with scripted engines: what the event loop costs, and when it is late.

    python -m tests.bench.many_streams [STREAMS] [--seconds S] [--frame-ms MS] [--binary] [--silero] [--profile]

The service is another process (`tests.bench.scripted_service`). Every word is a number in the samples, so that the
words that were lost or came twice are known.
"""

import argparse
import asyncio
import base64
import difflib
import json
import random
import struct
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from realtime.audio.formats import Encoding, encode
from tests.bench.scoring import percentile
from tests.bench.scripted_service import LOOK_SECONDS, LOOP
from tests.bench.service_cost import busy_seconds
from tests.support.realtime_service import RATE
from tests.support.recordings import silence
from tests.support.running_service import running_service
from tests.support.scripted_engines import NUMBERS, WORD_MS, say_numbers

MAX_LAG: Final = 0.05
"""Seconds that the event loop may be late in 99 % of the looks."""

FRAME_SECONDS: Final = 0.04
"""Seconds of audio in a message, as clients usually send it."""

START_SECONDS: Final = 1.0
"""Seconds within which all streams begin."""

RECOGNIZER: Final = "whisper-base"
"""Name of its threads."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the clients have seen; seconds."""

    audio_seconds: float
    words: int
    lost: int
    doubled: int
    partials: float
    """Per second, of all streams together."""
    commit_lag_p50: float
    commit_lag_p95: float
    sent_late: float
    cpu: float
    """CPU seconds per second of the clients."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. `cores` are the CPU seconds per second of each thread of the service, by its task."""

    streams: int
    heard: Heard
    lag_p50: float
    lag_p99: float
    lag_max: float
    cores: dict[str, float]
    loop_cpu: float
    """CPU seconds of the event loop for a second of audio."""
    cores_of_others: float

    @property
    def held(self) -> bool:
        """Whether the event loop was in time, and every word came once."""
        return self.lag_p99 <= MAX_LAG and not self.heard.lost and not self.heard.doubled


# The clients.


def turns_of(number: int, seconds: float) -> list[list[int]]:
    """Return the numbers that a user says in each turn."""
    dice, said = random.Random(number), 0
    turns: list[list[int]] = []
    while said * WORD_MS / 1000 + len(turns) < seconds:
        count = dice.randint(9, 20)
        turns.append([(number + said + each) % len(NUMBERS) for each in range(count)])
        said += count
    return turns


def frames_of(turns: Sequence[Sequence[int]], frame_seconds: float, *, binary: bool) -> Iterator[bytes]:
    """Yield websocket frames with the audio of these turns, masked with zeros."""
    size = 2 * round(frame_seconds * RATE)
    audio = b""
    for turn in turns:
        audio += encode(
            np.concatenate([silence(0.4, RATE), say_numbers(turn, RATE), silence(0.6, RATE)]), Encoding.PCM16
        )
        while len(audio) >= size:
            yield _message(audio[:size], binary=binary)
            audio = audio[size:]
    if audio:
        yield _message(audio, binary=binary)


def _message(audio: bytes, *, binary: bool) -> bytes:
    if binary:
        return _frame(0x82, audio)
    event = {"type": "input_audio_buffer.append", "audio": base64.b64encode(audio).decode()}
    return _frame(0x81, json.dumps(event).encode())


def _frame(first: int, payload: bytes) -> bytes:
    return struct.pack("!BBHI", first, 0xFE, len(payload), 0) + payload


class Client:
    """One stream."""

    def __init__(self, number: int, seconds: float, frame_seconds: float, *, binary: bool) -> None:
        self.turns = turns_of(number, seconds)
        self.late = 0.0
        self.partials = 0
        self.texts: list[str] = []
        self.lags: list[float] = []
        self._frames = frames_of(self.turns, frame_seconds, binary=binary)
        self._frame_seconds = frame_seconds
        self.seconds = sum(1.0 + len(turn) * WORD_MS / 1000 for turn in self.turns)
        self._query = f"intent=transcription&ext=partials{',binary' if binary else ''}"
        self._spoken = [
            0.4 * (index + 1) + 0.6 * index + (sum(map(len, self.turns[:index])) + place + 1) * WORD_MS / 1000
            for index, turn in enumerate(self.turns)
            for place in range(len(turn))
        ]
        """When each word ends, in seconds since the stream began."""

    async def run(self, url: str, began: float) -> None:
        async with connect(f"{url}?{self._query}", compression=None) as socket:
            await socket.recv()
            receiving = asyncio.create_task(self._receive(socket, began))
            for number, frame in enumerate(self._frames, 1):
                due = began + number * self._frame_seconds
                await asyncio.sleep(due - time.monotonic())
                self.late = max(self.late, time.monotonic() - due)
                socket.transport.write(frame)
            async with asyncio.timeout(30):
                await receiving

    async def _receive(self, socket: Any, began: float) -> None:
        while len(self.texts) < len(self.turns):
            event = json.loads(await socket.recv())
            match event["type"].rpartition(".")[2]:
                case "delta":
                    now = time.monotonic() - began
                    first = len(self.lags)
                    ends = self._spoken[first : first + len(event["delta"].split())]
                    self.lags += [now - end for end in ends]
                case "completed":
                    self.texts.append(event["transcript"])
                case "partial":
                    self.partials += 1

    def differences(self) -> Counter[str]:
        """Count the words that are missing from the transcripts (`delete`) or too many in them (`insert`)."""
        said = [f"word{number}" for turn in self.turns for number in turn]
        found: Counter[str] = Counter()
        matcher = difflib.SequenceMatcher(None, said, " ".join(self.texts).split(), autojunk=False)
        for kind, first, last, start, end in matcher.get_opcodes():
            if kind != "equal":
                found["delete"] += last - first
                found["insert"] += end - start
        return found


async def speak(
    url: str, streams: int, seconds: float, frame_seconds: float, *, binary: bool, all_play: Callable[[], None]
) -> Heard:
    """Play the streams, and return what they heard; `all_play` is called when the last one has begun."""
    clients = [Client(number, seconds, frame_seconds, binary=binary) for number in range(streams)]
    began, cpu = time.monotonic() + 0.02 * streams, time.process_time()
    asyncio.get_running_loop().call_later(began + START_SECONDS - time.monotonic(), all_play)
    # Spread, so that they neither connect nor send nor pause in step.
    starts = (began + START_SECONDS * number / streams for number in range(streams))
    await asyncio.gather(*(client.run(url, start) for client, start in zip(clients, starts, strict=True)))
    cpu, wall = time.process_time() - cpu, time.monotonic() - began
    lags = [lag for client in clients for lag in client.lags]
    differences = sum((client.differences() for client in clients), Counter[str]())
    return Heard(
        audio_seconds=sum(client.seconds for client in clients),
        words=sum(len(turn) for client in clients for turn in client.turns),
        lost=differences["delete"],
        doubled=differences["insert"],
        partials=sum(client.partials for client in clients) / wall,
        commit_lag_p50=percentile(lags, 0.5) or 0.0,
        commit_lag_p95=percentile(lags, 0.95) or 0.0,
        sent_late=max(client.late for client in clients),
        cpu=cpu / wall,
    )


# The service.


def late(looks: Sequence[tuple[float, float]], start: float, end: float) -> list[float]:
    """Return how late the event loop was between two moments.

    A look that is late stands for those that would have been due meanwhile, which would have been less late.
    """
    return [
        seconds - missed * LOOK_SECONDS
        for due, seconds in looks
        if start <= due < end
        for missed in range(1 + int(seconds / LOOK_SECONDS))
    ]


def cpu_of_threads(process: int) -> dict[int, float]:
    """Return the CPU seconds of the threads of a process, by their identifiers."""
    return {thread.id: thread.user_time + thread.system_time for thread in psutil.Process(process).threads()}


def measure(
    streams: int,
    seconds: float,
    frame_seconds: float = FRAME_SECONDS,
    *,
    binary: bool = False,
    options: Sequence[str] = (),
    checkout: Path | None = None,
) -> Figures:
    """Run the service and the clients.

    `options` are those of `tests.bench.scripted_service`; `checkout` is the directory of another version of the
    service, to which that module has been added.
    """
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        command = ("-m", "tests.bench.scripted_service", str(report), *options)
        with running_service(None, 0, checkout, command, log_level="warning", max_sessions=str(streams)) as service:
            readings: list[tuple[float, dict[int, float], float]] = []

            def read() -> None:
                readings.append((time.monotonic(), cpu_of_threads(service.process_id), busy_seconds()))

            heard = asyncio.run(
                speak(service.realtime_url, streams, seconds, frame_seconds, binary=binary, all_play=read)
            )
            read()
        reported = json.loads(report.read_text())
    (start, before, busy_before), (end, after, busy) = readings
    wall, cores = end - start, defaultdict[str, float](float)
    for thread, cpu in after.items():
        cores[reported["threads"].get(str(thread), "others")] += (cpu - before.get(thread, 0.0)) / wall
    lags = late(reported["looks"], start, end)
    return Figures(
        streams=streams,
        heard=heard,
        lag_p50=percentile(lags, 0.5) or 0.0,
        lag_p99=percentile(lags, 0.99) or 0.0,
        lag_max=max(lags),
        cores=dict(cores),
        loop_cpu=cores[LOOP] * wall / heard.audio_seconds,
        cores_of_others=(busy - busy_before) / wall - sum(cores.values()) - heard.cpu,
    )


def main() -> int:
    """Print the table, and return whether the streams were too many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", type=int, nargs="*", default=[200])
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each stream")
    parser.add_argument("--frame-ms", type=float, default=1000 * FRAME_SECONDS, help="audio in a message")
    parser.add_argument("--binary", action="store_true", help="audio in binary messages instead of base64")
    parser.add_argument("--silero", action="store_true", help="pay for the real detector")
    parser.add_argument("--profile", action="store_true", help="print what the event loop does (it gets slower)")
    options = parser.parse_args()
    if options.seconds <= START_SECONDS:
        parser.error(f"streams of more than {START_SECONDS:g} s are needed: they begin within that time")
    others = ["--silero"] * options.silero + ["--profile"] * options.profile
    rows = []
    for streams in options.streams:
        print(f"{streams} streams, {options.seconds:.0f} s ...", file=sys.stderr, flush=True)
        frame_seconds = options.frame_ms / 1000
        rows.append(measure(streams, options.seconds, frame_seconds, binary=options.binary, options=others))
    Console(width=150).print(table(rows))
    return 0 if all(row.held for row in rows) else 1


def table(rows: Sequence[Figures]) -> Table:
    """Return the figures as a table."""
    shown = Table(
        "streams", "loop late ms p50/p99/max", "cores: loop", "detector", "recognizer", "clients", "others",
        "loop ms per s", "partials/s", "commit lag p50/p95", "words", "lost", "doubled", "sent late ms",
    )  # fmt: skip
    for row in rows:
        heard, cores = row.heard, row.cores
        known = [cores.get(name, 0.0) for name in (LOOP, "detector", RECOGNIZER)]
        shown.add_row(
            str(row.streams),
            f"{1000 * row.lag_p50:.1f} / {1000 * row.lag_p99:.1f} / {1000 * row.lag_max:.0f}",
            *(f"{each:.2f}" for each in known),
            f"{heard.cpu:.2f}",
            f"{row.cores_of_others:.2f}",
            f"{1000 * row.loop_cpu:.2f}",
            f"{heard.partials:.1f}",
            f"{heard.commit_lag_p50:.2f} / {heard.commit_lag_p95:.2f}",
            *(str(each) for each in (heard.words, heard.lost, heard.doubled)),
            f"{1000 * heard.sent_late:.0f}",
        )
    return shown


if __name__ == "__main__":
    sys.exit(main())
