"""The voices of models whose files are on this machine, without loading the models."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from realtime.catalogue.pocket import pocket_folder
from realtime.catalogue.table import COSYVOICE_ENTRIES, COSYVOICE_NAME, EngineName, ModelEntry, Task
from realtime.catalogue.voices import VoicesAtHand
from realtime.engines.kokoro_phonemes import readable_voices
from realtime.errors import EngineError, UnusableModel, VoiceError
from realtime.settings import Settings
from realtime.weights import locate as weights
from realtime.weights import piper, pocket

_UNNAMED: Final = "default"
"""What the voice is called where the names are known only to the loaded model, or where every name is a voice."""


def installed_voices(
    entries: Collection[ModelEntry], settings: Settings, require_library: Callable[[ModelEntry], None]
) -> VoicesAtHand:
    """Return the names of the voices of those voice models that are on this machine.

    `require_library` raises `UnusableModel` for a model whose library is not installed. Blocks for as long as it takes
    to look at the files.
    """
    voices: dict[str, tuple[str, ...]] = {}
    errors: dict[str, VoiceError] = {}
    for entry in entries:
        if entry.task is not Task.SPEECH:
            continue
        try:
            directory = weights.find(entry, settings)
            if directory is not None and not (entry.name == COSYVOICE_NAME and _is_listed(directory, settings)):
                require_library(entry)
                voices[entry.name] = _voices(entry, settings)
        except (EngineError, UnusableModel) as error:
            errors[entry.name] = error
        except OSError as exc:
            errors[entry.name] = EngineError(f"The files of {entry.name} cannot be read: {exc.strerror or exc}.")
    return VoicesAtHand(voices, errors)


def _is_listed(directory: Path, settings: Settings) -> bool:
    """Return whether the best directory of CosyVoice is that of one of its models, which are listed by themselves."""
    return any(weights.find(member, settings) == directory for member in COSYVOICE_ENTRIES)


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
