"""Names of Kokoro's voices: `af_heart` is a woman's (f) voice of American English (a)."""

import re
from typing import Final

KOKORO_REPOSITORY: Final = "onnx-community/Kokoro-82M-v1.0-ONNX"
"""The repository on the Hugging Face hub with the networks and the voices that kokoro-js uses, too."""

KOKORO_LANGUAGES: Final = ("en", "es", "fr", "hi", "it", "pt", "zh")
"""The languages of its voices, except for Japanese: what it needs to read that is not kept up, or 400 MB large."""

_BY_LETTER: Final = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "p": "pt", "z": "zh"}
_MODEL: Final = re.compile(r"(?:[\w.-]+/)?kokoro(?:-82m)?(?:-v1\.0)?(?:-onnx)?", re.ASCII | re.IGNORECASE)
_NAME: Final = re.compile(r"([a-z])[fm]_\w+", re.ASCII)


def means_kokoro(name: str) -> bool:
    """Return whether a name of a model means Kokoro v1.0, whoever has published it in whatever format."""
    return _MODEL.fullmatch(name) is not None


def kokoro_language(voice: str) -> str | None:
    """Return the ISO 639 code of the language of a voice, or of the first one of a mixture; None for other names."""
    parts = _NAME.match(voice)
    return _BY_LETTER.get(parts[1]) if parts else None


def is_british(voice: str) -> bool:
    """Return whether a voice, or the first one of a mixture, speaks British English."""
    return voice.startswith("b")
