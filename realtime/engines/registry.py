"""The engine for each entry of the catalogue. Heavy libraries are imported here, when they are first needed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import EngineName, ModelEntry
from realtime.engines.base import Detector, EndOfTurnModel, LanguageIdentifier, Recognizer, Synthesizer
from realtime.errors import EngineError, EngineNotInstalled, NoEngine
from realtime.settings import Settings
from realtime.weights import locate as weights
from realtime.weights.progress import Progress, Stage, Step, silent


class Registry(Protocol):
    """Loads engines for `Models`. Its methods block; they raise `EngineError` or `UnusableModel`."""

    def detector(self) -> Detector: ...

    def prepare(self, entry: ModelEntry) -> int:
        """Find, download or convert the weights of a model; return their size in bytes."""

    def recognizer(self, entry: ModelEntry) -> Recognizer[Any]: ...

    def synthesizer(self, entry: ModelEntry) -> Synthesizer: ...

    def language_identifier(self) -> LanguageIdentifier: ...

    def end_of_turn_model(self) -> EndOfTurnModel: ...

    def steps(self) -> Mapping[str, Step]:
        """Return the progress of the models that are being prepared or loaded, by name."""

    def stop(self) -> None:
        """Make the preparations in progress fail at their next step."""


class InstalledEngines:
    """The engines of this installation."""

    def __init__(self, settings: Settings, progress: Progress = silent) -> None:
        self._settings = settings
        self._pinned = ModelNames(settings).pinned
        self._progress = progress
        self._steps: dict[str, Step] = {}
        self._stopping = False

    def detector(self) -> Detector:
        from realtime.engines.silero import Silero

        return Silero()

    def prepare(self, entry: ModelEntry) -> int:
        allow_downloads = (
            self._settings.allow_downloads or entry in self._pinned
        )  # pinned models are the operator's own choice
        try:
            return weights.size(
                weights.locate(entry, replace(self._settings, allow_downloads=allow_downloads), self._advance)
            )
        finally:
            self._steps.pop(entry.name, None)

    def recognizer(self, entry: ModelEntry) -> Recognizer[Any]:
        directory = weights.locate(entry, self._settings, self._progress)
        try:
            self._advance(Step(entry.name, Stage.LOADING))
            match entry.engine:
                case EngineName.WHISPER:
                    from realtime.engines.whisper.engine import Whisper

                    return Whisper(
                        directory,
                        languages=entry.languages,
                        translation=entry.capabilities.translation,
                        device=self._settings.device,
                        compute_type=self._settings.compute_type,
                        device_index=self._settings.device_index,
                        workers=self._settings.engine_workers,
                        threads=self._settings.engine_threads,
                    )
                case _:
                    raise NoEngine(entry.name)
        finally:
            self._steps.pop(entry.name, None)

    def synthesizer(self, entry: ModelEntry) -> Synthesizer:
        directory = weights.locate(entry, self._settings, self._progress)
        match entry.engine:
            case EngineName.HIBARI:
                from realtime.engines.hibari import Hibari

                return Hibari()
            case EngineName.PIPER:
                try:
                    from realtime.engines.piper import Piper
                except ImportError as exc:
                    raise EngineNotInstalled(entry.name, "piper") from exc
                return Piper(directory, *entry.languages)
            case _:
                raise NoEngine(entry.name)

    def language_identifier(self) -> LanguageIdentifier:
        from realtime.engines.py3langid import Py3LangId

        return Py3LangId()

    def end_of_turn_model(self) -> EndOfTurnModel:
        from realtime.engines.smart_turn import SmartTurn

        return SmartTurn()

    def steps(self) -> Mapping[str, Step]:
        return self._steps

    def stop(self) -> None:
        self._stopping = True

    def _advance(self, step: Step) -> None:
        if self._stopping:
            raise EngineError("The server is stopping.")
        self._steps[step.model] = step
        self._progress(step)
