"""Resolve voice names."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from realtime.catalogue.kokoro import kokoro_language
from realtime.catalogue.table import ModelEntry
from realtime.errors import UnknownVoice, VoiceError

OPENAI_VOICES: Final = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip
"""The names of OpenAI's own voices."""


SIMILAR_VOICES: Final = {
    "alloy": "heart", "ash": "fenrir", "ballad": "fable", "coral": "kore", "echo": "fenrir", "fable": "fable",
    "onyx": "fenrir", "nova": "kore", "sage": "emma", "shimmer": "heart", "verse": "fable", "marin": "heart",
    "cedar": "fenrir",
}  # fmt: skip
"""Voices of hibari, which are Kokoro's too, for OpenAI's names: women's for women's and men's for men's, and a British
one for `fable`. Of `alloy` and `sage`, which sound neutral, hibari has none."""

_KOKORO: Final = re.compile(r"[a-z][fm]_")
"""What Kokoro's names begin with: the language and the sex of the speaker."""

_PART: Final = re.compile(r"([^()+]+?)(?:\((\d{1,4}(?:\.\d{1,9})?)\))?", re.ASCII)
"""A voice of a mixture and its weight: `af_sky(2)`."""

MAX_MIXED: Final = 8
"""Most voices of a mixture."""


class AnyVoice(tuple[str, ...]):
    """The names of a model's voices, for one of which every other name is a voice too."""

    __slots__ = ()


class MixableVoices(tuple[str, ...]):
    """The names of a model's voices, whose sums are voices too: `af_heart+af_bella`, `af_heart(2)+af_sky(1)`."""

    __slots__ = ()


def mixture(name: str) -> list[tuple[str, float]]:
    """Return the voices of a mixture and their weights, 1 where there is none; nothing if it is not one.

    A single name is a mixture of one voice.
    """
    parts = [_PART.fullmatch(part.strip()) for part in name.split("+")]
    found = [(part[1].strip(), float(part[2] or 1)) for part in parts if part]
    return found if len(found) == len(parts) <= MAX_MIXED and any(weight for _, weight in found) else []


def find_voice(name: str, voices: tuple[str, ...]) -> str | None:
    """Return the voice among `voices`, default first, that a client means by `name`; None where it means none.

    Case and blanks do not matter. An empty name and `default` mean the default; each of `OPENAI_VOICES` always means
    the same one of `voices`: one that has this name, or that of `SIMILAR_VOICES` if it is among them. A name with and
    without Kokoro's prefix means the same, so `heart` and `af_heart` do. Among `AnyVoice` every name means a voice, and
    is returned as it is. A mixture among `MixableVoices` is returned with the names of its voices.
    """
    wanted = name.strip().lower()
    if wanted in ("", "default"):
        return voices[0]
    if isinstance(voices, AnyVoice):
        return next((voice for voice in voices if voice.lower() == wanted), name.strip())
    if isinstance(voices, MixableVoices) and "+" in wanted:
        return _find_mixture(wanted, tuple(voices))
    if found := _find_name(wanted, voices):
        return found
    if wanted in OPENAI_VOICES:
        return _find_name(SIMILAR_VOICES[wanted], voices) or voices[OPENAI_VOICES.index(wanted) % len(voices)]
    return None


def stands_for_any_voice(name: str) -> bool:
    """Return whether a name means a voice of every model, so that it asks for no particular one."""
    return name.strip().lower() in ("", "default", *OPENAI_VOICES)


def lists_voice(name: str, voices: tuple[str, ...]) -> bool:
    """Return whether a name is that of one of the voices, or a mixture of them."""
    wanted = name.strip().lower()
    if isinstance(voices, MixableVoices) and "+" in wanted:
        return _find_mixture(wanted, tuple(voices)) is not None
    return wanted in map(str.lower, voices)


