"""Load a recognizer: its engine in threads of the service, or in processes of its own."""

from typing import Any

from realtime.catalogue.table import ModelEntry
from realtime.engines.base import EngineProgram, Recognizer
from realtime.engines.registry import Registry
from realtime.models.handles import ProcessRecognizerHandle, RecognizerHandle
from realtime.weights.progress import Stage, Step
from realtime.workers.process_recognizer import ProcessRecognizer


def load_recognizer(entry: ModelEntry, engines: Registry, load_limit: float) -> RecognizerHandle:
    """Load a recognizer, which blocks. Raises `EngineError` and `UnusableModel`."""
    engine = recognizer_engine(entry, engines)
    if isinstance(engine, ProcessRecognizer):
        return ProcessRecognizerHandle(entry, engine, load_limit)
    return RecognizerHandle(entry, engine, load_limit)


def recognizer_engine(entry: ModelEntry, engines: Registry) -> Recognizer[Any]:
    """Load the engine of a recognizer, which blocks. Raises `EngineError` and `UnusableModel`."""
    engine = engines.recognizer(entry)
    if not isinstance(engine, EngineProgram):
        return engine
    return ProcessRecognizer(engine, lambda stage: engines.advance(Step(entry.name, Stage(stage))))
