"""Load a voice model: its engine in threads of the service, or in processes of its own."""

from realtime.catalogue.table import ModelEntry
from realtime.engines.base import EngineProgram
from realtime.engines.registry import Registry
from realtime.models.handles import ProcessSynthesizerHandle, SynthesizerHandle, ThreadSynthesizerHandle
from realtime.models.voice_clips import voice_clips
from realtime.settings import Settings
from realtime.weights.progress import Stage, Step


def load_synthesizer(entry: ModelEntry, engines: Registry, settings: Settings) -> SynthesizerHandle:
    """Load a voice model, which blocks. Raises `EngineError` and `UnusableModel`."""
    engine = engines.synthesizer(entry)
    british = settings.english_variant == "uk"
    if not isinstance(engine, EngineProgram):
        return ThreadSynthesizerHandle(entry, engine, british=british)
    clips = voice_clips(settings.voices_dir)

    def advance(stage: str) -> None:
        engines.advance(Step(entry.name, Stage(stage)))

    return ProcessSynthesizerHandle(entry, engine, clips, advance, british=british)
