"""The voices of hibari."""

from pathlib import Path
from typing import TypedDict

class _Voice(TypedDict):
    british: bool

DEFAULT: str
VOICES: dict[str, _Voice]

def voice_path(name: str, download_missing: bool = ...) -> Path: ...
