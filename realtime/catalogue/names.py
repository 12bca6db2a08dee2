"""Look up models by the names clients and operators use."""

import re
from contextlib import suppress
from typing import Final

from realtime.catalogue.table import ENTRIES, EngineName, ModelEntry, Task
from realtime.errors import UnknownModel
from realtime.settings import Settings

ALIASES: Final = {
    "whisper-1": Task.TRANSCRIPTION,
    "gpt-4o-transcribe": Task.TRANSCRIPTION,
    "gpt-4o-mini-transcribe": Task.TRANSCRIPTION,
    "tts-1": Task.SPEECH,
    "tts-1-hd": Task.SPEECH,
    "gpt-4o-mini-tts": Task.SPEECH,
}
"""Names of OpenAI's own models, which mean the server's default for their task."""


_REPOSITORY: Final = re.compile(r"[a-z0-9][\w.-]*/[a-z0-9][\w.-]*", re.ASCII | re.IGNORECASE)


def find(name: str, task: Task, default: str) -> ModelEntry:
    """The model of this name for this task.

    An empty name and OpenAI's names mean `default`. A repository of the hub, as in `Systran/faster-whisper-small`,
    is a recognizer too; OpenAI's own are the models of the same name, in the format that needs no conversion. Raises
    `UnknownModel`.
    """
    wanted = default if not name or ALIASES.get(name) is task else name
    for entry in ENTRIES:
        if entry.task is task and wanted in (entry.name, entry.source, f"openai/{entry.name}"):
            return entry
    if task is Task.TRANSCRIPTION and _REPOSITORY.fullmatch(wanted):
        return ModelEntry(wanted, task, EngineName.WHISPER, wanted, (), "unknown", can_translate=True)
    raise UnknownModel(wanted)


def available(settings: Settings) -> tuple[ModelEntry, ...]:
    """The models a client may ask for: those of the table, and the repositories that the settings name."""
    configured = (pair.partition("=")[0].strip() for pair in settings.model_paths)
    entries = [*ENTRIES]
    for name in (settings.transcription_model, *settings.preload, *configured):
        with suppress(UnknownModel):  # a voice model, which the table has
            entries.append(find(name, Task.TRANSCRIPTION, settings.transcription_model))
    return tuple(dict.fromkeys(entries))


def lookup(name: str) -> ModelEntry:
    """The model of this name, whatever it does. Raises `UnknownModel`."""
    try:
        return find(name, Task.SPEECH, name)
    except UnknownModel:
        return find(name, Task.TRANSCRIPTION, name)


def pinned(settings: Settings) -> tuple[ModelEntry, ...]:
    """The models that a server always has: the defaults, and what the settings preload. Raises `UnknownModel`."""
    recognizer = find("", Task.TRANSCRIPTION, settings.transcription_model)
    speech_model = find("", Task.SPEECH, settings.speech_model)
    return tuple(dict.fromkeys((recognizer, speech_model, *map(lookup, settings.preload))))


def can_translate(recognizer: str) -> bool:
    """Whether the recognizer of this name can put speech into English; a repository is given the chance."""
    return find(recognizer, Task.TRANSCRIPTION, recognizer).can_translate
