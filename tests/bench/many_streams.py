"""Many streams in real time through one process with scripted engines: what the event loop costs, and when it is late.

    python -m tests.bench.many_streams [STREAMS] [--seconds S] [--frame-ms MS] [--binary] [--silero] [--profile]

The service runs as by the command `serve`, in this process; the clients are another one. Every word is a number in the
samples, so that the words that were lost or came twice are known. The scripted engines answer at once, so that each
stream has as many partials as it can have. With `--silero`, the real detector scores the windows, too.
"""

import argparse
import asyncio
import base64
import cProfile
import difflib
import json
import pstats
import random
import struct
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import psutil
import uvloop
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from realtime.audio.formats import Encoding, Samples, encode
from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import ModelEntry
from realtime.engines.base import VadState
from realtime.engines.silero import Silero
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis, Word
from tests.bench.scoring import percentile
from tests.bench.service_cost import busy_seconds
from tests.support.realtime_service import RATE, eventually, realtime_service
from tests.support.recordings import silence
from tests.support.scripted_engines import (
    NUMBERS,
    WORD_MS,
    ScriptedDetector,
    ScriptedEngines,
    ScriptedRecognizer,
    say_numbers,
)

MAX_LAG: Final = 0.05
"""Seconds that the event loop may be late in 99 % of the looks."""

FRAME_SECONDS: Final = 0.04
"""Seconds of audio in a message, as clients usually send it."""

LOOK_SECONDS: Final = 0.005
"""Seconds between two looks at how late the event loop is."""

OPEN_SECONDS: Final = 60.0
"""Seconds in which all streams must have been opened."""

LOWEST, SECOND = (float(say_numbers([number])[0]) for number in (0, 1))
LOOP: Final = "loop"
RECOGNIZER: Final = "whisper-base"
"""Names of threads."""

WORD: Final = 16 * WORD_MS
"""Samples of a word at 16 kHz."""


class Numbered(ScriptedRecognizer):
    """Writes every number of which at least half was heard, wherever the audio was cut and resampled."""

    def decode(self, encoded: Sequence[TranscriptionRequest]) -> list[Hypothesis]:
        return [Hypothesis(tuple(_words(request.samples)), "en") for request in encoded]


def _words(samples: Samples) -> Iterator[Word]:
    numbers = np.rint((samples - LOWEST) / (SECOND - LOWEST)).astype(np.int32)
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    for start, end in pairwise(edges):
        if end - start >= WORD // 2 and numbers[start] >= 0:
            yield Word(f" word{numbers[start]}", start, end, 1.0)


class CostlyDetector(ScriptedDetector):
    """Answers as the scripted detector, after Silero has scored the same windows."""

    def __init__(self, engines: ScriptedEngines, name: str) -> None:
        super().__init__(engines, name)
        self._silero = Silero()

    def initial_state(self) -> VadState:
        return self._silero.initial_state()

    def score(self, requests: Sequence[tuple[NDArray[np.float32], VadState]]) -> list[tuple[list[float], VadState]]:
        scripted = super().score(requests)
        scored = self._silero.score(requests)
        return [(ours, state) for (ours, _), (_, state) in zip(scripted, scored, strict=True)]


class Engines(ScriptedEngines):
    """Scripted engines, of which the detector may take the time of the real one."""

    def __init__(self, *, silero: bool) -> None:
        super().__init__(workers=2)
        self._silero = silero

    def detector(self) -> ScriptedDetector:
        return CostlyDetector(self, "detector") if self._silero else super().detector()

    def recognizer(self, entry: ModelEntry) -> ScriptedRecognizer:
        return Numbered(self, entry.name, Capabilities())


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

    async def run(self, port: int, began: float) -> None:
        async with connect(f"ws://127.0.0.1:{port}/v1/realtime?{self._query}", compression=None) as socket:
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


async def speak(port: int, streams: int, seconds: float, frame_seconds: float, *, binary: bool) -> Heard:
    """Play the streams, and return what they heard."""
    clients = [Client(number, seconds, frame_seconds, binary=binary) for number in range(streams)]
    began, cpu = time.monotonic() + 0.02 * streams, time.process_time()
    # Spread over a second, so that they neither connect nor send nor pause in step.
    await asyncio.gather(*(client.run(port, began + number / streams) for number, client in enumerate(clients)))
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


