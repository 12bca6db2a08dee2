"""Voice models whose weights are a directory as it is published: on the Hugging Face hub, on ModelScope, or a path."""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from realtime.catalogue.pocket import pocket_folder
from realtime.catalogue.table import MODELSCOPE_SOURCES, EngineName, ModelEntry
from realtime.errors import EngineError, UnusableModel
from realtime.weights import hub
from realtime.weights.hub import HubError
from realtime.weights.progress import Report


@dataclass(frozen=True, slots=True)
class Layout:
    """Files of a model directory, as patterns: without the `required` ones it cannot be loaded."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    """Other sets of files that can be loaded instead of the `required` ones."""

    def lacking(self, directory: Path) -> list[str]:
        """Return the patterns of which the directory has no file."""
        for files in self.alternatives:
            if all(any(directory.glob(pattern)) for pattern in files):
                return []
        return [pattern for pattern in self.required if not any(directory.glob(pattern))]


_LAYOUTS: Final = {
    EngineName.CHATTTS: Layout(
        (
            *(f"asset/{name}.safetensors" for name in ("Decoder", "DVAE", "Embed", "Vocos")),
            *(f"asset/gpt/{name}" for name in ("config.json", "model.safetensors")),
            *(f"asset/tokenizer/{name}.json" for name in ("special_tokens_map", "tokenizer_config", "tokenizer")),
        )
    ),
    EngineName.COSYVOICE: Layout(
        ("cosyvoice*.yaml", "llm.pt", "flow.pt", "hift.pt", "campplus.onnx", "speech_tokenizer_v*.onnx"),
        ("spk2info.pt", "CosyVoice-BlankEN/*"),
    ),
    # The network of 92 MB takes a third of the duration of the speech on one core, so the others are not downloaded.
    EngineName.KOKORO: Layout(
        ("onnx/model_quantized.onnx", "voices/*.bin"),
        alternatives=(("onnx/*.onnx", "voices/*.bin"), ("*.onnx", "voices*.bin")),
    ),
}
"""The layouts of the engines each of whose models has a repository."""

ENGINES: Final = (*_LAYOUTS, EngineName.POCKET)
"""The engines whose models are such directories."""


def _layout(entry: ModelEntry) -> Layout:
    if entry.engine is not EngineName.POCKET:
        return _LAYOUTS[entry.engine]
    files = ("model.safetensors", "tokenizer.json", "embeddings/*.safetensors")
    folder = f"languages/{pocket_folder(entry.name)}"
    return Layout(tuple(f"{folder}/{file}" for file in files), alternatives=(files,))


def require_complete(entry: ModelEntry, directory: Path) -> None:
    """Raise `EngineError` if a configured directory is no model of the entry's engine."""
    if missing := _layout(entry).lacking(directory):
        raise EngineError(
            f"The directory configured for {entry.name} contains no such model: {directory} lacks {', '.join(missing)}."
        )


def cached(entry: ModelEntry) -> Path | None:
    """Return the directory of the model in the cache of the Hugging Face hub, if it is complete."""
    layout = _layout(entry)
    directory = hub.cached(entry.source, (*layout.required, *layout.optional))
    return directory if directory is not None and not layout.lacking(directory) else None


def download(entry: ModelEntry, report: Report) -> Path:
    """Download the model from the Hugging Face hub; return its directory. Raises `HubError` and `EngineError`."""
    layout = _layout(entry)
    remote = hub.files(entry.source, (*layout.required, *layout.optional))
    if missing := [pattern for pattern in layout.required if not any(fnmatch(name, pattern) for name in remote)]:
        raise EngineError(f"{entry.source} is not complete: it lacks {', '.join(missing)}.")
    return hub.download(entry.source, remote, report)


def from_modelscope(entry: ModelEntry, *, local_only: bool) -> Path:
    """Return the directory of the model in the cache of ModelScope, downloading what it lacks unless `local_only`.

    Raises `UnusableModel` without the package `modelscope`, and `HubError` where the model cannot be had.
    """
    layout = _layout(entry)
    try:
        from modelscope import snapshot_download
        from modelscope_hub.errors import HubError as ModelScopeError
    except ImportError as exc:
        message = "VIVAVOCE_HUB is modelscope, which needs: pip install 'modelscope>=1.40'"
        raise UnusableModel(message, param="model") from exc
    source, patterns = MODELSCOPE_SOURCES[entry.name], [*layout.required, *layout.optional]
    try:
        directory = Path(snapshot_download(source, allow_patterns=patterns, local_files_only=local_only))
    except (ModelScopeError, OSError, ValueError, RuntimeError) as exc:  # OSError: also the errors of requests
        raise HubError((str(exc) or type(exc).__name__).splitlines()[0].rstrip(".")) from exc
    if missing := layout.lacking(directory):
        raise HubError(f"{source} lacks {', '.join(missing)}")
    return directory
