"""The models that are in memory or on their way there: one load for each name, few at a time, within a budget.

Loading is two steps in a thread: the registry prepares the weights (finds, downloads, converts), which tells their
size; room is made for them; then the engine reads them. Who asks for a model that takes longer than
`model_load_timeout_seconds` is told to come back, and the load goes on.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from realtime.catalogue.table import ModelEntry
from realtime.engines.registry import Registry
from realtime.errors import ModelInUse, Overloaded, UnusableModel
from realtime.models.eviction import NEVER, LoadedModel, expired, lru_victims
from realtime.settings import Settings
from realtime.weights.progress import Stage, Step
from realtime.workers.threads import BlockingCalls

logger = logging.getLogger(__name__)

MAX_CONCURRENT_LOADS: Final = 3
"""The defaults load side by side; whoever asks for another model takes no thread from those who are served."""

RETRY_AFTER: Final = 30
"""Seconds after which it is worth asking again for a model that is being downloaded, or for memory."""

SHUTDOWN_GRACE: Final = 2.0
"""Seconds in which what is being prepared can stop and clear up after itself, when the service ends."""

SWEEPS_PER_TTL: Final = 4
"""How often an unused model is looked at in its time to live."""


class ModelPool:
    """All models of a service, by their catalogue names. Belongs to one event loop."""

    def __init__(self, settings: Settings, engines: Registry) -> None:
        self._settings = settings
        self._engines = engines
        self._threads = BlockingCalls(MAX_CONCURRENT_LOADS)
        self._unloading = BlockingCalls(1)
        self._loads: dict[str, asyncio.Task[LoadedModel]] = {}
        self._promised: dict[str, int] = {}
        self._unloads: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def pin(self, entry: ModelEntry, make: Callable[[], LoadedModel]) -> LoadedModel:
        """Load a model that stays until the end, whatever the budget says. Raises what the engines raise."""
        return await asyncio.shield(self._load(entry, make, pin=True))

    async def get(self, entry: ModelEntry, make: Callable[[], LoadedModel], timeout: float | None) -> LoadedModel:
        """The loaded model, made with `make` in a thread if need be, if that takes at most `timeout` seconds.

        Raises `Overloaded` where it takes longer, too many others are loading, or there is no room in memory now;
        `UnusableModel` where there never will be; and what the engines raise.
        """
        if entry.name not in self._loads and len(self.loading()) >= MAX_CONCURRENT_LOADS:
            raise Overloaded("The server is loading as many models as it can.", retry_after=RETRY_AFTER)
        load = self._load(entry, make)
        await asyncio.wait([load], timeout=timeout)
        if not load.done():
            step = self.loading()[entry.name]
            raise Overloaded(f"The model {entry.name} is not ready yet ({step}).", retry_after=RETRY_AFTER)
        load.result().touch()
        return load.result()

    def find(self, name: str) -> LoadedModel | None:
        """The model of this name if it is loaded."""
        load = self._loads.get(name)
        return load.result() if load is not None and _succeeded(load) else None

    def loaded(self) -> list[LoadedModel]:
        return [load.result() for load in self._loads.values() if _succeeded(load)]

    def loading(self) -> dict[str, Step]:
        """How far each model has come that is on its way, by name."""
        steps = self._engines.steps()
        unfinished = [name for name, load in self._loads.items() if not load.done()]
        return {name: steps.get(name) or Step(name, Stage.WAITING) for name in unfinished}

    async def unload(self, name: str) -> None:
        """Let a model go; one that is not loaded is gone already. Raises `ModelInUse`."""
        if name in self.loading():
            raise ModelInUse(f"The model {name} is still loading.", param="model")
        model = self.find(name)
        if model is None:
            return
        if model.pinned:
            raise ModelInUse(f"The model {name} is one that this server always keeps.", param="model")
        if model.in_use:
            raise ModelInUse(f"The model {name} is in use.", param="model")
        await self._unload(self._detach([model]))

    async def close(self) -> None:
        """Unload everything; what is still loading is told to stop, and after `SHUTDOWN_GRACE` left to itself."""
        self._engines.stop()
        if loads := [load for load in self._loads.values() if not load.done()]:
            _, late = await asyncio.wait(loads, timeout=SHUTDOWN_GRACE)
            for load in late:
                load.cancel()
        if self._timer is not None:
            self._timer.cancel()
        await self._unload(self._detach(self.loaded()))
        await asyncio.gather(*self._unloads)

    def evict_expired(self, now: float) -> None:
        """Let go of the models that nobody has used for as long as the settings say, and look again later."""
        if victims := expired(self.loaded(), now, self._settings.model_idle_seconds):
            unload = asyncio.create_task(self._unload(self._detach(victims)))
            self._unloads.add(unload)
            unload.add_done_callback(self._unloads.discard)
        self._schedule_sweep()

    def _schedule_sweep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._settings.model_idle_seconds != NEVER:
            seconds = self._settings.model_idle_seconds / SWEEPS_PER_TTL
            self._timer = asyncio.get_running_loop().call_later(seconds, lambda: self.evict_expired(time.monotonic()))

    def _load(
        self, entry: ModelEntry, make: Callable[[], LoadedModel], *, pin: bool = False
    ) -> "asyncio.Task[LoadedModel]":
        """The one load of this model; a failed one is forgotten and may be tried again."""

        def settle(load: "asyncio.Task[LoadedModel]") -> None:
            self._promised.pop(entry.name, None)
            if not _succeeded(load):
                del self._loads[entry.name]
            elif not pin:
                self._schedule_sweep()

        if entry.name not in self._loads:
            self._loads[entry.name] = asyncio.create_task(self._load_model(entry, make, pin))
            self._loads[entry.name].add_done_callback(settle)
        return self._loads[entry.name]

    async def _load_model(self, entry: ModelEntry, make: Callable[[], LoadedModel], pin: bool) -> LoadedModel:
        began = time.monotonic()
        weight_bytes = await self._threads.run(self._engines.prepare, entry)
        if not pin:
            await self._make_room(entry.name, weight_bytes)
        model = await self._threads.run(make)
        model.pinned = pin
        model.weight_bytes = weight_bytes
        logger.debug("%s loaded: %d bytes in %.1f s", entry.name, weight_bytes, time.monotonic() - began)
        return model

    async def _make_room(self, name: str, weight_bytes: int) -> None:
        """Promise memory to a model, and unload others until there is as much."""
        budget = self._settings.model_memory_bytes
        if not budget:
            return
        models = self.loaded()
        if weight_bytes + sum(each.weight_bytes for each in models if each.pinned) > budget:
            raise UnusableModel(f"The model {name} is larger than the memory this server has for it.", param="model")
        taken = sum(each.weight_bytes for each in models) + sum(self._promised.values())
        victims = lru_victims(models, taken + weight_bytes - budget)
        if victims is None:
            raise Overloaded("The models in use leave no memory for another.", retry_after=RETRY_AFTER)
        self._promised[name] = weight_bytes
        await self._unload(self._detach(victims))

    def _detach(self, models: Sequence[LoadedModel]) -> Sequence[LoadedModel]:
        """The same, whom nobody can get any more."""
        for model in models:
            del self._loads[model.name]
        return models

    async def _unload(self, models: Sequence[LoadedModel]) -> None:
        for model in models:
            await self._unloading.run(model.close)
            logger.debug("%s unloaded: %d bytes", model.name, model.weight_bytes)


def _succeeded(load: "asyncio.Task[LoadedModel]") -> bool:
    return load.done() and not load.cancelled() and load.exception() is None
