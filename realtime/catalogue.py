"""The names a user may ask for: models with their engine, source, languages and licence, and OpenAI's names for them.

A table and the look-ups over it. Nothing here is loaded or looked for on disk: `realtime.weights` finds the files,
the engines read them.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from realtime.errors import UnknownModel, UnknownVoice
from realtime.settings import Settings


class Task(StrEnum):
    """What a model does."""

    TRANSCRIPTION = "transcription"
    SPEECH = "speech"


class EngineName(StrEnum):
    """The module of `realtime.engines` that runs a model."""

    WHISPER = "whisper"
    HIBARI = "hibari"
    CHATTTS = "chattts"
    COSYVOICE = "cosyvoice"


@dataclass(frozen=True, slots=True)
class Entry:
    """One model.

    `source` is a repository on the Hugging Face hub. `languages` are ISO 639 codes, empty where unknown. `licence` is
    an SPDX expression, or words where code and weights differ. `translates` says whether it can put speech of any of
    its languages into English.
    """

    name: str
    task: Task
    engine: EngineName
    source: str
    languages: tuple[str, ...]
    licence: str
    translates: bool = False

    @property
    def multilingual(self) -> bool:
        """True unless the model is known to have one language."""
        return len(self.languages) != 1


ENGLISH: Final = ("en",)
CHINESE: Final = ("zh",)
WHISPER_V2_LANGUAGES: Final = (
    "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs", "cy", "da", "de", "el",
    "en", "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "haw", "he", "hi", "hr", "ht", "hu", "hy",
    "id", "is", "it", "ja", "jw", "ka", "kk", "km", "kn", "ko", "la", "lb", "ln", "lo", "lt", "lv", "mg", "mi",
    "mk", "ml", "mn", "mr", "ms", "mt", "my", "ne", "nl", "nn", "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru",
    "sa", "sd", "si", "sk", "sl", "sn", "so", "sq", "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl",
    "tr", "tt", "uk", "ur", "uz", "vi", "yi", "yo", "zh",
)  # fmt: skip
WHISPER_V3_LANGUAGES: Final = (*WHISPER_V2_LANGUAGES, "yue")


def _whisper(
    name: str, source: str, languages: tuple[str, ...] = WHISPER_V2_LANGUAGES, *, translates: bool = True
) -> Entry:
    return Entry(
        name,
        Task.TRANSCRIPTION,
        EngineName.WHISPER,
        source,
        languages,
        licence="MIT",
        translates=translates,
    )


def _english(name: str, source: str) -> Entry:
    return _whisper(name, source, ENGLISH, translates=False)


def _belle(name: str) -> Entry:
    return Entry(
        name,
        Task.TRANSCRIPTION,
        EngineName.WHISPER,
        f"BELLE-2/{name}",
        CHINESE,
        licence="Apache-2.0",
    )


def _voice(name: str, engine: EngineName, source: str, languages: tuple[str, ...], licence: str) -> Entry:
    return Entry(name, Task.SPEECH, engine, source, languages, licence)


ENTRIES: Final = (
    _whisper("whisper-tiny", "Systran/faster-whisper-tiny"),
    _english("whisper-tiny.en", "Systran/faster-whisper-tiny.en"),
    _whisper("whisper-base", "Systran/faster-whisper-base"),
    _english("whisper-base.en", "Systran/faster-whisper-base.en"),
    _whisper("whisper-small", "Systran/faster-whisper-small"),
    _english("whisper-small.en", "Systran/faster-whisper-small.en"),
    _whisper("whisper-medium", "Systran/faster-whisper-medium"),
    _english("whisper-medium.en", "Systran/faster-whisper-medium.en"),
    _whisper("whisper-large-v2", "Systran/faster-whisper-large-v2"),
    _whisper("whisper-large-v3", "Systran/faster-whisper-large-v3", WHISPER_V3_LANGUAGES),
    # OpenAI trained the turbo model without translation data; asked to translate, it transcribes.
    _whisper(
        "whisper-large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", WHISPER_V3_LANGUAGES, translates=False
    ),
    # Distilled from OpenAI's models with a decoder of two layers, for English only.
    _english("distil-whisper-small.en", "Systran/faster-distil-whisper-small.en"),
    _english("distil-whisper-medium.en", "Systran/faster-distil-whisper-medium.en"),
    _english("distil-whisper-large-v2", "Systran/faster-distil-whisper-large-v2"),
    _english("distil-whisper-large-v3", "Systran/faster-distil-whisper-large-v3"),
    _english("distil-whisper-large-v3.5", "distil-whisper/distil-large-v3.5-ct2"),
    # Fine-tuned for Chinese and published for transformers: converted when they are first used.
    _belle("Belle-distilwhisper-large-v2-zh"),
    _belle("Belle-whisper-large-v2-zh"),
    _belle("Belle-whisper-large-v3-zh"),
    _voice("hibari-tts", EngineName.HIBARI, "maureesewilliams/hibari", ENGLISH, "Apache-2.0"),
    _voice(
        "ChatTTS",
        EngineName.CHATTTS,
        "2Noise/ChatTTS",
        ("zh", "en"),
        "code AGPL-3.0-or-later, weights CC-BY-NC-4.0",
    ),
    # Of the CosyVoice family, the one that speaks without a recorded prompt.
    _voice(
        "CosyVoice",
        EngineName.COSYVOICE,
        "FunAudioLLM/CosyVoice-300M-SFT",
        ("zh", "en", "ja", "yue", "ko"),
        "Apache-2.0",
    ),
)

ALIASES: Final = {
    "whisper-1": Task.TRANSCRIPTION,
    "gpt-4o-transcribe": Task.TRANSCRIPTION,
    "gpt-4o-mini-transcribe": Task.TRANSCRIPTION,
    "tts-1": Task.SPEECH,
    "tts-1-hd": Task.SPEECH,
    "gpt-4o-mini-tts": Task.SPEECH,
}
"""Names of OpenAI's own models, which mean the server's default for their task."""

OPENAI_VOICES: Final = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip

_REPOSITORY: Final = re.compile(r"[a-z0-9][\w.-]*/[a-z0-9][\w.-]*", re.ASCII | re.IGNORECASE)


def find(name: str, task: Task, default: str) -> Entry:
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
        return Entry(wanted, task, EngineName.WHISPER, wanted, (), "unknown", translates=True)
    raise UnknownModel(wanted)


def offered(settings: Settings) -> tuple[Entry, ...]:
    """The models a client may ask for: those of the table, and the repositories that the settings name."""
    configured = (pair.partition("=")[0].strip() for pair in settings.model_paths)
    entries = [*ENTRIES]
    for name in (settings.recognizer, *settings.preload, *configured):
        with suppress(UnknownModel):  # a voice model, which the table has
            entries.append(find(name, Task.TRANSCRIPTION, settings.recognizer))
    return tuple(dict.fromkeys(entries))


def named(name: str) -> Entry:
    """The model of this name, whatever it does. Raises `UnknownModel`."""
    try:
        return find(name, Task.SPEECH, name)
    except UnknownModel:
        return find(name, Task.TRANSCRIPTION, name)


def kept(settings: Settings) -> tuple[Entry, ...]:
    """The models that a server always has: the defaults, and what the settings preload. Raises `UnknownModel`."""
    recognizer = find("", Task.TRANSCRIPTION, settings.recognizer)
    voice_model = find("", Task.SPEECH, settings.voice_model)
    return tuple(dict.fromkeys((recognizer, voice_model, *map(named, settings.preload))))


def translates(recognizer: str) -> bool:
    """Whether the recognizer of this name can put speech into English; a repository is given the chance."""
    return find(recognizer, Task.TRANSCRIPTION, recognizer).translates


def resolve_voice(name: str, voices: tuple[str, ...]) -> str:
    """The voice among `voices`, default first, that `name` asks for.

    An empty name is the default; each of `OPENAI_VOICES` is always the same one of `voices`. Raises `UnknownVoice`.
    """
    if not name:
        return voices[0]
    if name in voices:
        return name
    if name in OPENAI_VOICES:
        return voices[OPENAI_VOICES.index(name) % len(voices)]
    raise UnknownVoice(f"there is no voice {name!r}; there are: {', '.join(voices)}", param="voice")
