"""Which voice model speaks a text, by the language that the text is written in.

What identifies languages takes as much memory as two live streams. It is loaded for the first text that is spoken, or
at the start of the service where the settings make the answer depend on it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import ModelEntry, Task
from realtime.engines.base import LanguageIdentifier
from realtime.errors import EngineError, UnspokenLanguage
from realtime.languages import language_name
from realtime.settings import Settings

logger = logging.getLogger(__name__)


class Speakers:
    """Chooses the voice models of texts: the default one, or those of `voices_by_language`."""

    def __init__(
        self, settings: Settings, names: ModelNames, load: Callable[[], Awaitable[LanguageIdentifier]]
    ) -> None:
        """Take the voices of the settings; `load` loads what identifies languages, and raises `EngineError`."""
        self._default = names.defaults[Task.SPEECH]
        self._by_language = names.voices_by_language
        self._refuse = settings.unspoken_languages == "refuse"
        self._load = load
        self._identifier: asyncio.Task[LanguageIdentifier | None] | None = None

    def open(self) -> None:
        """Begin to load what identifies languages, if `speaker` depends on it."""
        if self._by_language or self._refuse:
            self._loading()

    def close(self) -> None:
        if self._identifier is not None:
            self._identifier.cancel()

    async def unspoken_language(self, text: str, entry: ModelEntry) -> str | None:
        """Return the language of a text if it is probable that the voice model does not speak it.

        None also where the languages of the model are unknown. The first call waits for what identifies languages.
        """
        if not entry.languages:
            return None
        language = await self._language(text, entry)
        return None if language in entry.languages else language

    async def speaker(self, text: str, entry: ModelEntry, before: ModelEntry | None = None) -> ModelEntry:
        """Return the model that speaks a text for a client that has asked for `entry`.

        Only the default model has others beside it (`voices_by_language`). Where no voice is certain, the one that
        spoke the text `before` goes on. Raises `UnspokenLanguage` for a language that nothing here speaks, if the
        settings refuse that.
        """
        others = self._by_language if entry == self._default else {}
        if others and (language := await self._language_among(text, (*entry.languages, *others))) is not None:
            return others.get(language, entry)
        language = await self.unspoken_language(text, entry) if self._refuse else None
        if language is not None and language not in others:
            raise UnspokenLanguage(language_name(language), entry.name)
        return before if others and before is not None else entry

    async def language_for(self, text: str, entry: ModelEntry) -> str:
        """Return in which of the languages that the settings give to a model it speaks a text; empty if none is."""
        languages = tuple(language for language, each in self._by_language.items() if each == entry)
        if len(languages) < 2:
            return "".join(languages)
        return await self._language_among(text, languages) or ""

    def speaker_of(self, language: str) -> ModelEntry | None:
        """Return the model for texts in a language; None where only the default one speaks, or none this language."""
        if not self._by_language:
            return None
        return self._by_language.get(language, self._default if language in self._default.languages else None)

    async def _language(self, text: str, entry: ModelEntry) -> str | None:
        identifier = await asyncio.shield(self._loading())
        return identifier.language(text, entry.languages) if identifier is not None else None

    async def _language_among(self, text: str, languages: tuple[str, ...]) -> str | None:
        identifier = await asyncio.shield(self._loading())
        return identifier.among(text, languages) if identifier is not None else None

    def _loading(self) -> "asyncio.Task[LanguageIdentifier | None]":
        if self._identifier is None:
            self._identifier = asyncio.create_task(self._load_identifier())
        return self._identifier

    async def _load_identifier(self) -> LanguageIdentifier | None:
        try:
            return await self._load()
        except EngineError as error:
            logger.error("the language of texts is not checked: %s", error.message)  # noqa: TRY400 - it has its cause
            return None
