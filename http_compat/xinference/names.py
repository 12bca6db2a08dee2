"""The names that clients gave to models when they launched them."""

from typing import Final

from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ModelEntry
from realtime.errors import ClientError
from realtime.settings import Settings

MAX_LAUNCHED: Final = 64
"""Names that may be given at the same time."""


class LaunchedNames(ModelNames):
    """The names of one server's models, and those given at launch, which come first.

    Launched names are lost when the server stops.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._launched: dict[str, ModelEntry] = {}

    def listed(self) -> dict[str, ModelEntry]:
        return {**super().listed(), **self._launched}

    def find(self, name: str) -> ModelEntry | None:
        return self._launched.get(name) or super().find(name)

    def check(self, name: str, entry: ModelEntry) -> None:
        """Raise `ClientError` if `name` cannot be given to this model: it names another one, or there are too many."""
        if self.listed().get(name, entry) != entry:
            raise ClientError(f"{name!r} is the name of another model.", param="model_uid")
        if name not in self._launched and len(self._launched) >= MAX_LAUNCHED:
            raise ClientError(f"{MAX_LAUNCHED} names have been given; terminate one of them first.", param="model_uid")

    def launch(self, name: str, entry: ModelEntry) -> None:
        """Give a name to a model. Raises `ClientError` as `check` does."""
        self.check(name, entry)
        self._launched[name] = entry

    def unused_without(self, name: str) -> ModelEntry | None:
        """Return the model to unload when this name is removed; None while another name or a default uses it.

        Raises `UnknownModel`.
        """
        entry = self.entry(name)
        others = [each for launched, each in self._launched.items() if launched != name]
        in_use = entry in others or (name in self._launched and entry in self.defaults.values())
        return None if in_use else entry

    def forget(self, name: str) -> None:
        """Remove a name that was given at launch; other names stay."""
        self._launched.pop(name, None)
