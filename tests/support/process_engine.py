"""An engine for worker processes that does what its jobs say; it runs in the process, and imports nothing heavy."""

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities
from realtime.engines.base import EngineProgram
from realtime.engines.speech_job import Parts, SpeechJob, described
from realtime.errors import EngineError, UnusableModel
from tests.support.garbage import leave_garbage, resident_megabytes

ROOT = str(Path(__file__).parents[2])


class ObedientEngine:
    """Its jobs have a verb in `do`; its arguments may make the load fail."""

    def __init__(self, arguments: Mapping[str, Any], on_stage: Callable[[str], None]) -> None:
        on_stage("loading")
        match arguments.get("load"):
            case "refuse":
                raise UnusableModel("The library is not installed.", param="model")
            case "crash":
                os.abort()
            case "once":
                with Path(arguments["marker"]).open("x"):
                    pass
            case "slowly":
                time.sleep(60)
            case "wastefully":
                self.kept = leave_garbage()
        self.description = {"pid": os.getpid()}
        self._interrupted = threading.Event()

    def run(self, job: Mapping[str, Any], samples: Samples) -> Generator[tuple[dict[str, Any], Samples], None, None]:
        self._interrupted.clear()
        match job["do"]:
            case "echo":
                yield {"text": job.get("text", "")}, samples
            case "count":
                for number in range(job["up_to"]):
                    self._interrupted.wait(job.get("pause", 0.0))
                    yield {"number": number}, np.full(job.get("size", 1), number, np.float32)
            case "describe":
                threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
                files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
                yield {"pid": os.getpid(), "threads": threads, "files": files, "keys": sorted(os.environ)}, samples
            case "waste":
                self.kept = leave_garbage()
            case "weigh":
                yield {"megabytes": resident_megabytes()}, samples
            case "abort":
                yield {}, samples
                os.abort()
            case "unnamed":
                os.kill(os.getpid(), signal.SIGRTMIN + 6)
            case "exit":
                os._exit(3)
            case "sleep":
                yield {}, samples
                time.sleep(60)
            case "take memory":
                yield {}, np.ones(job["bytes"] // 4, np.float32)[:1]
            case "refuse":
                raise EngineError("The engine cannot read this text.")
            case "break":
                raise ZeroDivisionError("a secret text")

    def interrupt(self) -> None:
        self._interrupted.set()


def obedient(
    *,
    instances: int = 1,
    max_memory_bytes: int = 0,
    stall_timeout: float = 20.0,
    rest_seconds: float = 10.0,
    **load: str,
) -> EngineProgram:
    """Return the program of an `ObedientEngine` in the Python that runs the tests."""
    import sys

    return EngineProgram(
        "obedient", "tests.support.process_engine:ObedientEngine", load, sys.executable,
        environment={"PYTHONPATH": ROOT}, instances=instances, max_memory_bytes=max_memory_bytes,
        stall_timeout=stall_timeout, cancel_timeout=0.5, rest_seconds=rest_seconds,
    )  # fmt: skip


class ObedientVoice:
    """A speech engine with a chunk of 500 samples for each letter, or of 1,000 times the first sample of the clip."""

    def __init__(self, arguments: Mapping[str, Any], on_stage: Callable[[str], None]) -> None:
        abilities = Capabilities(("en",), cloning=True, any_voice=bool(arguments.get("any_voice")))
        self.description = described(24_000, ("amber",), abilities)

    def run(self, job: Mapping[str, Any], samples: Samples) -> Parts:
        phrase = SpeechJob.from_fields(job)
        length = round(1_000 * float(samples[0])) if len(samples) else 500
        for _ in phrase.text:
            yield {}, np.tile(np.array([0.1, -0.1], np.float32), length // 2)

    def interrupt(self) -> None:
        pass


def obedient_voice(**load: str) -> EngineProgram:
    """Return the program of an `ObedientVoice`."""
    return replace(obedient(), engine="tests.support.process_engine:ObedientVoice", arguments=load)
