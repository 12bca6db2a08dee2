"""A scripted recognizer for worker processes; it runs in the process, and its words say what becomes of that."""

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psutil

from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import ModelEntry
from realtime.engines.base import EngineProgram
from realtime.engines.recognizer_calls import RecognizerCalls
from realtime.errors import EngineError
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from tests.support.scripted_engines import ScriptedEngines, ScriptedRecognizer

ROOT: Final = str(Path(__file__).parents[2])

DEADLY: Final = 66
"""The number that ends the process of the recognizer that hears it."""

HANGING: Final = 77
"""The number at which the recognizer hangs until it is killed, once: then the file `hung` exists."""

ALWAYS_HANGING: Final = 78
"""The number at which the recognizer hangs whenever it hears it."""

REFUSED: Final = 88
"""The number at which the recognizer raises an error."""


class Recognizer(ScriptedRecognizer):
    """A scripted recognizer that ends its process, or hangs, at some numbers."""

    def __init__(self, engines: ScriptedEngines, hung: Path) -> None:
        super().__init__(engines, "scripted", Capabilities(("en",), word_times=True))
        self._hung = hung

    def decode(self, encoded: Sequence[TranscriptionRequest]) -> list[Hypothesis]:
        answers = super().decode(encoded)
        words = {word.text.removeprefix(" word") for answer in answers for word in answer.words}
        if str(DEADLY) in words:
            os.kill(os.getpid(), signal.SIGSEGV)
        if str(REFUSED) in words:
            logging.getLogger("realtime.scripted").warning("%d requests refused", len(encoded))
            raise EngineError("The recognizer cannot hear this.")
        if str(ALWAYS_HANGING) in words or (str(HANGING) in words and not self._hung.exists()):
            self._hung.touch()
            ctypes.PyDLL(None).sleep(600)  # which holds the lock of Python, as faulty native code may
        return answers


def load(arguments: Mapping[str, Any], on_stage: Callable[[str], None]) -> RecognizerCalls:
    if Path(arguments["damaged"]).exists():
        raise EngineError("The weights are damaged.")
    on_stage("loading")
    return RecognizerCalls(Recognizer(ScriptedEngines(decoding=arguments["decoding"]), Path(arguments["hung"])))


def program(directory: Path, *, decoding: float = 0.0, workers: int = 1, stall_timeout: float = 20.0) -> EngineProgram:
    """Return how to run a scripted recognizer in `workers` processes, which cannot start once `damaged` is there."""
    arguments = {"decoding": decoding, "hung": str(directory / "hung"), "damaged": str(directory / "damaged")}
    return EngineProgram(
        "scripted", "tests.support.recognizer_process:load", arguments, sys.executable,
        environment={"PYTHONPATH": ROOT}, instances=workers, stall_timeout=stall_timeout,
    )  # fmt: skip


class EnginesInProcesses(ScriptedEngines):
    """A registry whose recognizers run in processes; the other engines are scripted in threads."""

    def __init__(self, program: EngineProgram) -> None:
        super().__init__()
        self._program = program

    def recognizer(self, entry: ModelEntry) -> EngineProgram:
        return self._program


def children(parent: int | None = None) -> list[psutil.Process]:
    """Return the living processes of engines of a process, or of this one, the oldest first."""
    engines = [each for each in psutil.Process(parent).children() if _is_engine(each)]
    return sorted(engines, key=lambda each: each.create_time())


def _is_engine(process: psutil.Process) -> bool:
    try:
        return "engine_process.py" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # also of one that has ended and was not waited for yet
        return False
