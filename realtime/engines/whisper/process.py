"""Whisper in a process of its own."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from realtime.engines.recognizer_calls import RecognizerCalls
from realtime.weights.progress import Stage


def load(arguments: Mapping[str, Any], on_stage: Callable[[str], None]) -> RecognizerCalls:
    """Load the model in the directory `path`; the further arguments are those of `Whisper`. Raises `EngineError`."""
    on_stage(Stage.STARTING)
    from realtime.engines.whisper.engine import Whisper

    on_stage(Stage.LOADING)
    options = {**arguments, "languages": tuple(arguments["languages"])}
    return RecognizerCalls(Whisper(Path(options.pop("path")), **options))
