"""Resolve voice names."""

from typing import Final

from realtime.errors import UnknownVoice

OPENAI_VOICES: Final = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin", "cedar",
)  # fmt: skip


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
