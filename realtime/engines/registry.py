"""The engine for each entry of the catalogue. Heavy libraries are imported here, when they are first needed."""

import logging
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

from realtime.catalogue.names import ModelNames
from realtime.catalogue.pocket import pocket_folder
from realtime.catalogue.table import EngineName, ModelEntry, Task
from realtime.catalogue.voices import VoicesAtHand
from realtime.cpus import usable_cpus
from realtime.engines.base import (
    Detector,
    EndOfTurnModel,
    EngineProgram,
    LanguageIdentifier,
    Recognizer,
    Synthesizer,
)
from realtime.engines.decoder_layouts import DecoderLayout, possible_layouts, usual_layout
from realtime.engines.installed_voices import installed_voices
from realtime.errors import EngineError, EngineNotInstalled, NoEngine, UnusableModel
from realtime.settings import Settings
from realtime.weights import locate as weights
from realtime.weights.progress import Progress, Stage, Step, silent

logger = logging.getLogger(__name__)

_LIBRARIES: Final = {
    EngineName.PIPER: ("piper", "piper"),
    EngineName.POCKET: ("pocket_tts", "pocket"),
    EngineName.CHATTTS: ("ChatTTS", "chattts"),
}
"""The package that an engine imports, and the extra that installs it."""

RECOGNIZER_STALL_SECONDS: Final = 10.0
"""Seconds that a call of a recognizer may take besides what its audio explains: the machine may be that busy."""


class Registry(Protocol):
    """Loads engines for `Models`. Its methods block; they raise `EngineError` or `UnusableModel`."""

    def detector(self) -> Detector: ...

    def prepare(self, entry: ModelEntry) -> int:
        """Find, download or convert the weights of a model; return their size in bytes."""

    def recognizer(self, entry: ModelEntry) -> Recognizer[Any] | EngineProgram:
        """Load a recognizer, or return how to run it in processes of its own."""

    def synthesizer(self, entry: ModelEntry) -> Synthesizer | EngineProgram:
        """Load a voice model, or return how to run it in processes of its own."""

    def installed_voices(self, entries: Collection[ModelEntry]) -> VoicesAtHand:
        """Return the voices of those voice models that are on this machine; raise nothing for one that is damaged."""

    def language_identifier(self) -> LanguageIdentifier: ...

    def end_of_turn_model(self) -> EndOfTurnModel: ...

    def steps(self) -> Mapping[str, Step]:
        """Return the progress of the models that are being prepared or loaded, by name."""

    def advance(self, step: Step) -> None:
        """Record the progress of a model whose engine is loaded in a process. Raises `EngineError` after `stop`."""

    def stop(self) -> None:
        """Make the preparations in progress fail at their next step."""


