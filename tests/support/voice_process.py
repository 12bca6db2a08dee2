"""Speech engines in processes of their own: the real libraries, with tiny random models."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.engines.base import EngineProgram
from realtime.engines.speech_job import SpeechJob
from realtime.workers.messages import NO_SAMPLES
from realtime.workers.process_pool import ProcessPool
from tests.support.scenarios import until

ROOT = Path(__file__).parents[2]
Answer = TypeVar("Answer")


def a_voice(seconds: float = 3.0) -> Samples:
    """Return sound that a library takes for a recorded voice: a buzz whose loudness changes."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    buzz = np.sign(np.sin(2 * np.pi * 120 * time)) * (1 + np.sin(2 * np.pi * 3 * time))
    return np.asarray(0.1 * buzz, np.float32)


class VoiceProcess:
    """A pool with one event loop, in which a module's tests run their coroutines."""

    def __init__(self, program: EngineProgram) -> None:
        self.runner = asyncio.Runner()
        self.pool = ProcessPool(program, lambda _: None, max_waiting=20)

    def run(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        async def bounded() -> Answer:
            async with asyncio.timeout(60):
                return await coroutine

        return self.runner.run(bounded())

    async def speak(
        self, text: str, voice: str = "default", speed: float = 1.0, *, clip: Samples = NO_SAMPLES,
        first: int | None = None, **style: Any,
    ) -> list[Samples]:  # fmt: skip
        """Return the chunks of a phrase, or only the `first` ones and cancel the rest."""
        chunks: list[Samples] = []
        job = SpeechJob(text, voice, speed, **style)
        async with aclosing(self.pool.run(job.fields(), clip)) as results:
            async for result in results:
                chunks.append(result.samples)
                if len(chunks) == first:
                    break
        return chunks

    def spoken(self, text: str, voice: str = "default", speed: float = 1.0, **options: Any) -> list[Samples]:
        return self.run(self.speak(text, voice, speed, **options))

    async def idle(self, processes: int = 1) -> None:
        await until(lambda: self.pool.idle_processes >= processes)

    def children(self) -> list[psutil.Process]:
        """Return the processes of engines, the oldest first."""
        return [each for each in psutil.Process().children() if "engine_process.py" in " ".join(each.cmdline())]

    def close(self) -> None:
        self.pool.close()
        self.runner.close()
