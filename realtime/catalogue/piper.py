"""Names of Piper's voices, each a model of its own: `piper-de_DE-thorsten-medium`.

A name has the language and country, the speaker or corpus, and the quality.
"""

import re
from typing import Final

PIPER_REPOSITORY: Final = "rhasspy/piper-voices"
"""The repository on the Hugging Face hub that has all voices."""

_NAME: Final = re.compile(r"piper-([a-z]{2,3})_([A-Z]{2})-(\w+)-(x_low|low|medium|high)", re.ASCII)


def piper_language(name: str) -> str | None:
    """Return the ISO 639 code of the language of a voice; None if this is not the name of a voice."""
    parts = _NAME.fullmatch(name)
    return parts[1] if parts else None


def piper_file(name: str) -> str:
    """Return the path of a voice in the repository: `de/de_DE/thorsten/medium/de_DE-thorsten-medium.onnx`."""
    parts = _NAME.fullmatch(name)
    assert parts is not None
    language, country, speaker, quality = parts.groups()
    return f"{language}/{language}_{country}/{speaker}/{quality}/{language}_{country}-{speaker}-{quality}.onnx"
