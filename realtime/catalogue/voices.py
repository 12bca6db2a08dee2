"""Resolve voice names."""

import re
from typing import Final

from realtime.errors import UnknownVoice

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


class AnyVoice(tuple[str, ...]):
    """The names of a model's voices, for one of which every other name is a voice too."""

    __slots__ = ()


def find_voice(name: str, voices: tuple[str, ...]) -> str | None:
    """Return the voice among `voices`, default first, that a client means by `name`; None where it means none.

    Case and blanks do not matter. An empty name and `default` mean the default; each of `OPENAI_VOICES` always means
    the same one of `voices`, that of `SIMILAR_VOICES` if it is among them; a name of Kokoro's means the voice of this
    name, as in `af_heart`. Among `AnyVoice` every name means a voice, and is returned as it is.
    """
    wanted = name.strip().lower()
    if wanted in ("", "default"):
        return voices[0]
    if isinstance(voices, AnyVoice):
        return next((voice for voice in voices if voice.lower() == wanted), name.strip())
    if wanted in OPENAI_VOICES and wanted not in voices:
        similar = SIMILAR_VOICES[wanted]
        return similar if similar in voices else voices[OPENAI_VOICES.index(wanted) % len(voices)]
    plain = _KOKORO.sub("", wanted)
    return next((voice for voice in voices if voice.lower() in (wanted, plain)), None)


def resolve_voice(name: str, voices: tuple[str, ...]) -> str:
    """Return the voice that `find_voice` does. Raises `UnknownVoice` where there is none."""
    if (voice := find_voice(name, voices)) is not None:
        return voice
    raise UnknownVoice(f"Unknown voice {name!r}; available voices: {', '.join(voices)}.", param="voice")
