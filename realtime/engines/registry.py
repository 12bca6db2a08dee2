"""Which code runs which entry of the catalogue; heavy libraries are imported here, when they are first needed."""

from typing import Protocol

from realtime import weights
from realtime.catalogue import EngineName, Entry
from realtime.engines.base import Detector, Recognizer, Synthesizer
from realtime.errors import UnusableModel
from realtime.settings import Settings
from realtime.weights import Progress


class Registry(Protocol):
    """Where `Models` gets its engines; every call blocks and may raise `EngineError`."""

    def detector(self) -> Detector: ...

    def recognizer(self, entry: Entry) -> Recognizer: ...

    def synthesizer(self, entry: Entry) -> Synthesizer: ...


class InstalledEngines:
    """The engines of this installation."""

    def __init__(self, settings: Settings, progress: Progress = weights.silent) -> None:
        self._settings = settings
        self._progress = progress

    def detector(self) -> Detector:
        from realtime.engines.silero import Silero

        return Silero()

    def recognizer(self, entry: Entry) -> Recognizer:
        directory = weights.locate(entry, self._settings, self._progress)
        from realtime.engines.whisper import Whisper

        return Whisper(
            directory,
            device=self._settings.device,
            compute_type=self._settings.compute_type,
            device_index=self._settings.device_index,
            workers=self._settings.engine_workers,
            threads=self._settings.engine_threads,
        )

    def synthesizer(self, entry: Entry) -> Synthesizer:
        weights.locate(entry, self._settings, self._progress)
        match entry.engine:
            case EngineName.HIBARI:
                from realtime.engines.hibari import Hibari

                return Hibari()
            case _:
                raise UnusableModel(
                    f"{entry.name} is in the catalogue, but this version has no engine for it yet", param="model"
                )
