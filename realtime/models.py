"""Models: the engines that are loaded, as coroutines; one load at a time for each name.

The default recognizer, the default voice, the voice activity detector and what the settings name are loaded when the
service starts and stay; nobody is served before they are there. Others are loaded when somebody first asks for them,
and `realtime.residents` says when they go. Whoever works with a handle for longer than one call holds it meanwhile.
Names are those of the catalogue; an empty one means the default.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack
from typing import Final, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.audio import Samples
from realtime.catalogue import Entry, Task, find, kept, offered, resolve_voice
from realtime.engines.base import Detector, Recognizer, Synthesizer, VadState
from realtime.engines.registry import InstalledEngines, Registry
from realtime.errors import Overloaded, UnknownModel, UnknownVoice
from realtime.events import Pace, Priority
from realtime.load import NOBODY, Load, Owner
from realtime.progress import Step
from realtime.residents import Residents
from realtime.retention import Tenant
from realtime.scheduler import Arrivals, Halfway, Scheduler, Ticket
from realtime.settings import Settings
from realtime.transcript import Hypothesis, TranscriptionRequest
from realtime.workers import BatchWorker, BlockingCalls, StreamWorker

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

MAX_DETECTOR_BATCH: Final = 64
SCORING_APART: Final = 0.02
"""Seconds between the starts of two batches: half a frame of 40 ms, the fewer calls the more streams there are."""

RETRY_AFTER: Final = 5
"""Seconds after which it is worth asking again."""

MAX_WAITING: Final = 256
"""Requests that may wait for one engine: several for each of the sessions a server admits."""

VOICES_AT_ONCE: Final = 2
"""Phrases one voice speaks at the same time; the others wait their turn."""

BLOCKING_CALLS: Final = 4


class RecognizerHandle(Tenant):
    """A loaded speech-to-text model."""

    def __init__(self, entry: Entry, engine: Recognizer, load_limit: float) -> None:
        super().__init__(entry.name)
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
        with self.held():
            return await self._worker.submit(Ticket(request, priority, owner))

    @property
    def pace(self) -> Pace:
        """How much time the engine has now."""
        return self.scheduler.load.pace(time.monotonic())

    def _run(self, batch: Sequence[TranscriptionRequest | Halfway]) -> list[Hypothesis | Halfway]:
        """Take requests one step further, each batch the same."""
        encoded = [each.state for each in batch if isinstance(each, Halfway)]
        if encoded:
            answers = self._engine.decode(encoded)
            return [answer if isinstance(answer, Hypothesis) else Halfway(answer) for answer in answers]
        return [Halfway(self._engine.encode(each)) for each in batch if not isinstance(each, Halfway)]

    def close(self) -> None:
        self._worker.close()
        self._engine.close()


class DetectorHandle:
    """The voice activity detector, shared by all streams."""

    def __init__(self, engine: Detector) -> None:
        self._engine = engine
        self._worker: BatchWorker[tuple[NDArray[np.float32], VadState], tuple[list[float], VadState]] = BatchWorker(
            "detector", engine.score, Arrivals(MAX_DETECTOR_BATCH, SCORING_APART), threads=1, max_waiting=MAX_WAITING
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


class SynthesizerHandle(Tenant):
    """A loaded text-to-speech model."""

    def __init__(self, entry: Entry, engine: Synthesizer) -> None:
        super().__init__(entry.name)
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
        self._kept = kept(settings)
        self._offered = offered(settings)
        self._engines = engines or InstalledEngines(settings)
        self._blocking = BlockingCalls(BLOCKING_CALLS)
        self._residents = Residents(settings, self._engines)
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
        keeping = [self._residents.keep(entry, self._maker(entry)) for entry in self._kept]
        detector, _ = await asyncio.gather(self.run_blocking(self._engines.detector), asyncio.gather(*keeping))
        self.detector = DetectorHandle(detector)
        self.ready = True

    def stop_opening(self) -> None:
        """Give up the load of the defaults, if it is not done: whoever waits for it is refused at once."""
        if self._opening is not None:
            self._opening.cancel()

    async def close(self) -> None:
        """Unload everything; work under way is withdrawn, and what is loading is told to stop (see `Residents`)."""
        self.stop_opening()
        if self.ready:
            await self.run_blocking(self.detector.close)
        self.ready = False
        await self._residents.close()

    async def recognizer(self, name: str) -> RecognizerHandle:
        """The recognizer of this name, loaded if need be.

        Raises `UnknownModel`, `EngineError`, and `Overloaded` where it is not there in a few seconds.
        """
        handle = await self._get(self._recognizer(name), self._settings.load_seconds)
        assert isinstance(handle, RecognizerHandle)
        return handle

    async def synthesizer(self, name: str) -> SynthesizerHandle:
        """The voice model of this name, as `recognizer`."""
        handle = await self._get(self._synthesizer(name), self._settings.load_seconds)
        assert isinstance(handle, SynthesizerHandle)
        return handle

    async def load(self, name: str) -> Entry:
        """Load a model of any task, however long it takes. Raises as `recognizer`, but does not lose patience."""
        entry = self.entry(name)
        await self._get(entry, patience=None)
        return entry

    async def unload(self, name: str) -> None:
        """Unload a model; one that is not loaded is gone already.

        Raises `UnknownModel`, and `ModelInUse` for one that is loading, that a session or a request holds, or that the
        server always keeps.
        """
        await self._residents.unload(self.entry(name).name)

    def loaded(self) -> list[Entry]:
        """The models that can answer at once."""
        return [self.entry(handle.name) for handle in self._residents.loaded()]

    def retire(self, now: float) -> None:
        """Unload what nobody has used for `model_idle_seconds`; done from time to time without being asked."""
        self._residents.retire(now)

    def progress(self) -> dict[str, Step]:
        """How far the models have come that are being loaded, by their catalogue names."""
        return self._residents.loading()

    def entry(self, name: str) -> Entry:
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
        handle = self._residents.find(self.recognizer_name(name) or "") or self._residents.find(
            self._recognizer("").name
        )
        assert isinstance(handle, RecognizerHandle)  # the default, at least, is there
        load = handle.scheduler.load
        now = time.monotonic()
        if not load.has_room(now):
            raise Overloaded("The server is following as many talkers as it can.", retry_after=RETRY_AFTER)
        load.join(session, now)
        place = self._admitted[session] = ExitStack()
        place.callback(load.leave, session)
        place.enter_context(handle.held())

    def dismiss(self, session: str) -> None:
        """The session is over."""
        self._admitted.pop(session, ExitStack()).close()

    @property
    def schedulers(self) -> dict[str, Scheduler]:
        """Of the recognizers that are loaded, by name."""
        handles = self._residents.loaded()
        return {handle.name: handle.scheduler for handle in handles if isinstance(handle, RecognizerHandle)}

    def recognizer_name(self, name: str) -> str | None:
        """The recognizer a client may ask for by `name`; None where there is none."""
        try:
            return self._recognizer(name).name
        except UnknownModel:
            return None

    def voice_name(self, name: str) -> str | None:
        """The voice that an admitted session may ask for by `name`; None where there is none."""
        default = self._residents.find(self._synthesizer("").name)
        assert isinstance(default, SynthesizerHandle)  # or nobody would have been admitted
        try:
            return resolve_voice(name, default.voices)
        except UnknownVoice:
            return None

    def is_loaded(self, name: str) -> bool:
        """Whether the model of this catalogue name can answer at once."""
        return self._residents.find(name) is not None

    async def run_blocking(
        self, function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """Await a call that blocks, in one of a few threads."""
        return await self._blocking.run(function, *args, **kwargs)

    def _recognizer(self, name: str) -> Entry:
        """The catalogue's entry; a repository that nobody configured is not fetched at a client's word."""
        entry = find(name, Task.TRANSCRIPTION, self._settings.recognizer)
        if entry not in self._offered:
            raise UnknownModel(name)
        return entry

    def _synthesizer(self, name: str) -> Entry:
        return find(name, Task.SPEECH, self._settings.voice_model)

    async def _get(self, entry: Entry, patience: float | None) -> Tenant:
        """The model once the defaults, too, are there: whoever works with it needs the detector, or else a voice."""
        if not self.ready:
            opening, began = self.open(), time.monotonic()
            await asyncio.wait([opening], timeout=patience)
            if not opening.done() or opening.cancelled():
                raise self._still_loading()
            opening.result()
            if patience is not None:
                patience = max(0.0, patience - (time.monotonic() - began))
        return await self._residents.get(entry, self._maker(entry), patience)

    def _still_loading(self) -> Overloaded:
        steps = ", ".join(f"{name}: {step}" for name, step in self.progress().items())
        return Overloaded(f"The models are still loading ({steps or 'nearly done'}).", retry_after=RETRY_AFTER)

    def _maker(self, entry: Entry) -> Callable[[], Tenant]:
        """What loads this model, in a thread."""
        if entry.task is Task.SPEECH:
            return lambda: SynthesizerHandle(entry, self._engines.synthesizer(entry))
        return lambda: RecognizerHandle(entry, self._engines.recognizer(entry), self._settings.load_limit)