def voice_language(voice: str, languages: Collection[str]) -> str:
    """Return which of the languages of a model is the voice's own; empty unless its name says so, as Kokoro's do."""
    language = kokoro_language(voice) if len(languages) > 1 else None
    return language if language is not None and language in languages else ""


def voice_languages(voice: str, languages: Collection[str]) -> tuple[str, ...]:
    """Return the languages to list for a voice: its own, or else all of the model's."""
    own = voice_language(voice, languages)
    return (own,) if own else tuple(languages)


def voice_of_language(voice: str, voices: tuple[str, ...], languages: Collection[str], language: str) -> str:
    """Return the voice for texts in a language, of the same sex as `voice` if there is one.

    It is `voice` itself, unless that is of another of the `languages` of the model, and others are of this one.
    """
    if voice_language(voice, languages) in ("", language):
        return voice
    same = [each for each in voices if voice_language(each, languages) == language]
    return next((each for each in same if each[1] == voice[1]), same[0] if same else voice)


def _find_name(wanted: str, voices: tuple[str, ...]) -> str | None:
    """Return the voice of a name in lower case, which may lack the prefix of Kokoro's or have one too many."""
    for same in (str.lower, lambda voice: _KOKORO.sub("", voice.lower())):
        if found := next((voice for voice in voices if same(voice) == wanted), None):
            return found
    plain = _KOKORO.sub("", wanted)
    return next((voice for voice in voices if voice.lower() == plain), None)


def _find_mixture(wanted: str, voices: tuple[str, ...]) -> str | None:
    parts = [(find_voice(name, voices), weight) for name, weight in mixture(wanted)]
    if not parts or not all(name for name, _ in parts):
        return None
    return "+".join(f"{name}({_written(weight)})" for name, weight in parts)


def _written(weight: float) -> str:
    """Write a weight without an exponent, whose sign would end the voice."""
    return f"{weight:.9f}".rstrip("0").rstrip(".")


def resolve_voice(name: str, voices: tuple[str, ...]) -> str:
    """Return the voice that `find_voice` does. Raises `UnknownVoice` where there is none."""
    if (voice := find_voice(name, voices)) is not None:
        return voice
    raise UnknownVoice(f"Unknown voice {name!r}; available voices: {', '.join(voices)}.", param="voice")


@dataclass(frozen=True, slots=True)
class VoicesAtHand:
    """The voices of voice models whose files are on one machine.

    Attributes:
        voices: Names of the voices by model, the default one of each first.
        errors: Why each of the other models, by name, cannot speak.
    """

    voices: Mapping[str, tuple[str, ...]]
    errors: Mapping[str, VoiceError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VoiceNames:
    """The voices that a client of one service can name: those of the default model, and of the models of languages.

    Attributes:
        default: The default model.
        voices: Names of its voices, the default first.
        others: The models that speak texts in other languages instead, by language, each with its voices.
    """

    default: ModelEntry
    voices: tuple[str, ...]
    others: Mapping[str, tuple[ModelEntry, tuple[str, ...]]] = field(default_factory=dict)

    def owner(self, name: str) -> ModelEntry:
        """Return the model that has the voice of this name.

        It is the default one, unless that does not list the voice and another one does. Names that stand for a voice
        of each model, such as OpenAI's, mean the default one.
        """
        if not stands_for_any_voice(name) and not lists_voice(name, self.voices):
            for entry, voices in self.others.values():
                if lists_voice(name, voices):
                    return entry
        return self.default

    def find(self, name: str) -> str | None:
        """Return the voice that a client means by a name; None where it means none."""
        owner = self.owner(name)
        known = next((voices for entry, voices in self.others.values() if entry == owner), self.voices)
        return find_voice(name, self.voices if owner == self.default else known)

    def of_language(self, language: str) -> str | None:
        """Return the voice for a language; None where it is one of the default model's."""
        entry, voices = self.others.get(language, (self.default, ()))
        if not voices:
            return None
        voice = voice_of_language(voices[0], voices, entry.languages, language)
        return voice if self.owner(voice) == entry else None