async def look(lags: list[float], stopped: threading.Event) -> None:
    """Note how late the event loop is, until `stopped`.

    A look that is late stands for those that would have been due meanwhile, which would have been less late.
    """
    while not stopped.is_set():
        due = time.monotonic() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        late = time.monotonic() - due
        lags += [late - missed * LOOK_SECONDS for missed in range(1 + int(late / LOOK_SECONDS))]


def cpu_of_threads() -> dict[str, float]:
    """Return the CPU seconds of the threads of this process, by their names without numbers."""
    names = {
        thread.native_id: LOOP if thread.name.endswith("(run)") else thread.name.rsplit("-", 1)[0]
        for thread in threading.enumerate()
    }
    seconds: defaultdict[str, float] = defaultdict(float)
    for thread in psutil.Process().threads():
        seconds[names.get(thread.id, "others")] += thread.user_time + thread.system_time
    return seconds


def measure(
    streams: int,
    seconds: float,
    frame_seconds: float = FRAME_SECONDS,
    *,
    binary: bool = False,
    silero: bool = False,
    profile: bool = False,
) -> Figures:
    """Run the service and the clients."""
    options = [str(streams), "--seconds", str(seconds), "--frame-ms", str(1000 * frame_seconds)]
    command = [sys.executable, "-m", "tests.bench.many_streams", *options, *["--binary"] * binary]
    with realtime_service(
        Engines(silero=silero),
        loop_factory=uvloop.new_event_loop,
        owns_process=True,
        load_limit=1000.0,
        max_sessions=streams,
    ) as service:
        lags: list[float] = []
        stopped, profiler = threading.Event(), cProfile.Profile()
        with subprocess.Popen([*command, "--port", str(service.port)], stdout=subprocess.PIPE, text=True) as clients:
            assert eventually(lambda: service.sessions == streams, OPEN_SECONDS)
            service.start(look(lags, stopped))
            if profile:
                service.call(_start(profiler))
            before, began, busy = cpu_of_threads(), time.monotonic(), busy_seconds()
            answer, _ = clients.communicate()
            after, wall = cpu_of_threads(), time.monotonic() - began
            busy = busy_seconds() - busy
        stopped.set()
        if profile:
            service.call(_stop(profiler))
            pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
    cores = {name: (cpu - before.get(name, 0.0)) / wall for name, cpu in after.items()}
    heard = Heard(**json.loads(answer))
    return Figures(
        streams=streams,
        heard=heard,
        lag_p50=percentile(lags, 0.5) or 0.0,
        lag_p99=percentile(lags, 0.99) or 0.0,
        lag_max=max(lags),
        cores=cores,
        loop_cpu=cores[LOOP] * wall / heard.audio_seconds,
        cores_of_others=busy / wall - sum(cores.values()) - heard.cpu,
    )


async def _start(profiler: cProfile.Profile) -> None:
    profiler.enable()


async def _stop(profiler: cProfile.Profile) -> None:
    profiler.disable()


def main() -> int:
    """Print the table, or be the clients; return whether the streams were too many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", type=int, nargs="*", default=[200])
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each stream")
    parser.add_argument("--frame-ms", type=float, default=1000 * FRAME_SECONDS, help="audio in a message")
    parser.add_argument("--binary", action="store_true", help="audio in binary messages instead of base64")
    parser.add_argument("--silero", action="store_true", help="pay for the real detector")
    parser.add_argument("--profile", action="store_true", help="print what the event loop does (it gets slower)")
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    frame_seconds = options.frame_ms / 1000
    if options.port:
        (streams,) = options.streams
        heard = asyncio.run(speak(options.port, streams, options.seconds, frame_seconds, binary=options.binary))
        print(json.dumps(asdict(heard)))
        return 0
    rows = []
    for streams in options.streams:
        print(f"{streams} streams, {options.seconds:.0f} s ...", file=sys.stderr, flush=True)
        rows.append(
            measure(
                streams,
                options.seconds,
                frame_seconds,
                binary=options.binary,
                silero=options.silero,
                profile=options.profile,
            )
        )
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
