"""Processes of an engine that answer blocking calls: as many as the program says, each started again when it ends.

Each process has a thread that starts it, waits for its end and starts the next one. A call takes any process without a
call. A caller whose process has ended may call again, and gets another one.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from realtime.engines.base import EngineProgram
from realtime.errors import EngineError, Overloaded, VoiceError
from realtime.workers.backoff import Backoff
from realtime.workers.messages import Buffer
from realtime.workers.worker_process import ProcessEnded, WorkerProcess

logger = logging.getLogger(__name__)

MAX_WAIT: Final = 30.0
"""Most seconds that a call waits for a process: longer than a large model takes to load from the cache of files."""


class SupervisedProcesses:
    """Processes that answer calls. All methods block and may be called from any thread."""

    def __init__(self, program: EngineProgram, on_stage: Callable[[str], None]) -> None:
        """Start the processes and wait until the first one has loaded its engine.

        `on_stage` is called during its start, see `WorkerProcess`. Raises what the engine raises.
        """
        self._program = program
        self._changed = threading.Condition()
        self._alive: set[WorkerProcess] = set()
        self._idle: list[WorkerProcess] = []
        self._backoff = Backoff()
        self._closing = False
        self.restarts = 0
        """How many processes have ended by themselves, or were killed, and were replaced."""
        self._failure: Exception | None = None
        self._supervisors = 0
        self._threads: list[threading.Thread] = []
        self.description: Mapping[str, Any] = {}
        self._start_thread(on_stage, first=True)
        with self._changed:
            self._changed.wait_for(lambda: self.description or not self._supervisors)
        if not self.description:
            self._join()
            raise self._failure or EngineError(f"{program.name} cannot be started because of a bug.")
        for _ in range(program.instances - 1):
            self._start_thread(self._require_open)

    @property
    def running(self) -> int:
        """The number of processes that have loaded their engine."""
        return len(self._alive)

    def call(self, name: str, data: Sequence[Buffer], timeout: float) -> Buffer:
        """Call the engine in a process without a call; wait for one for at most `MAX_WAIT` seconds.

        Raises what the engine raises, `ProcessEnded` if the process has ended, `ProcessStalled` if it does not answer
        within `timeout` seconds, and `Overloaded` if there is no process.
        """
        process = self._take()
        try:
            answer = process.call(name, data, timeout)
        except ProcessEnded as exc:
            if self._closing:
                raise _unloaded() from exc
            raise
        finally:
            self._put_back(process)
        self._backoff.record_success()
        return answer

    def close(self) -> None:
        """End all processes; calls in progress raise `Overloaded`."""
        with self._changed:
            self._closing = True
            for process in self._alive:
                process.kill()
            self._changed.notify_all()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _take(self) -> WorkerProcess:
        """Return a process without a call."""
        with self._changed:
            while self._changed.wait_for(lambda: self._idle or self._closing, MAX_WAIT):
                if self._closing:
                    raise _unloaded()
                process = self._idle.pop()
                if not process.hung_up:
                    return process
                process.end()
            seconds = max(1, math.ceil(self._backoff.seconds_left(time.monotonic())))
        raise Overloaded(f"{self._program.name} is being started again.", retry_after=seconds)

    def _put_back(self, process: WorkerProcess) -> None:
        with self._changed:
            if process in self._alive and not process.hung_up and not self._closing:
                self._idle.append(process)
                self._changed.notify()
                return
        process.end()

    def _start_thread(self, on_stage: Callable[[str], None], *, first: bool = False) -> None:
        name = f"{self._program.name}-supervisor"
        thread = threading.Thread(target=self._supervise, args=(on_stage, first), name=name, daemon=True)
        self._threads.append(thread)
        with self._changed:
            self._supervisors += 1
        thread.start()

    def _supervise(self, on_stage: Callable[[str], None], first: bool) -> None:
        """Start a process, and another one whenever it has ended, until `close`; return if the `first` start fails."""
        try:
            while (process := self._started(on_stage, first=first)) is not None:
                process.wait()
                with self._changed:
                    self._alive.discard(process)
                    if process in self._idle:
                        self._idle.remove(process)
                        process.end()
                    if self._closing:
                        return
                    self.restarts += 1
                    self._backoff.record_failure(time.monotonic())
                logger.warning("%s It is started again.", process.ending())
                on_stage, first = self._require_open, False
        finally:
            with self._changed:
                self._supervisors -= 1
                self._changed.notify_all()

    def _started(self, on_stage: Callable[[str], None], *, first: bool) -> WorkerProcess | None:
        """Return a process that has loaded its engine, or None where none is wanted any more."""
        while True:
            with self._changed:
                seconds = self._backoff.seconds_left(time.monotonic())
                if self._changed.wait_for(lambda: self._closing, seconds):
                    return None
            try:
                process = WorkerProcess(self._program, on_stage, ends_with_thread=True)
            except (VoiceError, OSError) as exc:  # `OSError`: no descriptors are left
                with self._changed:
                    if first:
                        self._failure = exc
                    if first or self._closing:
                        return None
                    self._backoff.record_failure(time.monotonic())
                logger.warning("%s cannot be started: %s", self._program.name, exc)
                continue
            with self._changed:
                self.description = process.description
                self._alive.add(process)
                self._idle.append(process)
                self._changed.notify_all()
                if self._closing:
                    process.kill()
            return process

    def _require_open(self, _: str) -> None:
        if self._closing:
            raise _unloaded()


def _unloaded() -> Overloaded:
    return Overloaded("The model is being unloaded.")
