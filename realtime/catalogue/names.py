"""Resolve the names that clients and operators use to entries of the catalogue.

A request resolves its model name once, here; everything below takes the `ModelEntry`.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.kokoro import means_kokoro
from realtime.catalogue.spellings import means_certain_model, openai_task, whisper_size
from realtime.catalogue.table import ENTRIES, KOKORO_NAME, EngineName, ModelEntry, Task, piper_voice
from realtime.errors import UnknownModel, UnsupportedModel
from realtime.settings import Settings

_UNKNOWN_WHISPER: Final = Capabilities(translation=True, word_times=True)
"""What a Whisper model outside the catalogue is expected to do until it is loaded."""

_REPOSITORY: Final = re.compile(r"[a-z0-9][\w.-]*/[a-z0-9][\w.-]*", re.ASCII | re.IGNORECASE)


_SHARED: Final = (EngineName.PIPER, EngineName.POCKET)
"""Engines whose models share a repository."""

_BY_NAME: Final = {
    name.lower(): entry
    for entry in ENTRIES
    for name in ((entry.name,) if entry.engine in _SHARED else (entry.name, entry.source))
}
"""The catalogue by names and repositories in lower case."""


def lookup(name: str) -> ModelEntry:
    """Find the model that an operator means by a name.

    It is a name of the catalogue, its repository, `openai/` before its name, a size of Whisper without an owner
    (`large-v3`), or any of Kokoro's. Any other name of the form of Piper's is a voice of Piper's, and any other
    repository on the Hugging Face hub (`owner/name`) is taken for a Whisper model. Raises `UnknownModel`.
    """
    written = name.strip().lower()
    if entry := _BY_NAME.get(written) or _BY_NAME.get(written.removeprefix("openai/")):
        return entry
    if "/" not in name and (entry := _BY_NAME.get(whisper_size(name) or "")):
        return entry
    if entry := piper_voice(name.strip()):
        return entry
    if means_kokoro(written):
        return _BY_NAME[KOKORO_NAME]
    if _REPOSITORY.fullmatch(name):
        return ModelEntry(name, Task.TRANSCRIPTION, EngineName.WHISPER, name, _UNKNOWN_WHISPER, "unknown")
    raise UnknownModel(name)


def is_synthesizer(name: str) -> bool:
    """Return whether a name means a speech model: one of the catalogue, or any of OpenAI's."""
    with suppress(UnknownModel):
        if lookup(name).task is Task.SPEECH:
            return True
    return openai_task(name) is Task.SPEECH


class ModelNames:
    """The names of one server's models.

    A client may ask for every model of the catalogue, but only for those other repositories that the settings name:
    a client cannot make the server download anything else. Kokoro, which programs ask for whatever voice there is, must
    be named there, too. OpenAI's own names mean the default of their task, and a size of Whisper means this size under
    whatever name it is published.
    """

    def __init__(self, settings: Settings) -> None:
        """Read the names in the settings. Raises `UnknownModel` for a default or preloaded one that does not exist."""
        self.draft = _default(settings.draft_model, Task.TRANSCRIPTION) if settings.draft_model else None
        """The recognizer that writes the tentative words of live speech for all others; None: each writes its own."""
        self.defaults: Mapping[Task, ModelEntry] = {
            Task.TRANSCRIPTION: self._drafted(_default(settings.transcription_model, Task.TRANSCRIPTION)),
            Task.SPEECH: _default(settings.speech_model, Task.SPEECH),
        }
        preloaded = [self._preloaded(name) for name in settings.preload]
        self.voices_by_language: Mapping[str, ModelEntry] = {
            language: _default(name, Task.SPEECH) for language, name in settings.voice_names_by_language.items()
        }
        """Voice models by the language of the texts that they speak instead of the default one."""
        drafting = [] if self.draft is None else [self.draft]
        pinned = (*self.defaults.values(), *drafting, *self.voices_by_language.values(), *preloaded)
        self.pinned: tuple[ModelEntry, ...] = tuple(dict.fromkeys(pinned))
        """The models that the server loads at start and never unloads: the defaults, the draft model, those of
        languages and the preloaded ones."""
        entries = [*(entry for entry in ENTRIES if entry.name != KOKORO_NAME), *self.pinned]
        for pair in settings.model_paths:
            with suppress(UnknownModel):  # a path under an invalid name is reported when weights are looked for
                entries.append(lookup(pair.partition("=")[0].strip()))
        self._available = {entry.name: self._drafted(entry) for entry in entries}
        self._refuse_unknown = settings.unknown_names == "refuse"

    def _drafted(self, entry: ModelEntry) -> ModelEntry:
        """Return the entry with the draft model if it is another recognizer than that."""
        if self.draft is None or entry.task is not Task.TRANSCRIPTION or entry.name == self.draft.name:
            return entry
        return replace(entry, draft=self.draft)

    def _preloaded(self, name: str) -> ModelEntry:
        task = openai_task(name)
        return self._drafted(lookup(name)) if task is None else self.defaults[task]

    def listed(self) -> dict[str, ModelEntry]:
        """Return the models a client may ask for, by name; other names for them are left out."""
        return dict(self._available)

    def find(self, name: str) -> ModelEntry | None:
        """Return the available model of this name, for any task; None if there is none."""
        task = openai_task(name)
        if task is not None and name not in self._available:
            return self.defaults[task]
        with suppress(UnknownModel):
            if entry := self._available.get(lookup(name).name):
                return entry
        return self._available.get(whisper_size(name) or "")

    def entry(self, name: str) -> ModelEntry:
        """Return the available model that this name means, for any task. Raises `UnknownModel`."""
        entry = self.find(name)
        if entry is None:
            raise UnknownModel(name)
        return entry

    def resolve(self, name: str, task: Task, *, chosen_freely: bool = False) -> ModelEntry:
        """Return the model that answers a request for `name` and `task`.

        An empty name means the default, which answers unknown names too (`is_substituted`), unless the settings refuse
        them. It never answers for another recognizer, unless the name is `chosen_freely`, such as that of a deployment:
        that it sounds like a model then means nothing.

        Raises:
            UnknownModel: The name means a model that is not available, or nothing, and the settings refuse that.
            UnsupportedModel: The name means a model of another task.
        """
        if not name.strip():
            return self.defaults[task]
        entry = self.find(name)
        if entry is None:
            certain = task is Task.TRANSCRIPTION and means_certain_model(name) and not chosen_freely
            if self._refuse_unknown or certain:
                raise UnknownModel(name)
            return self.defaults[task]
        if entry.task is not task:
            raise _of_another_task(name, entry, task)
        return entry

    def recognizer(self, name: str) -> ModelEntry | None:
        """Return the recognizer that `name` means, the default for an empty one; None where it means none."""
        entry = self.find(name) if name.strip() else self.defaults[Task.TRANSCRIPTION]
        return entry if entry is not None and entry.task is Task.TRANSCRIPTION else None

    def is_substituted(self, name: str) -> bool:
        """Return whether `resolve` answers with a default that the name does not mean."""
        return bool(name.strip()) and self.find(name) is None


def _default(name: str, task: Task) -> ModelEntry:
    entry = lookup(name)
    if entry.task is not task:
        raise _of_another_task(name, entry, task)
    return entry


def _of_another_task(name: str, entry: ModelEntry, task: Task) -> UnsupportedModel:
    return UnsupportedModel(f"The model {name!r} is for {entry.task}, not for {task}.", param="model")
