"""The table of models: name, task, engine, source, languages and licence of each.

Nothing here is loaded or looked up on disk: `realtime.weights` finds the files and the engines load them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from realtime.catalogue.capabilities import Capabilities
from realtime.catalogue.kokoro import KOKORO_LANGUAGES, KOKORO_REPOSITORY
from realtime.catalogue.piper import PIPER_REPOSITORY, piper_language
from realtime.catalogue.pocket import POCKET_LANGUAGES, POCKET_REPOSITORY, pocket_name


class Task(StrEnum):
    """What a model is for."""

    TRANSCRIPTION = "transcription"
    SPEECH = "speech"


class EngineName(StrEnum):
    """The engine that runs a model; `realtime.engines.registry` has those that this version can run."""

    WHISPER = "whisper"
    HIBARI = "hibari"
    CHATTTS = "chattts"
    COSYVOICE = "cosyvoice"
    PIPER = "piper"
    KOKORO = "kokoro"
    POCKET = "pocket-tts"


WEIGHT_PACKAGES: Final = {EngineName.HIBARI: "hibari"}
"""Packages that contain the weights of an engine's models; `weights/locate.py` finds those of Whisper elsewhere."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the catalogue.

    Attributes:
        name: The name under which clients ask for it, and the server lists it.
        task: What it is for.
        engine: The engine that runs it.
        source: Its repository on the Hugging Face hub.
        capabilities: What it can do.
        licence: An SPDX expression, or words if code and weights differ.
        draft: The draft model that the settings give to a recognizer: a smaller one, which writes the tentative words
            of live speech until this one has the time.
    """

    name: str
    task: Task
    engine: EngineName
    source: str
    capabilities: Capabilities
    licence: str
    draft: "ModelEntry | None" = None

    def __repr__(self) -> str:
        """Return the name alone: the languages would fill a line of the log."""
        return f"ModelEntry({self.name!r})"

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639 codes of its languages; empty if unknown."""
        return self.capabilities.languages

    @property
    def multilingual(self) -> bool:
        """Whether the model has several languages, or is not known to have a single one."""
        return len(self.languages) != 1


ENGLISH: Final = ("en",)
CHINESE: Final = ("zh",)

COSYVOICE_LANGUAGES: Final = ("zh", "en", "ja", "yue", "ko")
COSYVOICE3_LANGUAGES: Final = (*COSYVOICE_LANGUAGES, "de", "es", "fr", "it", "ru")


WHISPER_V2_LANGUAGES: Final = (
    "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs", "cy", "da", "de", "el",
    "en", "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "haw", "he", "hi", "hr", "ht", "hu", "hy",
    "id", "is", "it", "ja", "jw", "ka", "kk", "km", "kn", "ko", "la", "lb", "ln", "lo", "lt", "lv", "mg", "mi",
    "mk", "ml", "mn", "mr", "ms", "mt", "my", "ne", "nl", "nn", "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru",
    "sa", "sd", "si", "sk", "sl", "sn", "so", "sq", "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl",
    "tr", "tt", "uk", "ur", "uz", "vi", "yi", "yo", "zh",
)  # fmt: skip
"""The languages of multilingual Whisper models up to large-v2."""

WHISPER_V3_LANGUAGES: Final = (*WHISPER_V2_LANGUAGES, "yue")
"""The languages of large-v3, which adds Cantonese."""


def _whisper(
    name: str, source: str, languages: tuple[str, ...] = WHISPER_V2_LANGUAGES, *, translation: bool = True
) -> ModelEntry:
    return ModelEntry(
        name,
        Task.TRANSCRIPTION,
        EngineName.WHISPER,
        source,
        Capabilities(languages, translation=translation, word_times=True),
        licence="MIT",
    )


def _english(name: str, source: str) -> ModelEntry:
    return _whisper(name, source, ENGLISH, translation=False)


def _belle(name: str) -> ModelEntry:
    return ModelEntry(
        name,
        Task.TRANSCRIPTION,
        EngineName.WHISPER,
        f"BELLE-2/{name}",
        Capabilities(CHINESE, word_times=True),
        licence="Apache-2.0",
    )


def _voice(name: str, engine: EngineName, source: str, capabilities: Capabilities, licence: str) -> ModelEntry:
    return ModelEntry(name, Task.SPEECH, engine, source, capabilities, licence)


def piper_voice(name: str) -> ModelEntry | None:
    """Return the model that is a voice of Piper's, whether it exists or not; None for a name that is not of the form.

    Most voices have licences of their own, which depend on the recordings that they were trained with.
    """
    language = piper_language(name)
    if language is None:
        return None
    capabilities = Capabilities((language,), speed=True)
    return _voice(name, EngineName.PIPER, PIPER_REPOSITORY, capabilities, "GPL-3.0-or-later, voice its own")


def _cosyvoice(name: str, repository: str, languages: tuple[str, ...]) -> ModelEntry:
    abilities = Capabilities(languages, instructions=True, cloning=True)
    return _voice(name, EngineName.COSYVOICE, f"FunAudioLLM/{repository}", abilities, "Apache-2.0")


