"""Models: the engines that are loaded, as coroutines; one load at a time for each name.

The default recognizer, the default voice and the voice activity detector are loaded when the service starts, others
when somebody first asks for them. Names are those of the catalogue; an empty one means the default.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.audio import Samples
from realtime.catalogue import ENTRIES, Entry, Task, find, resolve_voice
from realtime.engines.base import Detector, Recognizer, Synthesizer, VadState
from realtime.engines.registry import InstalledEngines, Registry
from realtime.errors import ModelInUse, Overloaded, UnknownModel, UnknownVoice
from realtime.events import Priority
from realtime.load import NOBODY, QUICKEST, Load, Owner
from realtime.scheduler import Arrivals, Halfway, Scheduler, Ticket
from realtime.settings import Settings
from realtime.transcript import Hypothesis, TranscriptionRequest
from realtime.workers import BatchWorker, BlockingCalls, StreamWorker

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

MAX_DETECTOR_BATCH: Final = 64
RETRY_AFTER: Final = 5
"""Seconds after which it is worth asking again."""

MAX_WAITING: Final = 256
"""Requests that may wait for one engine: several for each of the sessions a server admits."""

VOICES_AT_ONCE: Final = 2
"""Phrases one voice speaks at the same time; the others wait their turn."""

BLOCKING_CALLS: Final = 4

LOADS_AT_ONCE: Final = 3
"""The defaults load side by side; whoever asks for another model takes no thread from those who are served."""


class RecognizerHandle:
    """A loaded speech-to-text model."""

    def __init__(self, entry: Entry, engine: Recognizer, load_limit: float) -> None:
        self.name = entry.name
        self.multilingual = engine.multilingual
        self.scheduler = Scheduler(Load(engine.workers, engine.partial_cost / 2, engine.partial_cost / 2, load_limit))
        self._engine = engine
        self._worker: BatchWorker[TranscriptionRequest, Hypothesis] = BatchWorker(
            entry.name, self._run, self.scheduler, threads=engine.workers, max_waiting=MAX_WAITING
        )

    async def transcribe(self, request: TranscriptionRequest, priority: Priority, owner: Owner = NOBODY) -> Hypothesis:
        """Transcribe an excerpt. Raises `EngineError`, `Overloaded`, and `ClientError` for an unknown language."""
        return await self.transcribe_newest(lambda: request, priority, owner)

    async def transcribe_newest(
        self, request: Callable[[], TranscriptionRequest], priority: Priority, owner: Owner = NOBODY
    ) -> Hypothesis:
        """The same with whatever `request` returns when an engine is free."""
        return await self._worker.submit(Ticket(request, priority, owner))

    @property
    def at_leisure(self) -> bool:
        """Whether there is time for more than the least that is needed."""
        return self.scheduler.load.step(time.monotonic()) == QUICKEST

    def _run(self, batch: Sequence[TranscriptionRequest | Halfway]) -> list[Hypothesis | Halfway]:
        """Take requests one half further, each batch in the same half."""
        encoded = [each.state for each in batch if isinstance(each, Halfway)]
        if encoded:
            return [*self._engine.decode(encoded)]
        return [Halfway(self._engine.encode(each)) for each in batch if not isinstance(each, Halfway)]

    def close(self) -> None:
        self._worker.close()
        self._engine.close()


class DetectorHandle:
    """The voice activity detector, shared by all streams."""

    def __init__(self, engine: Detector) -> None:
        self._engine = engine
        self._worker: BatchWorker[tuple[NDArray[np.float32], VadState], tuple[list[float], VadState]] = BatchWorker(
            "detector", engine.score, Arrivals(MAX_DETECTOR_BATCH), threads=1, max_waiting=MAX_WAITING
        )

    async def score(
        self, windows: NDArray[np.float32], state: VadState | None, priority: Priority = Priority.FINAL
    ) -> tuple[list[float], VadState]:
        """Score windows of shape (n, 512) that follow `state` (None: the stream begins)."""
        request = windows, self._engine.initial_state() if state is None else state
        return await self._worker.submit(Ticket(lambda: request, priority))

    def close(self) -> None:
        self._worker.close()
        self._engine.close()


class SynthesizerHandle:
    """A loaded text-to-speech model."""

    def __init__(self, entry: Entry, engine: Synthesizer) -> None:
        self.name = entry.name
        self.sample_rate = engine.sample_rate
        self.voices = engine.voices
        self._engine = engine
        self._worker: StreamWorker[Samples] = StreamWorker(
            entry.name, concurrency=VOICES_AT_ONCE, max_waiting=MAX_WAITING
        )

    def synthesize(self, text: str, voice: str, speed: float) -> AsyncGenerator[Samples, None]:
        """Speak one phrase in one of `voices`; closing the generator stops the engine."""
        return self._worker.stream(lambda: self._engine.synthesize(text, voice, speed))

    def close(self) -> None:
        self._worker.close()
        self._engine.close()


class Models:
    """The engines of one service; `open` before use, `close` after."""

    detector: DetectorHandle

    def __init__(self, settings: Settings, engines: Registry | None = None) -> None:
        self._settings = settings
        self._engines = engines or InstalledEngines(settings)
        self._blocking = BlockingCalls(BLOCKING_CALLS)
        self._loading = BlockingCalls(LOADS_AT_ONCE)
        self._recognizers: dict[str, asyncio.Task[RecognizerHandle]] = {}
        self._synthesizers: dict[str, asyncio.Task[SynthesizerHandle]] = {}
        self._admitted: dict[str, Load] = {}
        self.ready = False

    async def open(self) -> None:
        """Load the defaults. Raises `EngineError` where one cannot be loaded."""
        detector, _, _ = await asyncio.gather(
            self._loading.run(self._engines.detector), self.recognizer(""), self.synthesizer("")
        )
        self.detector = DetectorHandle(detector)
        self.ready = True

    async def close(self) -> None:
        """Unload everything; work under way is withdrawn, and models that are still loading are left to themselves."""
        if self.ready:
            await self.run_blocking(self.detector.close)
        self.ready = False
        loads: list[asyncio.Task[Any]] = [*self._recognizers.values(), *self._synthesizers.values()]
        for load in loads:
            if load.done() and not load.cancelled() and load.exception() is None:
                await self.run_blocking(load.result().close)
            else:
                load.cancel()

    async def recognizer(self, name: str) -> RecognizerHandle:
        """The recognizer of this name, loaded if need be. Raises `UnknownModel` and `EngineError`."""
        entry = self._recognizer(name)
        return await self._once(
            self._recognizers,
            entry.name,
            lambda: RecognizerHandle(entry, self._engines.recognizer(entry), self._settings.load_limit),
        )

    async def synthesizer(self, name: str) -> SynthesizerHandle:
        """The voice model of this name, loaded if need be. Raises `UnknownModel` and `EngineError`."""
        entry = find(name, Task.SPEECH, self._settings.voice_model)
        return await self._once(
            self._synthesizers, entry.name, lambda: SynthesizerHandle(entry, self._engines.synthesizer(entry))
        )

    async def load(self, name: str) -> Entry:
        """Load the model of this name, whatever its task. Raises `UnknownModel` (at once) and `EngineError`."""
        entry = self._of_any_task(name)
        await (self.recognizer if entry.task is Task.TRANSCRIPTION else self.synthesizer)(entry.name)
        return entry

    async def unload(self, name: str) -> None:
        """Free what a model holds until somebody asks for it again; work under way is withdrawn.

        Nothing happens where it is not loaded. Raises `UnknownModel`, and `ModelInUse` for the defaults.
        """
        entry = self._of_any_task(name)
        if entry.name in {self._recognizer("").name, find("", Task.SPEECH, self._settings.voice_model).name}:
            raise ModelInUse(f"{entry.name} is a default of this server.", param="model")
        if self.is_loaded(entry.name):
            loads: dict[str, asyncio.Task[Any]] = (
                self._recognizers if entry.task is Task.TRANSCRIPTION else self._synthesizers
            )
            await self.run_blocking(loads.pop(entry.name).result().close)

    def admit(self, session: str, name: str) -> None:
        """Promise a session to follow it, with the recognizer of this name if it is loaded, or else the default.

        Raises `Overloaded` where the promise to others would break. Every promise ends with `dismiss`.
        """
        schedulers = self.schedulers
        load = schedulers.get(self.recognizer_name(name) or "", schedulers[self._recognizer("").name]).load
        now = time.monotonic()
        if not load.has_room(now):
            raise Overloaded("The server is following as many talkers as it can.", retry_after=RETRY_AFTER)
        load.join(session, now)
        self._admitted[session] = load

    def dismiss(self, session: str) -> None:
        """The session is over."""
        if (load := self._admitted.pop(session, None)) is not None:
            load.leave(session)

    @property
    def schedulers(self) -> dict[str, Scheduler]:
        """Of the recognizers that are loaded, by name."""
        return {name: task.result().scheduler for name, task in self._recognizers.items() if self.is_loaded(name)}

    def recognizer_name(self, name: str) -> str | None:
        """The recognizer a client may ask for by `name`; None where there is none."""
        try:
            return self._recognizer(name).name
        except UnknownModel:
            return None

    def voice_name(self, name: str) -> str | None:
        """The voice a client may ask for by `name`; None where there is none."""
        default = find("", Task.SPEECH, self._settings.voice_model)
        voices = self._synthesizers[default.name].result().voices
        try:
            return resolve_voice(name, voices)
        except UnknownVoice:
            return None

    def is_loaded(self, name: str) -> bool:
        """Whether the model of this catalogue name can answer at once."""
        task = self._recognizers.get(name) or self._synthesizers.get(name)
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    async def run_blocking(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Await a call that blocks, in one of a few threads."""
        return await self._blocking.run(function, *args, **kwargs)

    def _of_any_task(self, name: str) -> Entry:
        try:
            return find(name, Task.SPEECH, self._settings.voice_model)
        except UnknownModel:
            return self._recognizer(name)

    def _recognizer(self, name: str) -> Entry:
        """The catalogue's entry; a repository that nobody configured is not fetched at a client's word."""
        entry = find(name, Task.TRANSCRIPTION, self._settings.recognizer)
        configured = {pair.partition("=")[0].strip() for pair in self._settings.model_paths}
        if entry not in ENTRIES and entry.name not in (self._settings.recognizer, *configured):
            raise UnknownModel(f"The model '{name}' is not one that this server offers.", param="model")
        return entry

    async def _once(self, loads: "dict[str, asyncio.Task[Result]]", name: str, load: Callable[[], Result]) -> Result:
        """Load `name` unless it is loaded or loading; a failed load may be tried again."""

        def forget_failed(task: "asyncio.Task[Result]") -> None:
            if task.cancelled() or task.exception() is not None:
                del loads[name]

        if name not in loads:
            loads[name] = asyncio.create_task(self._loading.run(load))
            loads[name].add_done_callback(forget_failed)
        return await asyncio.shield(loads[name])