class InstalledEngines:
    """The engines of this installation."""

    def __init__(self, settings: Settings, progress: Progress = silent, *, measure_layouts: bool = False) -> None:
        """Load engines as the settings say.

        With `measure_layouts`, workers and threads of pinned recognizers are chosen by measurement, which needs the
        CPUs for some seconds.
        """
        self._settings = settings
        self._measures_layouts = measure_layouts
        self._pinned = ModelNames(settings).pinned
        self._progress = progress
        self._steps: dict[str, Step] = {}
        self._stopping = False
        self._measuring = Lock()

    def detector(self) -> Detector:
        from realtime.engines.silero import Silero

        return Silero()

    def prepare(self, entry: ModelEntry) -> int:
        allow_downloads = (
            self._settings.allow_downloads or entry in self._pinned
        )  # pinned models are the operator's own choice
        self._require_library(entry)
        try:
            path = weights.locate(entry, replace(self._settings, allow_downloads=allow_downloads), self.advance)
            size = weights.size(path)
            return size * self._copies(entry, size)
        finally:
            self._steps.pop(entry.name, None)

    def _copies(self, entry: ModelEntry, size: int) -> int:
        """Return how many times a model of so many bytes is in memory."""
        in_processes = entry.task is Task.TRANSCRIPTION and self._settings.decoders_in_processes
        return usual_layout(self._settings, size).workers if in_processes else 1

    def _require_library(self, entry: ModelEntry) -> None:
        """Raise `UnusableModel` for a model whose weights would be downloaded in vain."""
        if entry.engine is EngineName.COSYVOICE:
            self._cosyvoice_home(entry)
        elsewhere = entry.engine is EngineName.CHATTTS and self._settings.chattts_python is not None
        package, extra = _LIBRARIES.get(entry.engine, ("", ""))
        if package and not elsewhere and find_spec(package) is None:
            raise EngineNotInstalled(entry.name, extra)

    def recognizer(self, entry: ModelEntry) -> Recognizer[Any] | EngineProgram:
        directory = weights.locate(entry, self._settings, self._progress)
        if entry.engine is not EngineName.WHISPER:
            raise NoEngine(entry.name)
        options: dict[str, Any] = {
            "languages": entry.languages,
            "translation": entry.capabilities.translation,
            "compute_type": self._settings.compute_type,
            "speculative": self._settings.speculative_decoding,
            "device_index": self._settings.device_index,
        }
        if self._settings.decoders_in_processes:
            workers, threads = usual_layout(self._settings, weights.size(directory))
            return EngineProgram(
                entry.name,
                "realtime.engines.whisper.process:load",
                {"path": str(directory), "device": self._settings.device, "threads": threads, **options},
                sys.executable,
                instances=workers,
                max_memory_bytes=self._settings.engine_memory_bytes,
                stall_timeout=RECOGNIZER_STALL_SECONDS,
            )
        try:
            self.advance(Step(entry.name, Stage.LOADING))
            return self._load_whisper(entry, directory, options)
        finally:
            self._steps.pop(entry.name, None)

    def _load_whisper(self, entry: ModelEntry, directory: Path, options: dict[str, Any]) -> Recognizer[Any]:
        """Load a model with the usual layout of its decoder workers, or with the best by measurement."""
        from realtime.engines.whisper.engine import Whisper
        from realtime.engines.whisper.layout_speed import load_best

        settings = self._on_device()

        def load(layout: DecoderLayout) -> Whisper:
            return Whisper(directory, device=settings.device, workers=layout.workers, threads=layout.threads, **options)

        usual = usual_layout(settings, weights.size(directory))
        layouts = possible_layouts(settings) if self._measures_layouts and entry in self._pinned else ()
        if len(layouts) < 2:
            logger.debug("%s: %s workers x threads", entry.name, usual)
            return load(usual)
        with self._measuring:
            engine, measured = load_best(layouts, usual, load, lambda: self.advance(Step(entry.name, Stage.LOADING)))
        logger.info(
            "%s: %s workers x threads (%s)", entry.name, DecoderLayout(engine.workers, engine.threads), measured
        )
        return engine

    def _on_device(self) -> Settings:
        """Return the settings with the device that `auto` stands for."""
        import ctranslate2

        if self._settings.device != "auto":
            return self._settings
        return replace(self._settings, device="cuda" if ctranslate2.get_cuda_device_count() else "cpu")

    def synthesizer(self, entry: ModelEntry) -> Synthesizer | EngineProgram:
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
            case EngineName.CHATTTS:
                return self._program(entry, "chattts:ChatTTS", directory, self._settings.chattts_python)
            case EngineName.KOKORO:
                return self._program(entry, "kokoro:Kokoro", directory, None)
            case EngineName.POCKET:
                folder = pocket_folder(entry.name)
                return self._program(entry, "pocket_tts:PocketTTS", directory, None, folder=folder)
            case EngineName.COSYVOICE:
                return self._cosyvoice(entry, directory)
            case _:
                raise NoEngine(entry.name)

    def _cosyvoice_home(self, entry: ModelEntry) -> Path:
        home = self._settings.cosyvoice_home
        if home is None:
            raise UnusableModel(
                f"{entry.name} needs a clone of CosyVoice's repository: set VIVAVOCE_COSYVOICE_HOME to it; see "
                "docs/voices.md.",
                param="model",
            )
        return home.expanduser().resolve()

    def _cosyvoice(self, entry: ModelEntry, directory: Path) -> EngineProgram:
        python, clone = self._settings.cosyvoice_python, str(self._cosyvoice_home(entry))
        logger.info("%s is the model in %s", entry.name, directory)
        return self._program(entry, "cosyvoice:CosyVoice", directory, python, home=clone, name=entry.name)

    def _program(
        self, entry: ModelEntry, engine: str, directory: Path, python: Path | None, **arguments: str
    ) -> EngineProgram:
        """Return how to run a voice model in processes, which share the CPUs.

        The threads of OpenMP must not spin while they wait: beside other work on two CPUs, ChatTTS with two threads
        took 16 s for what takes 0.5 s without that, or with one thread. Compiling what ChatTTS does with a few hundred
        characters takes numba 4 s, in the first phrase with a digit in it.
        """
        settings, cpus = self._settings, usable_cpus()
        common = {
            "path": str(directory),
            "device": settings.device,
            "device_index": settings.device_index,
            "threads": settings.threads_per_worker or max(1, min(4, cpus // settings.engine_processes)),
        }
        return EngineProgram(
            entry.name,
            f"realtime.engines.{engine}",
            {**common, **arguments},
            str(python.expanduser()) if python else sys.executable,
            {"OMP_WAIT_POLICY": "PASSIVE", "NUMBA_DISABLE_JIT": "1"},
            instances=settings.engine_processes,
            max_memory_bytes=settings.engine_memory_bytes,
            stall_timeout=settings.engine_stall_timeout_seconds,
        )

    def installed_voices(self, entries: Collection[ModelEntry]) -> VoicesAtHand:
        return installed_voices(entries, self._settings, self._require_library)

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

    def advance(self, step: Step) -> None:
        if self._stopping:
            raise EngineError("The server is stopping.")
        self._steps[step.model] = step
        self._progress(step)
