"""The models of pocket-tts, one for each language; they share a repository, in which each has a folder."""

from typing import Final

POCKET_REPOSITORY: Final = "kyutai/pocket-tts-without-voice-cloning"
"""The repository on the Hugging Face hub. That with the encoder of voices, `kyutai/pocket-tts`, is open to those only
who have accepted its terms."""

POCKET_LANGUAGES: Final = {
    "english": "en", "french": "fr", "german": "de", "italian": "it", "spanish": "es", "portuguese": "pt",
    "dutch": "nl",
}  # fmt: skip
"""The folders of the models and their languages."""


def pocket_name(folder: str) -> str:
    """Return the name of the model in a folder: `pocket-tts` for English, `pocket-tts-german`."""
    return "pocket-tts" if folder == "english" else f"pocket-tts-{folder}"


def pocket_folder(name: str) -> str:
    """Return the folder of a model of the catalogue."""
    return name.removeprefix("pocket-tts").removeprefix("-") or "english"
