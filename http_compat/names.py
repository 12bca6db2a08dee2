"""What clients may call the models: by the catalogue's names, by OpenAI's, and by those they gave at launch.

A launch, as Xinference's clients know it, is a name for a model; it is forgotten when the server stops.
"""

from contextlib import suppress
from typing import Final

from realtime.catalogue.names import ALIASES, available, find
from realtime.catalogue.table import ModelEntry, Task
from realtime.errors import ClientError, UnknownModel, UnsupportedModel
from realtime.settings import Settings

MAX_LAUNCHED: Final = 64


class ModelNames:
    """The names of one server's models."""

    def __init__(self, settings: Settings) -> None:
        self.defaults = {
            Task.TRANSCRIPTION: find("", Task.TRANSCRIPTION, settings.transcription_model),
            Task.SPEECH: find("", Task.SPEECH, settings.speech_model),
        }
        self._available = {entry.name: entry for entry in available(settings)}
        self._launched: dict[str, ModelEntry] = {}

    def listed(self) -> dict[str, ModelEntry]:
        """All names but OpenAI's, which would be there twice."""
        return {**self._available, **self._launched}

    def known(self, name: str) -> ModelEntry | None:
        """The model of this name, which may be that of its repository."""
        if name in self._launched:
            return self._launched[name]
        if name in ALIASES:
            return self.defaults[ALIASES[name]]
        for task in Task:
            with suppress(UnknownModel):
                if (entry := find(name, task, name)) in self._available.values():
                    return entry
        return None

    def entry(self, name: str) -> ModelEntry:
        """The model of this name. Raises `UnknownModel`."""
        found = self.known(name)
        if found is None:
            raise UnknownModel(name)
        return found

    def model(self, name: str, task: Task) -> str:
        """The name for `Models`, which has the last word on those that are not known here.

        Raises `UnsupportedModel` for a model of another task.
        """
        entry = self.known(name)
        if entry is None:
            return name
        if entry.task is not task:
            raise UnsupportedModel(f"The model {name!r} is for {entry.task}, not for {task}.", param="model")
        return entry.name

    def check(self, name: str, entry: ModelEntry) -> None:
        """Raise `ClientError` where this model cannot have the name: it is that of another, or one too many."""
        if self._available.get(name, entry) != entry or self._launched.get(name, entry) != entry:
            raise ClientError(f"{name!r} is the name of another model.", param="model_uid")
        if name not in self._launched and len(self._launched) >= MAX_LAUNCHED:
            raise ClientError(f"{MAX_LAUNCHED} names have been given; terminate one of them first.", param="model_uid")

    def launch(self, name: str, entry: ModelEntry) -> None:
        """Give a name to a model. Raises `ClientError` as `check` does."""
        self.check(name, entry)
        self._launched[name] = entry

    def last_use(self, name: str) -> ModelEntry | None:
        """The model of this name, if it is of no use without the name: if nobody else has launched it.

        A default that was launched is of use even then. Raises `UnknownModel`.
        """
        entry = self.entry(name)
        others = [each for launched, each in self._launched.items() if launched != name]
        pinned = entry in others or (name in self._launched and entry in self.defaults.values())
        return None if pinned else entry

    def forget(self, name: str) -> None:
        """Take back a name that was given at launch, if it was."""
        self._launched.pop(name, None)
