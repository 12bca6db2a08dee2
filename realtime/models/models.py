"""Models: the engines that are loaded, as coroutines; one load at a time for each name.

The default recognizer, the default voice, the voice activity detector and what the settings name are loaded when the
service starts and stay; nobody is served before they are there. Others are loaded when somebody first asks for them,
and `realtime.pool` says when they go. Whoever works with a handle for longer than one call holds it meanwhile.
Names are those of the catalogue; an empty one means the default.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, ParamSpec, TypeVar

from realtime.catalogue.names import available, find, pinned
from realtime.catalogue.table import ModelEntry, Task
from realtime.catalogue.voices import resolve_voice
from realtime.engines.registry import InstalledEngines, Registry
from realtime.errors import Overloaded, UnknownModel, UnknownVoice
from realtime.models.eviction import LoadedModel
from realtime.models.handles import DetectorHandle, RecognizerHandle, SynthesizerHandle
from realtime.models.pool import ModelPool
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.settings import Settings
from realtime.weights.progress import Step
from realtime.workers.threads import BlockingCalls

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

RETRY_AFTER: Final = 5
"""Seconds after which it is worth asking again."""


BLOCKING_CALLS: Final = 4


class Models:
    """The engines of one service; `open` before use, `close` after."""

    detector: DetectorHandle

    def __init__(self, settings: Settings, engines: Registry | None = None) -> None:
        self._settings = settings
        self._kept = pinned(settings)
        self._available = available(settings)
        self._engines = engines or InstalledEngines(settings)
        self._blocking = BlockingCalls(BLOCKING_CALLS)
        self._pool = ModelPool(settings, self._engines)
        self._admitted: dict[str, ExitStack] = {}
        self._opening: asyncio.Task[None] | None = None
        self.ready = False

    def open(self) -> "asyncio.Task[None]":
        """The one load of the defaults and of what the settings name, begun if need be.

        Awaiting it raises `EngineError` or `UnusableModel` where one of them cannot be loaded.
        """
        if self._opening is None:
            self._opening = asyncio.create_task(self._load_kept())
        return self._opening

    async def _load_kept(self) -> None:
        keeping = [self._pool.pin(entry, self._maker(entry)) for entry in self._kept]
        detector, _ = await asyncio.gather(self.run_blocking(self._engines.detector), asyncio.gather(*keeping))
        self.detector = DetectorHandle(detector)
        self.ready = True

    def stop_opening(self) -> None:
        """Give up the load of the defaults, if it is not done: whoever waits for it is refused at once."""
        if self._opening is not None:
            self._opening.cancel()

    async def close(self) -> None:
        """Unload everything; work under way is withdrawn, and what is loading is told to stop (see `ModelPool`)."""
        self.stop_opening()
        if self.ready:
            await self.run_blocking(self.detector.close)
        self.ready = False
        await self._pool.close()

    async def recognizer(self, name: str) -> RecognizerHandle:
        """The recognizer of this name, loaded if need be.

        Raises `UnknownModel`, `EngineError`, and `Overloaded` where it is not there in a few seconds.
        """
        handle = await self._get(self._recognizer(name), self._settings.model_load_timeout_seconds)
        assert isinstance(handle, RecognizerHandle)
        return handle

    async def synthesizer(self, name: str) -> SynthesizerHandle:
        """The voice model of this name, as `recognizer`."""
        handle = await self._get(self._synthesizer(name), self._settings.model_load_timeout_seconds)
        assert isinstance(handle, SynthesizerHandle)
        return handle

    async def load(self, name: str) -> ModelEntry:
        """Load a model of any task, however long it takes. Raises as `recognizer`, but does not lose patience."""
        entry = self.entry(name)
        await self._get(entry, timeout=None)
        return entry

    async def unload(self, name: str) -> None:
        """Unload a model; one that is not loaded is gone already.

        Raises `UnknownModel`, and `ModelInUse` for one that is loading, that a session or a request holds, or that the
        server always keeps.
        """
        await self._pool.unload(self.entry(name).name)

    def loaded(self) -> list[ModelEntry]:
        """The models that can answer at once."""
        return [self.entry(handle.name) for handle in self._pool.loaded()]

    def evict_expired(self, now: float) -> None:
        """Unload what nobody has used for `model_idle_seconds`; done from time to time without being asked."""
        self._pool.evict_expired(now)

    def progress(self) -> dict[str, Step]:
        """How far the models have come that are being loaded, by their catalogue names."""
        return self._pool.loading()

    def entry(self, name: str) -> ModelEntry:
        """The model of any task that a client may ask for by `name`. Raises `UnknownModel`."""
        try:
            return self._synthesizer(name)
        except UnknownModel:
            return self._recognizer(name)

    def admit(self, session: str, name: str) -> None:
        """Promise a session to follow it, with the recognizer of this name if it is loaded, or else the default.

        Raises `Overloaded` where the promise to others would break, and before the defaults are there. Every promise
        ends with `dismiss`.
        """
        if not self.ready:
            raise self._still_loading()
        handle = self._pool.find(self.recognizer_name(name) or "") or self._pool.find(self._recognizer("").name)
        assert isinstance(handle, RecognizerHandle)  # the default, at least, is there
        load = handle.scheduler.load
        now = time.monotonic()
        if not load.can_admit(now):
            raise Overloaded("The server is following as many talkers as it can.", retry_after=RETRY_AFTER)
        load.add_session(session, now)
        place = self._admitted[session] = ExitStack()
        place.callback(load.remove_session, session)
        place.enter_context(handle.held())

    def dismiss(self, session: str) -> None:
        """The session is over."""
        self._admitted.pop(session, ExitStack()).close()

    @property
    def schedulers(self) -> dict[str, Scheduler]:
        """Of the recognizers that are loaded, by name."""
        handles = self._pool.loaded()
        return {handle.name: handle.scheduler for handle in handles if isinstance(handle, RecognizerHandle)}

    def recognizer_name(self, name: str) -> str | None:
        """The recognizer a client may ask for by `name`; None where there is none."""
        try:
            return self._recognizer(name).name
        except UnknownModel:
            return None

    def voice_name(self, name: str) -> str | None:
        """The voice that an admitted session may ask for by `name`; None where there is none."""
        default = self._pool.find(self._synthesizer("").name)
        assert isinstance(default, SynthesizerHandle)  # or nobody would have been admitted
        try:
            return resolve_voice(name, default.voices)
        except UnknownVoice:
            return None

    def is_loaded(self, name: str) -> bool:
        """Whether the model of this catalogue name can answer at once."""
        return self._pool.find(name) is not None

    async def run_blocking(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Await a call that blocks, in one of a few threads."""
        return await self._blocking.run(function, *args, **kwargs)

    def _recognizer(self, name: str) -> ModelEntry:
        """The catalogue's entry; a repository that nobody configured is not fetched at a client's word."""
        entry = find(name, Task.TRANSCRIPTION, self._settings.transcription_model)
        if entry not in self._available:
            raise UnknownModel(name)
        return entry

    def _synthesizer(self, name: str) -> ModelEntry:
        return find(name, Task.SPEECH, self._settings.speech_model)

    async def _get(self, entry: ModelEntry, timeout: float | None) -> LoadedModel:
        """The model once the defaults, too, are there: whoever works with it needs the detector, or else a voice."""
        if not self.ready:
            opening, began = self.open(), time.monotonic()
            await asyncio.wait([opening], timeout=timeout)
            if not opening.done() or opening.cancelled():
                raise self._still_loading()
            opening.result()
            if timeout is not None:
                timeout = max(0.0, timeout - (time.monotonic() - began))
        return await self._pool.get(entry, self._maker(entry), timeout)

    def _still_loading(self) -> Overloaded:
        steps = ", ".join(f"{name}: {step}" for name, step in self.progress().items())
        return Overloaded(f"The models are still loading ({steps or 'nearly done'}).", retry_after=RETRY_AFTER)

    def _maker(self, entry: ModelEntry) -> Callable[[], LoadedModel]:
        """What loads this model, in a thread."""
        if entry.task is Task.SPEECH:
            return lambda: SynthesizerHandle(entry, self._engines.synthesizer(entry))
        return lambda: RecognizerHandle(entry, self._engines.recognizer(entry), self._settings.load_limit)
