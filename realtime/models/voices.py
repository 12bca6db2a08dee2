"""The voices of the voice models, of those that are loaded and of others on this machine."""

import logging
from functools import partial

from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ModelEntry, Task
from realtime.catalogue.voices import VoiceNames, VoicesAtHand
from realtime.engines.registry import Registry
from realtime.models.pool import ModelPool
from realtime.models.synthesizers import SynthesizerHandle
from realtime.workers.threads import BlockingCalls

logger = logging.getLogger(__name__)


class ModelVoices:
    """The voices of one service."""

    def __init__(self, names: ModelNames, engines: Registry, pool: ModelPool, threads: BlockingCalls) -> None:
        self._names = names
        self._engines = engines
        self._pool = pool
        self._threads = threads
        self._logged: set[str] = set()
        """What has been logged about voice models that cannot speak."""

    @property
    def names(self) -> VoiceNames:
        """The voices that clients can name; the pinned models must be loaded."""
        default, by_language = self._names.defaults[Task.SPEECH], self._names.voices_by_language
        others = {language: (entry, self._pinned(entry)) for language, entry in by_language.items()}
        return VoiceNames(default, self._pinned(default), others)

    def _pinned(self, entry: ModelEntry) -> tuple[str, ...]:
        """Return the voices of a pinned model."""
        model = self._pool.find(entry.name)
        assert model is not None
        assert isinstance(model.handle, SynthesizerHandle)
        return model.handle.voices

    async def at_hand(self) -> VoicesAtHand:
        """Return the voices of the voice models that are loaded or on this machine, by model, the default one first.

        What is wrong with a model on this machine that cannot speak, or could not be loaded when it was last tried, is
        also logged, once.
        """
        default = self._names.defaults[Task.SPEECH].name
        installed = await self._threads.run(
            partial(self._engines.installed_voices, list(self._names.listed().values()))
        )
        handles = [model.handle for model in self._pool.loaded()]
        loaded = {handle.name: handle.voices for handle in handles if isinstance(handle, SynthesizerHandle)}
        here = {**installed.voices, **loaded}
        failed = {name: error for name, error in self._pool.failures.items() if name in here}
        errors = {name: error for name, error in {**installed.errors, **failed}.items() if name not in loaded}
        for name, error in errors.items():
            if (message := f"{name} cannot speak: {error.message}") not in self._logged:
                self._logged.add(message)
                logger.warning("%s", message)
        voices = {name: names for name, names in here.items() if name not in errors}
        ordered = sorted(voices.items(), key=lambda item: (item[0] != default, item[0] not in loaded))
        return VoicesAtHand(dict(ordered), errors)