WHISPER_BASE: Final = _whisper("whisper-base", "Systran/faster-whisper-base")
"""The recognizer of a session that names none."""


PIPER_VOICES: Final = (
    "piper-en_US-lessac-medium",
    "piper-en_US-joe-medium",
    "piper-en_GB-alba-medium",
    "piper-de_DE-thorsten-medium",
    "piper-fr_FR-siwis-medium",
    "piper-es_ES-davefx-medium",
    "piper-it_IT-paola-medium",
    "piper-pt_BR-faber-medium",
    "piper-nl_NL-mls-medium",
    "piper-pl_PL-darkman-medium",
    "piper-ru_RU-irina-medium",
    "piper-tr_TR-dfki-medium",
    "piper-zh_CN-huayan-medium",
)
"""A voice of Piper's for each of the languages most asked for; all others can be used by name, too."""


ENTRIES: Final = (
    _whisper("whisper-tiny", "Systran/faster-whisper-tiny"),
    _english("whisper-tiny.en", "Systran/faster-whisper-tiny.en"),
    WHISPER_BASE,
    _english("whisper-base.en", "Systran/faster-whisper-base.en"),
    _whisper("whisper-small", "Systran/faster-whisper-small"),
    _english("whisper-small.en", "Systran/faster-whisper-small.en"),
    _whisper("whisper-medium", "Systran/faster-whisper-medium"),
    _english("whisper-medium.en", "Systran/faster-whisper-medium.en"),
    _whisper("whisper-large-v2", "Systran/faster-whisper-large-v2"),
    _whisper("whisper-large-v3", "Systran/faster-whisper-large-v3", WHISPER_V3_LANGUAGES),
    # OpenAI trained the turbo model without translation data; asked to translate, it transcribes.
    _whisper(
        "whisper-large-v3-turbo",
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        WHISPER_V3_LANGUAGES,
        translation=False,
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
    _voice("hibari-tts", EngineName.HIBARI, "maureesewilliams/hibari", Capabilities(ENGLISH, speed=True), "Apache-2.0"),
    _voice(
        "ChatTTS",
        EngineName.CHATTTS,
        "2Noise/ChatTTS",
        Capabilities(("zh", "en"), speed=True, instructions=True, cloning=True, any_voice=True),
        "code AGPL-3.0-or-later, weights CC-BY-NC-4.0",
    ),
    # The bare name means the best of the others that is at hand, and otherwise the one that speaks without a clip.
    _cosyvoice("CosyVoice", "CosyVoice-300M-SFT", COSYVOICE_LANGUAGES),
    _cosyvoice("Fun-CosyVoice3-0.5B", "Fun-CosyVoice3-0.5B-2512", COSYVOICE3_LANGUAGES),
    _cosyvoice("CosyVoice2-0.5B", "CosyVoice2-0.5B", COSYVOICE_LANGUAGES),
    _cosyvoice("CosyVoice-300M-SFT", "CosyVoice-300M-SFT", COSYVOICE_LANGUAGES),
    _cosyvoice("CosyVoice-300M-Instruct", "CosyVoice-300M-Instruct", COSYVOICE_LANGUAGES),
    _cosyvoice("CosyVoice-300M", "CosyVoice-300M", COSYVOICE_LANGUAGES),
    _voice(
        "kokoro",
        EngineName.KOKORO,
        KOKORO_REPOSITORY,
        Capabilities(KOKORO_LANGUAGES, speed=True, mixing=True),
        "Apache-2.0, espeak-ng GPL-3.0-or-later",
    ),
    *(
        _voice(
            pocket_name(folder),
            EngineName.POCKET,
            POCKET_REPOSITORY,
            Capabilities((language,)),
            "code MIT, weights CC-BY-4.0",
        )
        for folder, language in POCKET_LANGUAGES.items()
    ),
    *filter(None, map(piper_voice, PIPER_VOICES)),
)

KOKORO_NAME: Final = "kokoro"
"""The model that many programs ask for whatever voice there is. Unless the settings name it, their request means the
default one."""

COSYVOICE_NAME: Final = "CosyVoice"
"""The name of the family, which means the best of its models that is at hand."""

COSYVOICE_ENTRIES: Final = tuple(
    entry for entry in ENTRIES if entry.engine is EngineName.COSYVOICE and entry.name != COSYVOICE_NAME
)
"""The models of the family, the best first."""

MODELSCOPE_SOURCES: Final = {
    "kokoro": KOKORO_REPOSITORY,
    "ChatTTS": "AI-ModelScope/ChatTTS",
    "CosyVoice": "iic/CosyVoice-300M-SFT",
    "Fun-CosyVoice3-0.5B": "FunAudioLLM/Fun-CosyVoice3-0.5B-2512",
    "CosyVoice2-0.5B": "iic/CosyVoice2-0.5B",
    "CosyVoice-300M-SFT": "iic/CosyVoice-300M-SFT",
    "CosyVoice-300M-Instruct": "iic/CosyVoice-300M-Instruct",
    "CosyVoice-300M": "iic/CosyVoice-300M",
}
"""Where ModelScope has the models that can be had from there."""
