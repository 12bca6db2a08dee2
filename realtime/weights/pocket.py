"""The files of a model of pocket-tts: weights, a tokenizer, and the state of the model after the clip of each voice."""

from pathlib import Path
from typing import Final

_DEFAULT_VOICES: Final = {
    "english": "alba", "french": "estelle", "german": "juergen", "italian": "giovanni", "spanish": "lola",
    "portuguese": "rafael", "dutch": "daan",
}  # fmt: skip
"""The voice that the library takes for each language."""


def model_folder(directory: Path, language: str) -> Path:
    """Return the folder of a language in the repository, or a directory that is such a folder itself."""
    folder = directory / "languages" / language
    return folder if folder.is_dir() else directory


def voice_files(folder: Path, language: str) -> dict[str, Path]:
    """Return the states of the voices by name, the default voice of the language first."""
    files = {path.stem: path for path in sorted(folder.glob("embeddings/*.safetensors"))}
    default = _DEFAULT_VOICES[language]
    return {name: files[name] for name in sorted(files, key=lambda name: name != default)}
