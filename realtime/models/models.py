"""Models: the loaded engines of one service, leased by sessions and requests.

The default recognizer, the default voice, the voice activity detector and the preloaded models are loaded when the
service starts and stay; until then every request for a model waits and every session is refused. Other models are
loaded when they are first asked for, and unloaded as `realtime.models.pool` says.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from realtime.audio.formats import Samples
from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ModelEntry, Task
from realtime.catalogue.voices import VoiceNames, VoicesAtHand
from realtime.engines.base import LanguageIdentifier
from realtime.engines.registry import InstalledEngines, Registry
from realtime.errors import RETRY_AT_ONCE, Overloaded
from realtime.freed_memory import return_freed_memory
from realtime.models.detector import DetectorHandle
from realtime.models.end_of_turn import EndOfTurn
from realtime.models.pool import Handle, ModelPool, PooledModel
from realtime.models.queue_bounds import max_waiting
from realtime.models.recognizers import ProcessRecognizerHandle, RecognizerHandle, load_recognizer
from realtime.models.session_recognizer import SessionRecognizer, recognizer_handle
from realtime.models.speakers import Speakers
from realtime.models.synthesizers import ProcessSynthesizerHandle, SynthesizerHandle, load_synthesizer
from realtime.models.voices import ModelVoices
from realtime.scheduling.admission import AdmissionControl
from realtime.scheduling.fair_scheduler import Scheduler
from realtime.settings import Settings
from realtime.weights.progress import Step
from realtime.workers.threads import BlockingCalls


class Models:
    """The engines of one service; `open` before use, `close` after."""

    detector: DetectorHandle

    def __init__(self, settings: Settings, engines: Registry | None = None) -> None:
        """Load nothing yet. Raises `UnknownModel` or `UnsupportedModel` for a default or preloaded one."""
        names = ModelNames(settings)
        self.defaults: Mapping[Task, ModelEntry] = names.defaults
        self._names = names
        self._settings = settings
        self._engines = engines or InstalledEngines(settings)
        self._threads = BlockingCalls(1)
        self._pool = ModelPool(settings, self._engines, self._make)
        self._opening: asyncio.Task[None] | None = None
        self._speakers = Speakers(settings, names, partial(self._threads.run, self._load_identifier))
        self._end_of_turn = EndOfTurn(self._engines.end_of_turn_model, self._threads)
        self._voices = ModelVoices(names, self._engines, self._pool, self._threads)
        self.ready = False

    def open(self) -> "asyncio.Task[None]":
        """Return the one load of the detector and the pinned models, beginning it if need be.

        Awaiting it raises `EngineError` or `UnusableModel` where one of them cannot be loaded.
        """
        if self._opening is None:
            self._opening = asyncio.create_task(self._load_pinned())
        return self._opening

    def _load_identifier(self) -> LanguageIdentifier:
        """Load what identifies languages, and return the memory that only the load took. Raises `EngineError`."""
        identifier = self._engines.language_identifier()
        return_freed_memory()
        return identifier

    async def _load_pinned(self) -> None:
        self._speakers.open()
        pins = [self._pool.pin(entry) for entry in self._names.pinned]
        detector, _ = await asyncio.gather(self._threads.run(self._engines.detector), asyncio.gather(*pins))
        self.detector = DetectorHandle(detector, max_waiting(self._settings))
        self.ready = True

    def stop_opening(self) -> None:
        """Cancel the load of the pinned models if it has not finished; requests that wait for it are refused."""
        if self._opening is not None:
            self._opening.cancel()

    async def close(self) -> None:
        """Unload everything: queued work is cancelled, and loads in progress are stopped (see `ModelPool.close`)."""
        self.stop_opening()
        self._speakers.close()
        await self._end_of_turn.close()
        if self.ready:
            await self._threads.run(self.detector.close)
        self.ready = False
        await self._pool.close()

    @asynccontextmanager
    async def lease_recognizer(self, entry: ModelEntry) -> AsyncIterator[RecognizerHandle]:
        """Load a recognizer if need be, and keep it loaded until the block ends.

        Raises `Overloaded` if it is not loaded within `model_load_timeout_seconds`, and `EngineError`.
        """
        async with self._lease(entry) as handle:
            assert isinstance(handle, RecognizerHandle)
            yield handle

    @asynccontextmanager
    async def lease_synthesizer(self, entry: ModelEntry) -> AsyncIterator[SynthesizerHandle]:
        """Lease a voice model, as `lease_recognizer` does a recognizer."""
        async with self._lease(entry) as handle:
            assert isinstance(handle, SynthesizerHandle)
            yield handle

    @asynccontextmanager
    async def _lease(self, entry: ModelEntry) -> AsyncIterator[Handle]:
        model = await self._acquire(entry, self._settings.model_load_timeout_seconds)
        try:
            yield model.handle
        finally:
            model.release()

    def admit(self, session_id: str, entry: ModelEntry | None, speakers: int = 1) -> SessionRecognizer:
        """Admit a live session that will use this recognizer, or none yet; `close` the result when the session ends.

        The session counts against the load limit of the recognizer if that is loaded, or else of the default one until
        it is. Raises `Overloaded` if that has no capacity left, and before the default models are loaded.
        """
        if not self.ready:
            raise self._still_loading()
        model = None
        if entry is not None:
            model = self._pool.find(entry.name) or self._pool.find(self.defaults[Task.TRANSCRIPTION].name)
            assert model is not None  # pinned, and `ready`
        acquire = partial(self._acquire, timeout=self._settings.model_load_timeout_seconds)
        return SessionRecognizer(session_id, model, acquire, speakers, self._draft)

    async def load(self, entry: ModelEntry) -> None:
        """Load a model, however long it takes. Raises as `lease_recognizer`, but for the timeout."""
        (await self._acquire(entry, timeout=None)).release()

    async def unload(self, entry: ModelEntry) -> None:
        """Unload a model; does nothing if it is not loaded.

        Raises `ModelInUse` for a model that is loading, leased or pinned.
        """
        await self._pool.unload(entry.name)

    @property
    def stalled(self) -> bool:
        """Whether a recognizer or the detector has not returned from a call for `engine_stall_timeout_seconds`."""
        handles = [model.handle for model in self._pool.loaded()]
        recognizers = [each for each in handles if isinstance(each, RecognizerHandle)]
        watched = [each for each in recognizers if not isinstance(each, ProcessRecognizerHandle)]  # killed before that
        seconds = [each.seconds_running for each in watched]
        if self.ready:
            seconds.append(self.detector.seconds_running)
        return max(seconds, default=0.0) > self._settings.engine_stall_timeout_seconds

    def loaded(self) -> list[ModelEntry]:
        """Return the models that can be leased without waiting."""
        return [model.entry for model in self._pool.loaded()]

    def memory(self) -> dict[str, int]:
        """Return the bytes that the weights of each loaded model take, by its name."""
        return {model.name: model.weight_bytes for model in self._pool.loaded()}

    def is_loaded(self, entry: ModelEntry) -> bool:
        """Whether the model can be leased without waiting."""
        return self._pool.find(entry.name) is not None

    def progress(self) -> dict[str, Step]:
        """Return the progress of the models that are loading, by their catalogue names."""
        return self._pool.loading()

    def evict_expired(self, now: float) -> None:
        """Unload the models that have been idle for `model_idle_seconds`; also runs on a timer."""
        self._pool.evict_expired(now)

    async def unspoken_language(self, text: str, entry: ModelEntry) -> str | None:
        """Return the language of a text that the voice model probably does not speak; see `Speakers`."""
        return await self._speakers.unspoken_language(text, entry)

    async def speaker(self, text: str, entry: ModelEntry, before: ModelEntry | None = None) -> ModelEntry:
        """Return the model that speaks a text for a client that has asked for `entry`; see `Speakers`."""
        return await self._speakers.speaker(text, entry, before)

    async def language_for(self, text: str, entry: ModelEntry) -> str:
        """Return in which of the languages that the settings give to a model it speaks a text; see `Speakers`."""
        return await self._speakers.language_for(text, entry)

    def speaker_of(self, language: str) -> ModelEntry | None:
        """Return the voice model for texts in a language, where others than the default one are configured."""
        return self._speakers.speaker_of(language)

    async def score_turn(self, turn: Samples) -> float:
        """Return the probability that the speaker of a turn has finished, from its audio at 16 kHz up to now.

        Raises `UnusableModel` where there is no end-of-turn model, `EngineError` if it fails, and `Overloaded` if it
        has no answer within `MAX_END_OF_TURN_SECONDS`.
        """
        return await self._end_of_turn.score(turn)

    @property
    def voice_names(self) -> VoiceNames:
        """The voices that clients can name. Raises `Overloaded` while the default models load."""
        if not self.ready:
            raise self._still_loading()
        return self._voices.names

    async def owner_of_voice(self, name: str, entry: ModelEntry) -> ModelEntry:
        """Return the model that a client asks for which names `entry` and a voice; see `VoiceNames.owner`.

        Waits until the default models are loaded. Raises as `lease_recognizer`.
        """
        if entry != self.defaults[Task.SPEECH] or not self._names.voices_by_language:
            return entry
        await self._wait_until_ready(self._settings.model_load_timeout_seconds)
        return self.voice_names.owner(name)

    async def voices_at_hand(self) -> VoicesAtHand:
        """Return the voices of the voice models that are loaded or on this machine, by model, the default one first.

        What is wrong with a model on this machine that cannot speak, or could not be loaded when it was last tried, is
        also logged, once.
        """
        return await self._voices.at_hand()

    @property
    def schedulers(self) -> dict[str, Scheduler]:
        """The schedulers of the loaded recognizers, by name."""
        handles = [model.handle for model in self._pool.loaded()]
        return {handle.name: handle.scheduler for handle in handles if isinstance(handle, RecognizerHandle)}

    @property
    def restarts(self) -> dict[str, int]:
        """How many processes of each loaded model that runs in processes have ended by themselves, by its name."""
        handles = [model.handle for model in self._pool.loaded()]
        in_processes = ProcessRecognizerHandle | ProcessSynthesizerHandle
        return {handle.name: handle.restarts for handle in handles if isinstance(handle, in_processes)}

    @property
    def recovering(self) -> bool:
        """Whether a pinned recognizer can do nothing at the moment, because all of its processes have ended."""
        handles = [model.handle for model in self._pool.loaded() if model.pinned]
        return any(isinstance(handle, ProcessRecognizerHandle) and not handle.running for handle in handles)

    async def _acquire(self, entry: ModelEntry, timeout: float | None) -> PooledModel:
        """Wait for the default models, whose detector and voice every user of a model needs, then lease this one."""
        began = time.monotonic()
        await self._wait_until_ready(timeout)
        if timeout is not None:
            timeout = max(0.0, timeout - (time.monotonic() - began))
        return await self._pool.acquire(entry, timeout)

    async def _wait_until_ready(self, timeout: float | None) -> None:
        """Wait for the default models. Raises `Overloaded` after the timeout, and what their load raises."""
        if self.ready:
            return
        opening = self.open()
        await asyncio.wait([opening], timeout=timeout)
        if not opening.done() or opening.cancelled():
            raise self._still_loading()
        opening.result()

    def _still_loading(self) -> Overloaded:
        steps = ", ".join(f"{name}: {step}" for name, step in self.progress().items())
        message = f"The models are still loading ({steps or 'nearly done'})."
        return Overloaded(message, retry_after=RETRY_AT_ONCE)

    def _make(self, entry: ModelEntry) -> Handle:
        if entry.task is Task.SPEECH:
            return load_synthesizer(entry, self._engines, self._settings)
        handle = load_recognizer(entry, self._engines, self._settings.load_limit, max_waiting(self._settings))
        if entry.draft is not None:
            handle.scheduler.load.admission.draft = self._draft_admission
        return handle

    def _draft_admission(self) -> AdmissionControl | None:
        return None if self._draft is None else self._draft.scheduler.load.admission

    @property
    def _draft(self) -> RecognizerHandle | None:
        """The draft model; None where the settings name none, and until it is loaded."""
        model = None if self._names.draft is None else self._pool.find(self._names.draft.name)
        return None if model is None else recognizer_handle(model)
