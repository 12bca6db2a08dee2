"""Resolve voice names."""

from typing import Final

from realtime.errors import UnknownVoice

OPENAI_VOICES: Final = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip
"""The names of OpenAI's own voices."""


def find_voice(name: str, voices: tuple[str, ...]) -> str | None:
    """Return the voice that `resolve_voice` does, or None where that raises."""
    try:
        return resolve_voice(name, voices)
    except UnknownVoice:
        return None


def resolve_voice(name: str, voices: tuple[str, ...]) -> str:
    """Return the voice among `voices`, default first, that a client means by `name`.

    An empty name means the default; each of `OPENAI_VOICES` always means the same one of `voices`. Raises
    `UnknownVoice`.
    """
    if not name:
        return voices[0]
    if name in voices:
        return name
    if name in OPENAI_VOICES:
        return voices[OPENAI_VOICES.index(name) % len(voices)]
    raise UnknownVoice(f"Unknown voice {name!r}; available voices: {', '.join(voices)}.", param="voice")
