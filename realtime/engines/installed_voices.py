"""The voices of models whose files are on this machine, without loading the models."""

from collections.abc import Collection
from typing import Final

from realtime.catalogue.pocket import pocket_folder
from realtime.catalogue.table import COSYVOICE_NAME, EngineName, ModelEntry, Task
from realtime.engines.kokoro_phonemes import readable_voices
from realtime.settings import Settings
from realtime.weights import locate as weights
from realtime.weights import piper, pocket

_UNNAMED: Final = "default"
"""What the voice is called where the names are known only to the loaded model, or where every name is a voice."""


def installed_voices(entries: Collection[ModelEntry], settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the names of the voices of those voice models that are on this machine, by model, default voice first.

    Blocks for as long as it takes to look at the files.
    """
    synthesizers = [entry for entry in entries if entry.task is Task.SPEECH and entry.name != COSYVOICE_NAME]
    here = (entry for entry in synthesizers if weights.find(entry, settings) is not None)
    return {entry.name: _voices(entry, settings) for entry in here}


def _voices(entry: ModelEntry, settings: Settings) -> tuple[str, ...]:
    match entry.engine:
        case EngineName.HIBARI:
            from realtime.engines.hibari import available_voices

            return available_voices()
        case EngineName.PIPER:
            directory = weights.find(entry, settings)
            path = piper.network(directory) if directory else None
            return piper.speakers(path) if path else ()
        case EngineName.KOKORO:
            directory = weights.find(entry, settings)
            return tuple(readable_voices(directory)) if directory else ()
        case EngineName.POCKET:
            directory, folder = weights.find(entry, settings), pocket_folder(entry.name)
            return tuple(pocket.voice_files(directory, folder)) if directory else ()
        case _:
            return (_UNNAMED,)
