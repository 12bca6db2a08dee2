"""Resolve the names that clients and operators use to entries of the catalogue.

A request resolves its model name once, here; everything below takes the `ModelEntry`.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.table import ENTRIES, EngineName, ModelEntry, Task
from realtime.errors import UnknownModel, UnsupportedModel
from realtime.settings import Settings

ALIASES: Final = {
    "whisper-1": Task.TRANSCRIPTION,
    "gpt-4o-transcribe": Task.TRANSCRIPTION,
    "gpt-4o-mini-transcribe": Task.TRANSCRIPTION,
    "tts-1": Task.SPEECH,
    "tts-1-hd": Task.SPEECH,
    "gpt-4o-mini-tts": Task.SPEECH,
}
"""Names of OpenAI's own models; each stands for the server's default model of its task."""

_UNKNOWN_WHISPER: Final = Capabilities(translation=True, word_times=True)
"""What a Whisper model outside the catalogue is expected to do until it is loaded."""

_REPOSITORY: Final = re.compile(r"[a-z0-9][\w.-]*/[a-z0-9][\w.-]*", re.ASCII | re.IGNORECASE)


def lookup(name: str) -> ModelEntry:
    """Find a model by its catalogue name, its repository, or `openai/` before its name.

    Any other repository on the Hugging Face hub (`owner/name`) is taken for a Whisper model. Raises `UnknownModel`.
    """
    for entry in ENTRIES:
        if name in (entry.name, entry.source, f"openai/{entry.name}"):
            return entry
    if _REPOSITORY.fullmatch(name):
        return ModelEntry(name, Task.TRANSCRIPTION, EngineName.WHISPER, name, _UNKNOWN_WHISPER, "unknown")
    raise UnknownModel(name)


class ModelNames:
    """The names of one server's models.

    A client may ask for every model of the catalogue, but only for those other repositories that the settings name:
    a client cannot make the server download anything else.
    """

    def __init__(self, settings: Settings) -> None:
        """Read the names in the settings. Raises `UnknownModel` for a default or preloaded one that does not exist."""
        self.defaults: Mapping[Task, ModelEntry] = {
            Task.TRANSCRIPTION: _default(settings.transcription_model, Task.TRANSCRIPTION),
            Task.SPEECH: _default(settings.speech_model, Task.SPEECH),
        }
        preloaded = [self._lookup(name) for name in settings.preload]
        self.pinned: tuple[ModelEntry, ...] = tuple(dict.fromkeys((*self.defaults.values(), *preloaded)))
        """The models that the server loads at start and never unloads: the defaults and the preloaded ones."""
        entries = [*ENTRIES, *self.pinned]
        for pair in settings.model_paths:
            with suppress(UnknownModel):  # a path under an invalid name is reported when weights are looked for
                entries.append(lookup(pair.partition("=")[0].strip()))
        self._available = {entry.name: entry for entry in entries}

    def listed(self) -> dict[str, ModelEntry]:
        """Return the models a client may ask for, by name; `ALIASES` are left out."""
        return dict(self._available)

    def find(self, name: str) -> ModelEntry | None:
        """Return the available model of this name, for any task; None if there is none."""
        try:
            entry = self._lookup(name)
        except UnknownModel:
            return None
        return self._available.get(entry.name)

    def entry(self, name: str) -> ModelEntry:
        """Return the available model of this name, for any task. Raises `UnknownModel`."""
        entry = self.find(name)
        if entry is None:
            raise UnknownModel(name)
        return entry

    def resolve(self, name: str, task: Task) -> ModelEntry:
        """Return the available model of this name for `task`; an empty name means the default.

        Raises `UnknownModel`, and `UnsupportedModel` for a model of another task.
        """
        if not name:
            return self.defaults[task]
        entry = self.entry(name)
        if entry.task is not task:
            raise UnsupportedModel(f"The model {name!r} is for {entry.task}, not for {task}.", param="model")
        return entry

    def recognizer(self, name: str) -> ModelEntry | None:
        """Return the recognizer a client may ask for by `name`; None where there is none."""
        try:
            return self.resolve(name, Task.TRANSCRIPTION)
        except (UnknownModel, UnsupportedModel):
            return None

    def _lookup(self, name: str) -> ModelEntry:
        return self.defaults[ALIASES[name]] if name in ALIASES else lookup(name)


def _default(name: str, task: Task) -> ModelEntry:
    entry = lookup(name)
    if entry.task is not task:
        raise UnknownModel(name)
    return entry
