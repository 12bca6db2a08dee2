"""The models that are loaded or loading: one load per model, a bounded number at a time, within a memory budget.

A load is two calls in a thread: the registry prepares the weights (finds, downloads, converts them), which tells their
size; room is made for them; then the engine reads them. A model is leased from the moment it is asked for, while it
is still loading, so that nothing can unload it between its load and its use.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from typing import Final, TypeAlias

from realtime.catalogue.table import ModelEntry
from realtime.engines.registry import Registry
from realtime.errors import RETRY_LATER, EngineError, ModelInUse, Overloaded, UnusableModel, VoiceError
from realtime.freed_memory import return_freed_memory
from realtime.models.eviction import NEVER, LoadedModel, expired, lru_victims
from realtime.models.recognizers import RecognizerHandle
from realtime.models.synthesizers import SynthesizerHandle
from realtime.settings import Settings
from realtime.weights.progress import Stage, Step
from realtime.workers.threads import BlockingCalls

logger = logging.getLogger(__name__)

Handle: TypeAlias = RecognizerHandle | SynthesizerHandle
"""A loaded model of either task."""

MAX_CONCURRENT_LOADS: Final = 3
"""Loads at a time, in threads of their own: the two defaults load side by side, with one to spare."""

SHUTDOWN_GRACE: Final = 2.0
"""Seconds that loads in progress have to stop and clean up when the service ends."""

SWEEPS_PER_TTL: Final = 4
"""Checks for expired models within one `model_idle_seconds`."""

FREED_MEMORY_SECONDS: Final = 30.0
"""Seconds from the end of a lease until the memory that was used for it is returned, at once for all that end by then.

