"""The models that are in memory or on their way there: one load for each name, few at a time, within a budget.

Loading is two steps in a thread: the registry prepares the weights (finds, downloads, converts), which tells their
size; room is made for them; then the engine reads them. Who asks for a model that takes longer than `load_seconds`
is told to come back, and the load goes on.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from realtime.catalogue import Entry
from realtime.engines.registry import Registry
from realtime.errors import ModelInUse, Overloaded, UnusableModel
from realtime.progress import Stage, Step
from realtime.retention import NEVER, Tenant, to_make_room, unused
from realtime.settings import Settings
from realtime.workers import BlockingCalls

LOADS_AT_ONCE: Final = 3
"""The defaults load side by side; whoever asks for another model takes no thread from those who are served."""

COME_BACK: Final = 30
"""Seconds after which it is worth asking again for a model that is being downloaded, or for memory."""

FAREWELL: Final = 2.0
"""Seconds in which what is being prepared can stop and clear up after itself, when the service ends."""

LOOKS: Final = 4
"""How often an unused model is looked at in its time to live."""


class Residents:
    """All models of a service, by their catalogue names. Belongs to one event loop."""

    def __init__(self, settings: Settings, engines: Registry) -> None:
        self._settings = settings
        self._engines = engines
        self._threads = BlockingCalls(LOADS_AT_ONCE)
        self._unloading = BlockingCalls(1)
        self._loads: dict[str, asyncio.Task[Tenant]] = {}
        self._promised: dict[str, int] = {}
        self._departures: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None

    async def keep(self, entry: Entry, make: Callable[[], Tenant]) -> Tenant:
        """Load a model that stays until the end, whatever the budget says. Raises what the engines raise."""
        return await asyncio.shield(self._load(entry, make, keep=True))

    async def get(self, entry: Entry, make: Callable[[], Tenant], patience: float | None) -> Tenant:
        """The loaded model, made with `make` in a thread if need be, if that takes at most `patience` seconds.

        Raises `Overloaded` where it takes longer, too many others are loading, or there is no room in memory now;
        `UnusableModel` where there never will be; and what the engines raise.
        """
        if entry.name not in self._loads and len(self.loading()) >= LOADS_AT_ONCE:
            raise Overloaded("The server is loading as many models as it can.", retry_after=COME_BACK)
        load = self._load(entry, make)
        await asyncio.wait([load], timeout=patience)
        if not load.done():
            step = self.loading()[entry.name]
            raise Overloaded(f"The model {entry.name} is not ready yet ({step}).", retry_after=COME_BACK)
        load.result().touch()
        return load.result()

    def find(self, name: str) -> Tenant | None:
        """The model of this name if it is loaded."""
        load = self._loads.get(name)
        return load.result() if load is not None and _succeeded(load) else None

    def loaded(self) -> list[Tenant]:
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
        tenant = self.find(name)
        if tenant is None:
            return
        if tenant.kept:
            raise ModelInUse(f"The model {name} is one that this server always keeps.", param="model")
        if tenant.holders:
            raise ModelInUse(f"The model {name} is in use.", param="model")
        await self._let_go(self._taken_out([tenant]))

    async def close(self) -> None:
        """Unload everything; what is still loading is told to stop, and after `FAREWELL` left to itself."""
        self._engines.stop()
        if loads := [load for load in self._loads.values() if not load.done()]:
            _, late = await asyncio.wait(loads, timeout=FAREWELL)
            for load in late:
                load.cancel()
        if self._alarm is not None:
            self._alarm.cancel()
        await self._let_go(self._taken_out(self.loaded()))
        await asyncio.gather(*self._departures)

    def retire(self, now: float) -> None:
        """Let go of the models that nobody has used for as long as the settings say, and look again later."""
        if going := unused(self.loaded(), now, self._settings.model_idle_seconds):
            departure = asyncio.create_task(self._let_go(self._taken_out(going)))
            self._departures.add(departure)
            departure.add_done_callback(self._departures.discard)
        self._look_later()

    def _look_later(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if self._settings.model_idle_seconds != NEVER:
            seconds = self._settings.model_idle_seconds / LOOKS
            self._alarm = asyncio.get_running_loop().call_later(seconds, lambda: self.retire(time.monotonic()))

    def _load(self, entry: Entry, make: Callable[[], Tenant], *, keep: bool = False) -> "asyncio.Task[Tenant]":
        """The one load of this model; a failed one is forgotten and may be tried again."""

        def settle(load: "asyncio.Task[Tenant]") -> None:
            self._promised.pop(entry.name, None)
            if not _succeeded(load):
                del self._loads[entry.name]
            elif not keep:
                self._look_later()

        if entry.name not in self._loads:
            self._loads[entry.name] = asyncio.create_task(self._bring(entry, make, keep))
            self._loads[entry.name].add_done_callback(settle)
        return self._loads[entry.name]

    async def _bring(self, entry: Entry, make: Callable[[], Tenant], keep: bool) -> Tenant:
        weight_bytes = await self._threads.run(self._engines.prepare, entry)
        if not keep:
            await self._make_room(entry.name, weight_bytes)
        tenant = await self._threads.run(make)
        tenant.kept = keep
        tenant.weight_bytes = weight_bytes
        return tenant

    async def _make_room(self, name: str, weight_bytes: int) -> None:
        """Promise memory to a model, and unload others until there is as much."""
        budget = self._settings.model_memory_bytes
        if not budget:
            return
        tenants = self.loaded()
        if weight_bytes + sum(each.weight_bytes for each in tenants if each.kept) > budget:
            raise UnusableModel(f"The model {name} is larger than the memory this server has for it.", param="model")
        taken = sum(each.weight_bytes for each in tenants) + sum(self._promised.values())
        going = to_make_room(tenants, taken + weight_bytes - budget)
        if going is None:
            raise Overloaded("The models in use leave no memory for another.", retry_after=COME_BACK)
        self._promised[name] = weight_bytes
        await self._let_go(self._taken_out(going))

    def _taken_out(self, tenants: Sequence[Tenant]) -> Sequence[Tenant]:
        """The same, whom nobody can get any more."""
        for tenant in tenants:
            del self._loads[tenant.name]
        return tenants

    async def _let_go(self, tenants: Sequence[Tenant]) -> None:
        for tenant in tenants:
            await self._unloading.run(tenant.close)


def _succeeded(load: "asyncio.Task[Tenant]") -> bool:
    return load.done() and not load.cancelled() and load.exception() is None
