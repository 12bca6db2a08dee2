"""What it costs to run a voice in a process of its own: `python -m tests.bench.hard_cases.voice_processes`.

The first table is the time to the first samples of hibari, in a thread of the service and in a process, in turn. The
second is how late the event loop runs a timer of 5 ms, alone and while ChatTTS, a tiny random model, speaks without end
in `make voices`' environment.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from realtime.audio.formats import Samples
from realtime.catalogue.names import lookup
from realtime.engines.base import EngineProgram
from realtime.engines.hibari import Hibari
from realtime.engines.registry import InstalledEngines
from realtime.engines.speech_job import SpeechJob, described
from realtime.models.synthesizers import ProcessSynthesizerHandle, SynthesizerHandle, ThreadSynthesizerHandle
from realtime.settings import Settings
from realtime.workers.process_pool import ProcessPool

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".voices" / "bin" / "python"
TEXT = "The weather will be fine until the evening."
ROUNDS = 40
LAG_SECONDS = 10.0
TICK = 0.005


class HibariProcess:
    """hibari as a `ProcessEngine`."""

    def __init__(self, arguments: Mapping[str, Any], on_stage: Callable[[str], None]) -> None:
        self._hibari = Hibari()
        self.description = described(self._hibari.sample_rate, self._hibari.voices, self._hibari.capabilities)

    def run(self, job: Mapping[str, Any], samples: Samples) -> Generator[tuple[dict[str, Any], Samples], None, None]:
        phrase = SpeechJob.from_fields(job)
        for chunk in self._hibari.synthesize(phrase.text, phrase.voice, phrase.speed):
            yield {}, chunk

    def interrupt(self) -> None:
        pass


def ignore(_: str) -> None:
    pass


async def first_audio_ms(handle: SynthesizerHandle) -> float:
    began = time.perf_counter()
    async with aclosing(handle.synthesize(TEXT, handle.voices[0], 1.0)) as chunks:
        await anext(chunks)
        first = time.perf_counter() - began
        async for _ in chunks:
            pass
    return 1000 * first


async def measure_first_audio() -> None:
    entry = lookup("hibari-tts")
    program = EngineProgram(
        "hibari-tts", "tests.bench.hard_cases.voice_processes:HibariProcess", {}, sys.executable,
        {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    handles = {
        "thread": ThreadSynthesizerHandle(entry, Hibari()),
        "process": ProcessSynthesizerHandle(entry, program, {}, ignore),
    }
    times: dict[str, list[float]] = {name: [] for name in handles}
    for _ in range(ROUNDS):
        for name, handle in handles.items():
            times[name].append(await first_audio_ms(handle))
    for name, handle in handles.items():
        middle, high = np.percentile(times[name], [50, 95])
        print(f"first audio, {name:8} p50 {middle:6.1f} ms   p95 {high:6.1f} ms")
        handle.close()


async def lag_ms() -> list[float]:
    """Return by how much a timer was late, each time."""
    lags, end = [], time.perf_counter() + LAG_SECONDS
    while time.perf_counter() < end:
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        lags.append(1000 * (time.perf_counter() - due))
    return lags


def make_model(directory: Path) -> None:
    script = ROOT / "tests" / "support" / "tiny_chattts.py"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([PYTHON, script, directory], check=True, capture_output=True, env=environment)


@asynccontextmanager
async def chattts_speaking() -> AsyncIterator[list[int]]:
    """Have the model speak until the block ends; yield the sizes of its chunks."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        make_model(model)
        engines = InstalledEngines(Settings(model_paths=(f"ChatTTS={model}",), chattts_python=PYTHON))
        program = engines.synthesizer(lookup("ChatTTS"))
        assert isinstance(program, EngineProgram)
        pool, sizes = ProcessPool(program, ignore, max_waiting=1), list[int]()

        async def speak() -> None:
            while True:
                async for message in pool.run(SpeechJob(TEXT, "default", 1.0).fields()):
                    sizes.append(len(message.samples))

        speaking = asyncio.create_task(speak())
        while not sizes:  # noqa: ASYNC110 - the first chunk of a process
            await asyncio.sleep(0.05)
        yield sizes
        speaking.cancel()
        await asyncio.wait([speaking])
        pool.close()


async def measure_lag() -> None:
    for name in ("alone", "while ChatTTS speaks"):
        if name == "alone":
            lags, spoken = await lag_ms(), 0.0
        else:
            async with chattts_speaking() as sizes:
                before = sum(sizes)
                lags = await lag_ms()
                spoken = (sum(sizes) - before) / 24_000
        middle, high = np.percentile(lags, [50, 99])
        print(f"lag of the event loop, {name:20} p50 {middle:5.2f} ms   p99 {high:5.2f} ms   ({spoken:.0f} s spoken)")


async def main() -> None:
    await measure_first_audio()
    if PYTHON.exists():
        await measure_lag()
    else:
        print("ChatTTS is not installed: make voices")


if __name__ == "__main__":
    uvloop.run(main())