Returning the 93 MB that `leave_garbage` of `tests/support/garbage.py` leaves takes 10 to 14 ms of CPU time.
"""


class PooledModel(LoadedModel):
    """A model of the pool, with the `load` that yields its handle; `on_release` is called at the end of each lease."""

    def __init__(self, entry: ModelEntry, on_release: Callable[[], None], *, pinned: bool) -> None:
        super().__init__(entry.name, pinned=pinned)
        self.entry = entry
        self._on_release = on_release
        self.load: asyncio.Task[Handle]

    def release(self) -> None:
        super().release()
        self._on_release()

    @property
    def loaded(self) -> bool:
        """Whether the load has succeeded."""
        return self.load.done() and not self.load.cancelled() and self.load.exception() is None

    @property
    def handle(self) -> Handle:
        """The model itself; raises what its load raised."""
        return self.load.result()


class ModelPool:
    """All models of a service, by their catalogue names. Belongs to one event loop."""

    def __init__(self, settings: Settings, engines: Registry, make: Callable[[ModelEntry], Handle]) -> None:
        """`make` reads the prepared weights of a model and starts its engine; it is called in a thread."""
        self._settings = settings
        self._engines = engines
        self._make = make
        self._load_threads = BlockingCalls(MAX_CONCURRENT_LOADS)
        self._unload_threads = BlockingCalls(1)
        self._models: dict[str, PooledModel] = {}
        self.failures: dict[str, VoiceError] = {}
        """Why the last load of each model failed, by name, of those that could not be loaded."""
        self._reserved_bytes: dict[str, int] = {}
        self._in_background: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._memory_timer: asyncio.TimerHandle | None = None
        """When memory is returned; None unless a lease has ended since the last time."""

    async def pin(self, entry: ModelEntry) -> None:
        """Load a model that is never unloaded and may exceed the memory budget. Raises what the engine raises."""
        await asyncio.shield(self._get(entry, pinned=True).load)

    async def acquire(self, entry: ModelEntry, timeout: float | None) -> PooledModel:
        """Lease a model, loading it if need be; the caller must `release` it.

        Raises `Overloaded` if it takes longer than `timeout` seconds (the load goes on), if too many other models are
        loading, or if the models in use leave no memory for it; `UnusableModel` if it is larger than the memory
        budget; and what the engine raises.
        """
        if entry.name not in self._models and len(self.loading()) >= MAX_CONCURRENT_LOADS:
            raise Overloaded("The server is already loading as many models as it can.", retry_after=RETRY_LATER)
        model = self._get(entry)
        model.acquire()
        with ExitStack() as failed:
            failed.callback(model.release)
            await asyncio.wait([model.load], timeout=timeout)
            if not model.load.done():
                step = self.loading()[entry.name]
                raise Overloaded(f"The model {entry.name} is not ready yet ({step}).", retry_after=RETRY_LATER)
            model.load.result()
            failed.pop_all()
        return model

    def find(self, name: str) -> PooledModel | None:
        """Return the model of this name if it is loaded."""
        model = self._models.get(name)
        return model if model is not None and model.loaded else None

    def loaded(self) -> list[PooledModel]:
        """Return the models that can be used without waiting."""
        return [model for model in self._models.values() if model.loaded]

    def loading(self) -> dict[str, Step]:
        """Return the progress of each model that is loading, by name."""
        steps = self._engines.steps()
        unfinished = [name for name, model in self._models.items() if not model.load.done()]
        return {name: steps.get(name) or Step(name, Stage.WAITING) for name in unfinished}

    async def unload(self, name: str) -> None:
        """Unload a model; does nothing if it is not loaded. Raises `ModelInUse`."""
        if name in self.loading():
            raise ModelInUse(f"The model {name} is still loading.", param="model")
        model = self.find(name)
        if model is None:
            return
        if model.pinned:
            raise ModelInUse(f"The model {name} is pinned: the server always keeps it loaded.", param="model")
        if model.in_use:
            raise ModelInUse(f"The model {name} is in use.", param="model")
        await self._close(self._detach([model]))

    async def close(self) -> None:
        """Unload everything; loads in progress are stopped, and abandoned after `SHUTDOWN_GRACE`."""
        self._engines.stop()
        if loads := [model.load for model in self._models.values() if not model.load.done()]:
            _, late = await asyncio.wait(loads, timeout=SHUTDOWN_GRACE)
            for load in late:
                load.cancel()
        for timer in (self._timer, self._memory_timer):
            if timer is not None:
                timer.cancel()
        await self._close(self._detach(self.loaded()))
        await asyncio.gather(*self._in_background)

    def evict_expired(self, now: float) -> None:
        """Unload the models that have been idle for `model_idle_seconds`, and schedule the next check."""
        if victims := expired(self.loaded(), now, self._settings.model_idle_seconds):
            self._begin(self._close(self._detach(victims)))
        self._schedule_sweep()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._in_background.add(task)
        task.add_done_callback(self._in_background.discard)

    def _schedule_sweep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._settings.model_idle_seconds != NEVER:
            seconds = self._settings.model_idle_seconds / SWEEPS_PER_TTL
            self._timer = asyncio.get_running_loop().call_later(seconds, lambda: self.evict_expired(time.monotonic()))

    def _schedule_return(self) -> None:
        """Return freed memory in a while, unless that is scheduled."""

        def return_memory() -> None:
            self._memory_timer = None
            self._begin(self._unload_threads.run(return_freed_memory))

        if self._memory_timer is None:
            self._memory_timer = asyncio.get_running_loop().call_later(FREED_MEMORY_SECONDS, return_memory)

    def _get(self, entry: ModelEntry, *, pinned: bool = False) -> PooledModel:
        """Return the model, beginning its load if need be; a failed load is forgotten and may be tried again."""
        if (model := self._models.get(entry.name)) is not None:
            return model
        model = self._models[entry.name] = PooledModel(entry, self._schedule_return, pinned=pinned)

        def finish(_: "asyncio.Task[Handle]") -> None:
            self._reserved_bytes.pop(entry.name, None)
            self.failures.pop(entry.name, None)
            if not model.loaded:
                del self._models[entry.name]
                error = None if model.load.cancelled() else model.load.exception()
                if isinstance(error, EngineError | UnusableModel):
                    self.failures[entry.name] = error
                return
            model.touch()
            if not pinned:
                self._schedule_sweep()

        model.load = asyncio.create_task(self._load(entry, model))
        model.load.add_done_callback(finish)
        return model

    async def _load(self, entry: ModelEntry, model: PooledModel) -> Handle:
        began = time.monotonic()
        model.weight_bytes = await self._load_threads.run(self._engines.prepare, entry)
        if not model.pinned:
            await self._make_room(entry.name, model.weight_bytes)
        handle = await self._load_threads.run(self._loaded, entry)
        seconds = time.monotonic() - began
        logger.debug("%s loaded: %d bytes in %.1f s", entry.name, model.weight_bytes, seconds)
        return handle

    def _loaded(self, entry: ModelEntry) -> Handle:
        handle = self._make(entry)
        return_freed_memory()
        return handle

    async def _make_room(self, name: str, weight_bytes: int) -> None:
        """Reserve memory for a model, and unload others until it is free."""
        budget = self._settings.model_memory_bytes
        if not budget:
            return
        models = self.loaded()
        if weight_bytes + sum(each.weight_bytes for each in models if each.pinned) > budget:
            raise UnusableModel(f"The model {name} is larger than the memory this server has for it.", param="model")
        taken = sum(each.weight_bytes for each in models) + sum(self._reserved_bytes.values())
        victims = lru_victims(models, taken + weight_bytes - budget)
        if victims is None:
            raise Overloaded("The models in use leave no memory for another one.", retry_after=RETRY_LATER)
        self._reserved_bytes[name] = weight_bytes
        await self._close(self._detach(victims))

    def _detach(self, models: Sequence[LoadedModel]) -> list[PooledModel]:
        """Remove models from the pool, so that they can be closed."""
        return [self._models.pop(model.name) for model in models]

    async def _close(self, models: Sequence[PooledModel]) -> None:
        for model in models:
            await self._unload_threads.run(model.handle.close)
            await self._unload_threads.run(return_freed_memory)
            logger.debug("%s unloaded: %d bytes", model.name, model.weight_bytes)
