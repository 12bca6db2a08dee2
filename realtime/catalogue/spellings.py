"""Read the names by which programs know models that others serve too: OpenAI's own, and sizes of Whisper.

Nothing here knows what a server has: `realtime.catalogue.names` compares the results with its models.
"""

import re
from typing import Final

from realtime.catalogue.table import Task

_OPENAI: Final = (
    (re.compile(r"whisper-\d+(-\d[\d-]*)?|gpt-.*(transcribe|whisper|translate).*"), Task.TRANSCRIPTION),
    (re.compile(r"tts-\d.*|gpt-.*tts.*"), Task.SPEECH),
)
"""OpenAI's names by task, dated and future ones included: `gpt-4o-mini-tts-2025-12-15`, `gpt-live-transcribe`."""

PUBLISHERS: Final = frozenset(
    {"openai", "systran", "guillaumekln", "mobiuslabsgmbh", "dropbox-dash", "deepdml", "distil-whisper", "ggerganov",
     "mlx-community", "onnx-community", "xenova", "argmaxinc", "groq", "deepinfra", "fireworks_ai", "together_ai"}
)  # fmt: skip
"""Owners of repositories, and prefixes of LiteLLM, under which a size of Whisper is OpenAI's model in some format.

Others publish fine-tuned models under the same names: `ivrit-ai/whisper-large-v3-ct2` is Hebrew.
"""

_FORMAT: Final = re.compile(
    r"whisper|faster|openai|ggml|gguf|ct2|ctranslate2|mlx|onnx|coreml|timestamped|model|int8|fp16|fp32|float16|float32|"
    r"bfloat16|\d+bit|q\d|[01k]"
)
"""Parts of a name that say in which format or for which program a model is, but not which model."""

_SUFFIX: Final = re.compile(r"\.(bin|pt|gguf|safetensors)$")

_SIZES: Final = frozenset({"tiny", "base", "small", "medium", "large", "turbo", "distil"})
"""Words of names of Whisper's sizes. A name with one of them means a certain model."""

_SHORT: Final = {
    "large": "large-v3",
    "turbo": "large-v3-turbo",
    "large-turbo": "large-v3-turbo",
    "v2": "large-v2",
    "v3": "large-v3",
    "v3-turbo": "large-v3-turbo",
}
"""Names for the largest models without their size or version, which OpenAI's and faster-whisper's programs accept."""


def openai_task(name: str) -> Task | None:
    """Return the task of a name of OpenAI's, also with a prefix such as `openai/`; None for any other name."""
    own = _own_part(name)
    return next((task for pattern, task in _OPENAI if pattern.fullmatch(own)), None)


def whisper_size(name: str) -> str | None:
    """Return the catalogue's name for a size of Whisper: `whisper-large-v3` for `large-v3` or `ggml-large-v3-q5_0.bin`.

    The result need not be in the catalogue. None for a name that says more than a size, or nothing at all, and for a
    repository of an owner outside `PUBLISHERS`.
    """
    owner, slash, _ = name.strip().lower().rpartition("/")
    if slash and owner not in PUBLISHERS:
        return None
    parts = _distinguishing_parts(name)
    distilled, english = "distil" in parts, "en" in parts
    size = "-".join(part for part in parts if part not in ("distil", "en"))
    if not size or (not _SIZES.intersection(parts) and size not in _SHORT):
        return None
    canonical = ("distil-whisper-" if distilled else "whisper-") + _SHORT.get(size, size)
    # All distilled models are English; only the names of the smaller ones say so.
    return canonical + ".en" if english and not (distilled and size.startswith("large")) else canonical


def means_certain_model(name: str) -> bool:
    """Return whether the name of a recognizer means a certain model, for which another one must not answer.

    That is a repository, a size, or a variety of Whisper. Any other name that is unknown, such as `default`, says
    nothing about what the client expects.
    """
    parts = _distinguishing_parts(name)
    return "/" in name or bool(_SIZES.intersection(parts)) or ("whisper" in name.lower() and bool(parts))


def _own_part(name: str) -> str:
    return name.strip().lower().rpartition("/")[2]


def _distinguishing_parts(name: str) -> list[str]:
    """Return the parts of a name without its owner and without those that only name a format."""
    own = _SUFFIX.sub("", _own_part(name)).replace(".en", "-en")
    return [part for part in re.split(r"[-_\s]+", own) if part and not _FORMAT.fullmatch(part)]
