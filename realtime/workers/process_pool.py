"""Run the jobs of one engine in processes: started on demand, one job at a time each, replaced when they end."""

import asyncio
import bisect
import logging
import math
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from operator import itemgetter
from typing import Any

from realtime.audio.formats import Samples
from realtime.engines.base import EngineProgram
from realtime.errors import EngineError, Overloaded, VoiceError
from realtime.workers.backoff import Backoff
from realtime.workers.messages import NO_SAMPLES, Message
from realtime.workers.threads import BlockingCalls
from realtime.workers.worker_process import WorkerProcess

logger = logging.getLogger(__name__)


class DeadlineSemaphore:
    """A semaphore of one event loop that lets those pass first whose deadline is earliest."""

    def __init__(self, value: int) -> None:
        self._free = value
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []
        """Sorted by deadline, then by when they came."""

    async def acquire(self, deadline: float) -> None:
        """Wait until fewer than `value` have passed without `release`."""
        if self._free:
            self._free -= 1
            return
        waiting = deadline, asyncio.get_running_loop().create_future()
        bisect.insort(self._waiting, waiting, key=itemgetter(0))
        try:
            await waiting[1]
        except asyncio.CancelledError:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif not waiting[1].cancelled():  # it was let pass, and cancelled before it knew
                self.release()
            raise

    def release(self) -> None:
        """Let the next one pass."""
        while self._waiting:
            _, waiting = self._waiting.pop(0)
            if not waiting.done():  # else it was cancelled, and does not know yet
                waiting.set_result(None)
                return
        self._free += 1


class ProcessPool:
    """At most `instances` processes of one program. Belongs to one event loop, but for its construction and `close`."""

    def __init__(self, program: EngineProgram, on_stage: Callable[[str], None], *, max_waiting: int) -> None:
        """Start the first process, which blocks until its engine is loaded.

        `on_stage` is called during this start, see `WorkerProcess`; at most `max_waiting` jobs wait for a process.
        Raises what the engine raises.
        """
        first = WorkerProcess(program, on_stage)
        self.description = first.description
        self._program = program
        self._max_waiting = max_waiting
        self._waiting = 0
        self._slots = DeadlineSemaphore(program.instances)
        self._processes = {first}
        self._idle = [first]
        self._starts = BlockingCalls(program.instances)
        self._background: set[asyncio.Task[None]] = set()
        self._backoff = Backoff()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self.restarts = 0
        """How many processes have ended by themselves, or were killed as hung."""

    @property
    def idle_processes(self) -> int:
        """The number of processes that wait for a job."""
        return len(self._idle)

    async def run(
        self, job: Mapping[str, Any], samples: Samples = NO_SAMPLES, deadline: float = -math.inf
    ) -> AsyncGenerator[Message, None]:
        """Yield the parts of the result of a job, which waits for a process. Closing the generator cancels the job.

        Of jobs that wait, the one with the earliest `deadline`, a time of any clock, gets the next process.

        Raises what the engine raises, `EngineError` if the process ends or stalls, and `Overloaded` if too many jobs
        wait, or the engine has failed repeatedly.
        """
        process = await self._take(deadline)
        try:
            async with aclosing(process.run(job, samples)) as results:
                async for result in results:
                    yield result
            self._backoff.record_success()
        except EngineError as exc:
            if self._closing:
                raise Overloaded("The model is being unloaded.") from exc
            if not process.alive:
                self.restarts += 1
                self._record_failure(exc)
            raise
        finally:
            self._put_back(process)

    def close(self) -> None:
        """End all processes; jobs in progress fail with `Overloaded`. May be called in any thread."""
        self._closing = True
        for process in tuple(self._processes):
            process.end()
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(process.close_streams)

    async def _take(self, deadline: float) -> WorkerProcess:
        """Wait for a process without a job, or start one."""
        if self._closing or self._waiting >= self._max_waiting:
            raise Overloaded("Too many requests are queued for this model.")
        self._loop = asyncio.get_running_loop()
        self._waiting += 1
        try:
            await self._slots.acquire(deadline)
        finally:
            self._waiting -= 1
        try:
            return self._living() or await self._started()
        except BaseException:
            self._slots.release()
            raise

    def _living(self) -> WorkerProcess | None:
        """Return an idle process, or None; those that have ended meanwhile are forgotten."""
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                return process
            self._forget(process)
            self.restarts += 1
            logger.warning("an idle process of %s has ended", self._program.name)
        return None

    async def _started(self) -> WorkerProcess:
        if seconds := self._backoff.seconds_left(time.monotonic()):
            message = f"{self._program.name} has failed repeatedly. It is started again in {math.ceil(seconds)} s."
            raise Overloaded(message, retry_after=math.ceil(seconds))
        start = self._in_background(self._start())
        try:
            # A caller that leaves does not stop the start: the next one finds the process.
            await asyncio.shield(start)
        except VoiceError as exc:
            self._record_failure(exc)
            raise
        process = self._living()
        if process is None:
            raise Overloaded("The model is being unloaded.")
        return process

    async def _start(self) -> None:
        process = await self._starts.run(WorkerProcess, self._program, self._require_open)
        self._processes.add(process)
        if self._closing:
            await asyncio.to_thread(process.end)
            self._forget(process)
        else:
            self._idle.append(process)

    def _require_open(self, _: str) -> None:
        if self._closing:
            raise Overloaded("The model is being unloaded.")

    def _put_back(self, process: WorkerProcess) -> None:
        """Make a process available once its job has ended, which a job that was left early needs to be made to."""
        if process.busy and process.alive and not self._closing:
            self._in_background(self._settle(process))
        else:
            self._release(process)

    async def _settle(self, process: WorkerProcess) -> None:
        try:
            await process.settle()
            if not process.alive and not self._closing:
                self.restarts += 1
        finally:
            self._release(process)

    def _release(self, process: WorkerProcess) -> None:
        if process.alive and not self._closing:
            self._idle.append(process)
        else:
            self._forget(process)
        self._slots.release()

    def _forget(self, process: WorkerProcess) -> None:
        process.close_streams()
        self._processes.discard(process)

    def _record_failure(self, exc: VoiceError) -> None:
        self._backoff.record_failure(time.monotonic())
        logger.warning("%s", exc.message)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.exception()  # a start that nobody waits for any more may have failed
