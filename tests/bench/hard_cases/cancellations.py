"""What is left after speech that nobody wants any more: `python -m tests.bench.hard_cases.cancellations`.

Speech is cancelled at random times: 500 times that of hibari in threads of the service, 100 times that of ChatTTS, a
tiny random model, in a process of `make voices`' environment. The table has how long the engine still worked each time,
and how many threads, files and bytes there are more at the end than after the first tenth; in the process both times
after it has rested. What it has more then are two caches, of PyTorch and of oneDNN, with entries for each length of
audio that was computed, 1,024 each: they end at 45 MB with this model.
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import uvloop

from realtime.audio.formats import Samples
from realtime.catalogue.names import lookup
from realtime.engines.base import EngineProgram
from realtime.engines.hibari import Hibari
from realtime.engines.registry import InstalledEngines
from realtime.engines.speech_job import SpeechJob
from realtime.models.synthesizers import ThreadSynthesizerHandle
from realtime.settings import Settings
from realtime.workers.process_pool import ProcessPool
from tests.bench.hard_cases.voice_processes import PYTHON, TEXT, ignore, make_model
from tests.bench.speech_clips import TEXTS

HIBARI_TIMES: Final = 500
CHATTTS_TIMES: Final = 100
LONGEST_WAIT: Final = 5.0
POLL: Final = 0.001
REST_SECONDS: Final = 0.5


class WatchedHibari(Hibari):
    """hibari, which counts the phrases in progress."""

    def __init__(self) -> None:
        super().__init__()
        self.speaking = 0

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        self.speaking += 1
        try:
            yield from super().synthesize(text, voice, speed)
        finally:
            self.speaking -= 1


async def cancelled(chunks: AsyncIterator[Any], seconds: float) -> None:
    """Take chunks for so long, then no more."""
    async with aclosing(chunks):  # type: ignore[type-var]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for _ in chunks:
                    pass


async def seconds_until(condition: Callable[[], bool]) -> float:
    began = time.perf_counter()
    while not condition():
        if time.perf_counter() - began > LONGEST_WAIT:
            raise TimeoutError("the engine is still at work")
        await asyncio.sleep(POLL)
    return time.perf_counter() - began


def holdings(process: psutil.Process) -> np.ndarray[Any, Any]:
    """Return the numbers of threads, open files and resident megabytes of a process."""
    return np.array([process.num_threads(), process.num_fds(), process.memory_info().rss / 1e6])


def report(name: str, waits: list[float], growth: np.ndarray[Any, Any], interrupted: int) -> None:
    p50, p99 = 1000 * np.percentile(waits, [50, 99])
    threads, files, megabytes = growth
    print(
        f"{name}: {len(waits)} times, {interrupted} while it worked; idle after p50 {p50:.0f} ms, p99 {p99:.0f} ms,"
        f" at most {1000 * max(waits):.0f} ms; {threads:+.0f} threads, {files:+.0f} files, {megabytes:+.1f} MB"
    )


async def measure_hibari(times: int) -> None:
    drawn, engine = random.Random(17), WatchedHibari()
    handle = ThreadSynthesizerHandle(lookup("hibari-tts"), engine)
    waits, interrupted, process = [], 0, psutil.Process()
    before = holdings(process)
    for number in range(times):
        if number == times // 10:
            before = holdings(process)
        text = " ".join(drawn.sample(TEXTS, drawn.randint(1, 3)))
        await cancelled(handle.synthesize(text, handle.voices[0], 1.0), drawn.uniform(0, 0.1))
        interrupted += engine.speaking > 0
        waits.append(await seconds_until(lambda: engine.speaking == 0))
    report("hibari", waits, holdings(process) - before, interrupted)
    handle.close()


async def measure_chattts(times: int) -> None:
    drawn = random.Random(17)
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder) / "model")
        engines = InstalledEngines(Settings(model_paths=(f"ChatTTS={folder}/model",), chattts_python=PYTHON))
        program = engines.synthesizer(lookup("ChatTTS"))
        assert isinstance(program, EngineProgram)
        program = replace(program, rest_seconds=REST_SECONDS)
        pool = ProcessPool(program, ignore, max_waiting=1)
        (process,) = (each for each in psutil.Process().children() if "engine_process.py" in " ".join(each.cmdline()))
        waits, interrupted, before = [], 0, holdings(process)
        for number in range(times):
            if number == times // 10:
                await asyncio.sleep(3 * REST_SECONDS)
                before = holdings(process)
            job = SpeechJob(TEXT, f"voice {number % 3}", 1.0).fields()
            await cancelled(pool.run(job), drawn.uniform(0, 1.0))
            interrupted += pool.idle_processes == 0
            waits.append(await seconds_until(lambda: pool.idle_processes == 1))
        assert process.is_running(), "its process was killed and replaced"
        await asyncio.sleep(3 * REST_SECONDS)
        report("ChatTTS", waits, holdings(process) - before, interrupted)
        pool.close()


async def main() -> None:
    await measure_hibari(HIBARI_TIMES)
    if PYTHON.exists():
        await measure_chattts(CHATTTS_TIMES)
    else:
        print("ChatTTS is not installed: make voices")
    print(f"load of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    uvloop.run(main())
