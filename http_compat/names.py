"""What clients may call the models: by the catalogue's names, by OpenAI's, and by those they gave at launch.

A launch, as Xinference's clients know it, is a name for a model; it is forgotten when the server stops.
"""

from contextlib import suppress
from typing import Final

from http_compat.errors import UnsupportedModel
from realtime.catalogue import ALIASES, Entry, Task, find, offered
from realtime.errors import ClientError, UnknownModel
from realtime.settings import Settings

MAX_LAUNCHED: Final = 64


class ModelNames:
    """The names of one server's models."""

    def __init__(self, settings: Settings) -> None:
        self.defaults = {
            Task.TRANSCRIPTION: find("", Task.TRANSCRIPTION, settings.recognizer),
            Task.SPEECH: find("", Task.SPEECH, settings.voice_model),
        }
        self._offered = {entry.name: entry for entry in offered(settings)}
        self._launched: dict[str, Entry] = {}

    def listed(self) -> dict[str, Entry]:
        """All names but OpenAI's, which would be there twice."""
        return {**self._offered, **self._launched}

    def known(self, name: str) -> Entry | None:
        """The model of this name, which may be that of its repository."""
        if name in self._launched:
            return self._launched[name]
        if name in ALIASES:
            return self.defaults[ALIASES[name]]
        for task in Task:
            with suppress(UnknownModel):
                if (entry := find(name, task, name)) in self._offered.values():
                    return entry
        return None

    def entry(self, name: str) -> Entry:
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

    def check(self, name: str, entry: Entry) -> None:
        """Raise `ClientError` where this model cannot have the name: it is that of another, or one too many."""
        if self._offered.get(name, entry) != entry or self._launched.get(name, entry) != entry:
            raise ClientError(f"{name!r} is the name of another model.", param="model_uid")
        if name not in self._launched and len(self._launched) >= MAX_LAUNCHED:
            raise ClientError(f"{MAX_LAUNCHED} names have been given; terminate one of them first.", param="model_uid")

    def launch(self, name: str, entry: Entry) -> None:
        """Give a name to a model. Raises `ClientError` as `check` does."""
        self.check(name, entry)
        self._launched[name] = entry

    def last_use(self, name: str) -> Entry | None:
        """The model of this name, if it is of no use without the name: if nobody else has launched it.

        A default that was launched is of use even then. Raises `UnknownModel`.
        """
        entry = self.entry(name)
        others = [each for launched, each in self._launched.items() if launched != name]
        kept = entry in others or (name in self._launched and entry in self.defaults.values())
        return None if kept else entry

    def forget(self, name: str) -> None:
        """Take back a name that was given at launch, if it was."""
        self._launched.pop(name, None)
